"""The original pipeline's way to customer arrays, rebuilt: what row 1 measures the sequences against.

One DataFrame per file in a union, to parquet; a set of items per basket; a window of collected lists per customer, ordered
by the basket's id, of which the longest is kept; all of it collected to the driver. Spark's own defaults. Nothing leaves the
anonymous lines out, so that all of their baskets are one customer's; how long it takes without them is measured besides.
"""

import os
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, span
from benchmarks.inputs import landing_files
from benchmarks.rivals import THREADS
from nextbasket_assets.landing import FIELDS
from nextbasket_assets.resources.java import java_home

TEXT = {
    "SHOP_WEEK": "int",
    "SHOP_DATE": "int",
    "SHOP_WEEKDAY": "int",
    "SHOP_HOUR": "int",
    "QUANTITY": "int",
    "SPEND": "double",
}


def original(folder: Path, out: Path) -> dict[str, Any]:
    """Files to staged parquet, and on to one list of baskets per customer on the driver."""
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as F

    os.environ["JAVA_HOME"], os.environ["PYSPARK_PYTHON"] = java_home(), sys.executable
    builder = SparkSession.builder.master(f"local[{THREADS}]").config("spark.driver.memory", "3g")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.ui.enabled", "false")
    spark = builder.config("spark.log.level", "ERROR").getOrCreate()
    schema = ", ".join(f"{field} {TEXT.get(field, 'string')}" for field in FIELDS)  # by position, as it was
    staging = Span()
    frames = [spark.read.csv(str(path), header=True, schema=schema) for path, _ in landing_files(folder)]
    reduce(DataFrame.union, frames).write.parquet(str(out / "trans-data"))
    staging.stop()
    lines = spark.read.parquet(str(out / "trans-data"))
    with span() as sequences:
        customers = _arrays(lines)
    with span() as named:
        _arrays(lines.where(F.col("CUST_CODE").isNotNull()))
    taken = {"staging": staging.taken(), "sequences": sequences.taken(), "named": named.taken()}
    return {**taken, "rows": {"customers": len(customers)}}


def _arrays(lines: Any) -> list[list[list[str]]]:
    """Every customer's baskets, on the driver."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    baskets = lines.groupBy("CUST_CODE", "BASKET_ID").agg(F.collect_set("PROD_CODE").alias("items"))
    before = Window.partitionBy("CUST_CODE").orderBy("BASKET_ID")
    growing = baskets.select("CUST_CODE", F.collect_list("items").over(before).alias("baskets"))
    longest = growing.groupBy("CUST_CODE").agg(F.max("baskets").alias("baskets"))
    return [[list(basket) for basket in row["baskets"]] for row in longest.collect()]
