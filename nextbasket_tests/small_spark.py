"""Flags of a JVM whose Spark does little: it compiles lightly, and interprets a query's plan instead of compiling it.

A query over ten rows takes a second to compile and no time to run. What users run, and the tests that start processes of
their own, have Spark's defaults.
"""

QUICK = " ".join(
    [
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Dspark.sql.codegen.wholeStage=false",
        "-Dspark.sql.codegen.factoryMode=NO_CODEGEN",
        "-Dspark.sql.adaptive.enabled=false",
    ]
)
