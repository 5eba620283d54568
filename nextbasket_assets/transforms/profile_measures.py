"""Tagged baskets to the measures of a mission: its share of baskets and of spend, its size, and how sure its tags are.

Counted in whole numbers, like `profiles`.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from nextbasket_assets.transforms.profiles import ALL, Z, wilson, with_all

SMALL = 2  # known items: a mission that rests on one or two items is a guess
_MILLIONTHS = 1_000_000  # of a confidence


def overall_rows(visits: DataFrame) -> DataFrame:
    """Share of baskets and of spend, and means per basket: items, units, spend, confidence, share of small baskets.

    Args:
        visits: staged_baskets with `mission`, `confidence` and `known_items`.
    """
    known = F.col("known_items") > 0
    small = known & (F.col("known_items") <= SMALL)
    confidence = F.round(F.col("confidence").cast("double") * _MILLIONTHS)
    measures = {
        "mean_items": (F.size("items"), 1),
        "mean_units": (F.col("units"), 1),
        "mean_spend": (F.col("spend") * 100, 100),
        "mean_confidence": (F.when(known, confidence), _MILLIONTHS),
        "share_of_small_baskets": (F.when(known, small.cast("int")), 1),
        "mean_confidence_of_small_baskets": (F.when(small, confidence), _MILLIONTHS),
        "mean_confidence_of_larger_baskets": (F.when(known & ~small, confidence), _MILLIONTHS),
    }
    told = F.array(
        *(
            F.struct(F.lit(name).alias("name"), value.cast("decimal(38,0)").alias("x"), F.lit(scale).alias("scale"))
            for name, (value, scale) in measures.items()
        )
    )
    sums = with_all(
        visits.select("week", "mission", F.inline(told)).where(F.col("x").isNotNull()),
        ("week", "name", "scale"),
        F.count(F.lit(1)).alias("n"),
        F.sum("x").cast("decimal(38,0)").alias("x"),
        F.sum(F.col("x") * F.col("x")).cast("decimal(38,0)").alias("xx"),
    )
    of_all = Window.partitionBy("week", "name")
    average = F.col("mission") == ALL
    compared = sums.withColumns(
        {f"{name}_all": F.max(F.when(average, F.col(name))).over(of_all) for name in ("n", "x", "xx")}
    )
    rows = F.filter(F.array(_mean(), _share_of_baskets(), _share_of_spend()), lambda row: row.isNotNull())
    return compared.select("week", "mission", F.inline(rows))


def _mean() -> Column:
    n, mean = F.col("n"), F.col("x").cast("double") / F.col("n")
    mean_all = F.col("x_all").cast("double") / F.col("n_all")
    # The variance of whole numbers that are all alike is 0, whatever the division leaves.
    variance = F.greatest(F.lit(0.0), F.col("xx").cast("double") / n - mean * mean)
    half = Z * F.sqrt(variance / (n - 1))
    bounded = (F.col("mission") != ALL) & (n > 1) & (mean_all > 0)
    return F.struct(
        *titled("overall", F.col("name")),
        n.alias("baskets"),
        (mean / F.col("scale")).alias("value"),
        F.when(F.col("mission") == ALL, F.lit(100.0)).when(mean_all > 0, 100 * mean / mean_all).alias("index"),
        F.when(bounded, F.greatest(F.lit(0.0), 100 * (mean - half) / mean_all)).alias("low"),
        F.when(bounded, 100 * (mean + half) / mean_all).alias("high"),
    )


def _share_of_baskets() -> Column:
    share = F.col("n") / F.col("n_all")
    counted = F.col("name") == "mean_items"  # the measure that every basket has
    return F.when(counted, _share("share_of_baskets", share, F.col("n_all")))


def _share_of_spend() -> Column:
    """Baskets are the clusters: a mission of a few dear baskets has a share that few cases stand for."""
    x, total = F.col("x").cast("double"), F.col("x_all").cast("double")
    xx, xx_all = F.col("xx").cast("double"), F.col("xx_all").cast("double")
    share = x / total
    variance = ((1 - share) * (1 - share) * xx + share * share * (xx_all - xx)) / (total * total)
    cases = F.when(variance > 1e-18, share * (1 - share) / variance).otherwise(F.col("n_all").cast("double"))
    return F.when((F.col("name") == "mean_spend") & (total > 0), _share("share_of_spend", share, cases))


def _share(name: str, share: Column, cases: Column) -> Column:
    part = F.col("mission") != ALL
    low, high = wilson(share, cases)
    return F.struct(
        *titled("overall", F.lit(name)),
        F.col("n").alias("baskets"),
        share.alias("value"),
        *no_index(F.when(part, low), F.when(part, high)),
    )


def titled(section: str, name: Column, level: Column | None = None) -> tuple[Column, Column, Column]:
    """The columns section, name and level of a row."""
    shown = F.lit("") if level is None else level
    return F.lit(section).alias("section"), name.alias("name"), shown.alias("level")


def no_index(low: Column, high: Column) -> tuple[Column, Column, Column]:
    """The columns index, low and high of a row whose interval is of its value."""
    return F.lit(None).cast("double").alias("index"), low.alias("low"), high.alias("high")
