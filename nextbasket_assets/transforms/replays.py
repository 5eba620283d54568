"""Baskets that are copies: the same customer with the same items and quantities as in an earlier week.

LGSR's last thirteen weeks are such copies. A recommender that is judged on them is judged on its training data.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MIN_ITEMS = 4  # smaller baskets repeat by chance


def fingerprint() -> Column:
    """Hash of a basket's customer and its sorted (item, quantity) pairs, over rows of staged_baskets."""
    bought = F.transform("items", lambda line: F.concat_ws(":", line["item"], line["quantity"].cast("string")))
    return F.xxhash64("customer", F.concat_ws("|", bought))


def replay_counts(baskets: DataFrame) -> DataFrame:
    """week, baskets, replayed: identified baskets of four items or more, and those seen in an earlier week.

    Args:
        baskets: staged_baskets of the weeks in question and of all weeks before them.
    """
    large = baskets.where(F.col("customer").isNotNull() & (F.size("items") >= MIN_ITEMS))
    marked = large.select("week", fingerprint().alias("fingerprint"))
    first = marked.groupBy("fingerprint", "week").agg(F.count(F.lit(1)).alias("baskets"))
    earliest = marked.groupBy("fingerprint").agg(F.min("week").alias("first_week"))
    return (
        first.join(earliest, on="fingerprint", how="inner")
        .groupBy("week")
        .agg(
            F.sum("baskets").alias("baskets"),
            F.sum(F.when(F.col("week") > F.col("first_week"), F.col("baskets")).otherwise(F.lit(0))).alias("replayed"),
        )
    )
