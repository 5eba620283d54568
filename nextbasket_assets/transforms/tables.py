"""Parquet files of the lake's tables: how stages read, write and audit them. Publishing them is the orchestrator's part.

Files lie in `DIR/week=YYYY-MM-DD/`, and hold every column of the table but the week, which the folder's name carries.
"""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from nextbasket_assets.columns import TABLES, WEEK, names, spark_schema
from nextbasket_assets.transforms.claims import CLAIMS, PARTS

_WRITERS = "spark.sql.maxConcurrentOutputFileWriters"  # 0: a task sorts its rows by week before it writes them

# Results must not hang on how the session was made, so every stage sets these for itself.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    # A flipped bit of a page is an error and not another number: pages have checksums (the writer's default).
    "parquet.page.verify-checksum.enabled": "true",
    # HotSpot never compiles a method longer than this, and the line parser in one piece is: it ran a third slower.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # A table's join keys include the key it is spread by: no second shuffle for the rest of them.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # One task per file, or per 128 MiB of it, whatever the number of cores: so files per week never depend on cores.
    "spark.sql.files.maxPartitionBytes": "134217728",
    "spark.sql.files.openCostInBytes": "134217728",
    # Lists and sets are gathered by hashing for up to so many keys of a task, by a sort of all its rows beyond that.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "20000",
    _WRITERS: "0",
}


def schema(table: str) -> StructType:
    """The table's schema, week included."""
    return StructType.fromJson(spark_schema(TABLES[table]))


def read(spark: SparkSession, table: str, uris: list[str]) -> DataFrame:
    """The table's rows in these files; an empty list is an empty table."""
    columns = schema(table)
    if not uris:
        return spark.createDataFrame([], columns)
    stored = StructType([field for field in columns.fields if field.name != WEEK])
    week = F.regexp_extract("_metadata.file_path", r"week=(\d{4}-\d{2}-\d{2})/[^/]*$", 1).cast("date")
    return spark.read.schema(stored).parquet(*uris).withColumn(WEEK, week).select(*names(table))


def write(frame: DataFrame, table: str, folder: str) -> None:
    """Write the rows into a folder that does not exist yet, each task one file per week that it holds."""
    (
        frame.select(*names(table))
        .write.mode("errorifexists")
        .option("compression", "zstd")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(WEEK)
        .parquet(folder)
    )


def write_in_order(frame: DataFrame, table: str, folder: str) -> None:
    """The same for tasks that hold one week each, in the order that the rows have: nothing is sorted on the way."""
    spark = frame.sparkSession
    spark.conf.set(_WRITERS, "2")  # a task that has opened as many files sorts the rest of its rows
    try:
        write(frame, table, folder)
    finally:
        spark.conf.set(_WRITERS, SETTINGS[_WRITERS])


def audit(spark: SparkSession, table: str, folder: str, weeks: list[str]) -> dict[str, dict[str, Any]]:
    """Rows and broken claims of a folder just written, for every week asked for and every week found.

    Returns:
        `{"2006-04-10": {"rows": 3, "violations": {"hour is from 0 to 23": 0}}}`.
    """
    written = spark.read.schema(schema(table)).parquet(folder).select(*names(table))
    offenders = [
        F.expr(claim).cast("long").alias(f"claim_{index}") for index, claim in enumerate(CLAIMS[table].values())
    ]
    parts = written.groupBy(WEEK, *map(F.expr, PARTS.get(table, ()))).agg(F.count(F.lit(1)).alias("rows"), *offenders)
    numbers = [name for name in parts.columns if name == "rows" or name.startswith("claim_")]
    counted = parts.groupBy(WEEK).agg(*(F.sum(name).alias(name) for name in numbers)).collect()
    report = unbroken(table, weeks)
    for row in counted:
        broken = {claim: row[f"claim_{index}"] for index, claim in enumerate(CLAIMS[table])}
        report[week_iso(row[WEEK])] = {"rows": row["rows"], "violations": broken}
    return report


def unbroken(table: str, weeks: list[str]) -> dict[str, dict[str, Any]]:
    """What `audit` says of weeks without a row."""
    return {week: {"rows": 0, "violations": dict.fromkeys(CLAIMS[table], 0)} for week in sorted(weeks)}


def week_iso(week: date | None) -> str:
    """The week as it is written in reports."""
    return week.isoformat() if week else "unknown"
