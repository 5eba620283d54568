"""Flags of a JVM whose Spark does little: it compiles lightly, and interprets a query's plan instead of compiling it.

A query over ten rows takes a second to compile and no time to run. What users run has Spark's defaults; plans are compiled in
the browser's tests, which run the demo, and where tables are compared over numbers of cores (transforms/test_cores.py).
"""

LIGHT = " ".join(
    [
        "-XX:TieredStopAtLevel=1",
        "-Dspark.sql.codegen.wholeStage=false",
        "-Dspark.sql.codegen.factoryMode=NO_CODEGEN",
        "-Dspark.sql.adaptive.enabled=false",
    ]
)
QUICK = f"{LIGHT} -XX:+UseSerialGC"
IN_ALL_JVMS = {"JAVA_TOOL_OPTIONS": LIGHT}  # whatever collector each asks for
