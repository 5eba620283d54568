"""How far missions agree with the retailer's own labels: mutual information, normalised.

Homogeneity: how far a mission holds one label only. Completeness: how far a label lies in one mission. Their harmonic mean is
the V-measure; it equals the mutual information over the arithmetic mean of the entropies, which many call NMI, so both names
are there. `nmi_by_chance` is what as many baskets, missions and labels give on average when they have nothing to do with each
other (the first-order bias of mutual information); agreement at that height is none.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from nextbasket_assets.transforms.profile_trends import sorted_sum
from nextbasket_assets.transforms.profiles import ALL, UNASSIGNED

NO_CLASS = "XX"  # the retailer's word for "not classified"
LABELS = ("basket_dominant_mission", "basket_type")


def agreement_rows(visits: DataFrame) -> DataFrame:
    """One row per week, label and measure, over the baskets that have a mission and a label other than XX.

    Args:
        visits: staged_baskets with `mission`.
    """
    pairs = F.array(*(F.struct(F.lit(name).alias("label"), F.col(name).alias("class")) for name in LABELS))
    assigned = visits.where(F.col("mission") != UNASSIGNED)
    told = assigned.select("week", "mission", F.inline(pairs)).where(F.col("class") != NO_CLASS)
    cells = told.groupBy("week", "label", "mission", "class").agg(F.count(F.lit(1)).alias("n"))
    return _rows(_entropies(cells))


def _entropies(cells: DataFrame) -> DataFrame:
    """week, label, baskets, missions, classes, and in nats: mutual information, entropy of missions and of classes."""
    of = Window.partitionBy("week", "label")
    total = F.sum("n").over(of)
    margins = cells.select(
        *("week", "label", "mission", "class", "n", total.alias("total")),
        F.sum("n").over(Window.partitionBy("week", "label", "mission")).alias("row"),
        F.sum("n").over(Window.partitionBy("week", "label", "class")).alias("column"),
    )
    share = F.col("n") / F.col("total")
    surprise = F.log(F.col("n").cast("double") * F.col("total") / (F.col("row").cast("double") * F.col("column")))
    return margins.groupBy("week", "label").agg(
        F.sum("n").alias("baskets"),
        F.countDistinct("mission").alias("missions"),
        F.countDistinct("class").alias("classes"),
        F.greatest(F.lit(0.0), sorted_sum(share * surprise)).alias("mutual"),
        sorted_sum(-share * F.log(F.col("row") / F.col("total"))).alias("of_missions"),
        sorted_sum(-share * F.log(F.col("column") / F.col("total"))).alias("of_classes"),
    )


def _rows(entropies: DataFrame) -> DataFrame:
    mutual, mean = F.col("mutual"), (F.col("of_missions") + F.col("of_classes")) / 2
    homogeneity = F.when(F.col("classes") > 1, mutual / F.col("of_classes")).otherwise(F.lit(1.0))
    completeness = F.when(F.col("missions") > 1, mutual / F.col("of_missions")).otherwise(F.lit(1.0))
    both = homogeneity + completeness
    v_measure = F.when(both > 0, 2 * homogeneity * completeness / both).otherwise(F.lit(0.0))
    by_chance = (F.col("missions") - 1) * (F.col("classes") - 1) / (2 * F.col("baskets"))
    measures: dict[str, Column] = {
        "nmi": F.when(mean > 0, mutual / mean).otherwise(F.lit(1.0)),
        "homogeneity": homogeneity,
        "completeness": completeness,
        "v_measure": v_measure,
        "nmi_by_chance": F.when(mean > 0, by_chance / mean).otherwise(F.lit(1.0)),
    }
    told = F.array(*(F.struct(F.lit(name).alias("name"), value.alias("value")) for name, value in measures.items()))
    nothing = F.lit(None).cast("double")
    return entropies.select("week", "label", "baskets", F.inline(told)).select(
        *("week", F.lit(ALL).alias("mission"), F.lit("agreement").alias("section"), "name"),
        *(F.col("label").alias("level"), "baskets", "value"),
        *(nothing.alias("index"), nothing.alias("low"), nothing.alias("high")),
    )
