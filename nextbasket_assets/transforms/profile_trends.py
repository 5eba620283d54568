"""Tagged baskets to what moves: a mission's share over the weeks, and its drift from the model's training window.

Counted in whole numbers, like `profiles`. Where real numbers must be added up, they are sorted first: a sum of floats hangs on
its order, and the order of rows on the cluster.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from nextbasket_assets.transforms.profile_measures import no_index, titled
from nextbasket_assets.transforms.profiles import ALL, UNASSIGNED, ProfileSettings, Z, wilson


def timeline(tags: DataFrame, history: DataFrame, settings: ProfileSettings) -> DataFrame:
    """asked, week, basket, mission: for every week that a model tagged, the baskets up to it in that model's terms.

    A model's own history holds the baskets up to its week; the weekly tags hold those after it.

    Args:
        tags: mission_tagged_baskets of the weeks asked for and of those before.
        history: mission_history of the models that tagged them.
    """
    model_weeks = history.select("mission_model", F.col("week").alias("as_of")).distinct()
    tagged = tags.where(F.col("mission_model").isNotNull())
    after = tagged.join(model_weeks, on=["mission_model"], how="left").where(
        F.col("as_of").isNull() | (F.col("week") > F.col("as_of"))
    )
    columns = ("mission_model", "week", "basket", "mission")
    before = history.select("mission_model", F.col("basket_week").alias("week"), "basket", "mission")
    asked = tagged.select(F.col("week").alias("asked"), "mission_model").distinct()
    age = F.datediff("asked", "week")
    return (
        after.select(*columns)
        .unionByName(before)
        .join(asked, on=["mission_model"], how="inner")
        .where((age >= 0) & (age <= 7 * settings.look_back_weeks))
        .select("asked", "week", "basket", "mission")
    )


def trend_rows(line: DataFrame) -> DataFrame:
    """A mission's share of the baskets week by week, and its change: this week's less the mean of those before.

    The change is in percentage points; its interval is of sampling alone, and knows nothing of seasons.

    Args:
        line: what `timeline` gives.
    """
    weeks = line.groupBy("asked", "week").agg(F.count(F.lit(1)).alias("n"))
    missions = line.select("asked", "mission").distinct()
    counts = line.groupBy("asked", "week", "mission").agg(F.count(F.lit(1)).alias("baskets"))
    grid = weeks.join(missions, on=["asked"], how="inner")
    filled = grid.join(counts, on=["asked", "week", "mission"], how="left").na.fill(0, ["baskets"])
    share = F.col("baskets") / F.col("n")
    low, high = wilson(share, F.col("n"))
    weekly = filled.select(
        *(F.col("asked").alias("week"), "mission"),
        *titled("trend", F.lit("share"), F.col("week").cast("string")),
        *("baskets", share.alias("value")),
        *no_index(low, high),
    )
    return weekly.unionByName(_changes(filled.withColumn("share", share)))


def _changes(shares: DataFrame) -> DataFrame:
    now = F.col("week") == F.col("asked")
    variance = F.col("share") * (1 - F.col("share")) / F.col("n")
    summed = shares.groupBy("asked", "mission").agg(
        F.max(F.when(now, F.col("baskets"))).alias("baskets"),
        F.max(F.when(now, F.col("share"))).alias("share"),
        F.max(F.when(now, variance)).alias("variance"),
        F.count_if(~now).alias("weeks"),
        sorted_sum(F.when(~now, F.col("share"))).alias("earlier"),
        sorted_sum(F.when(~now, variance)).alias("variance_earlier"),
    )
    change = 100 * (F.col("share") - F.col("earlier") / F.col("weeks"))
    half = 100 * Z * F.sqrt(F.col("variance") + F.col("variance_earlier") / (F.col("weeks") * F.col("weeks")))
    return summed.where((F.col("weeks") > 0) & F.col("baskets").isNotNull()).select(
        *(F.col("asked").alias("week"), "mission"),
        *titled("trend", F.lit("change")),
        *("baskets", change.alias("value")),
        *no_index(change - half, change + half),
    )


def sorted_sum(value: Column) -> Column:
    """The sum of a group, added up from the smallest value to the largest."""
    return F.aggregate(F.sort_array(F.collect_list(value)), F.lit(0.0), lambda total, part: total + part)


def drift_rows(tags: DataFrame, history: DataFrame, settings: ProfileSettings) -> DataFrame:
    """Population stability index of the missions' shares against the model's training window, and what nobody knows.

    The index compares baskets that have a mission, with half a basket more in each mission, so that an empty one counts and
    does not explode. Both sides are tagged by the same model.

    Args:
        tags: mission_tagged_baskets of the weeks asked for.
        history: mission_history of the models that tagged them.
    """
    recent = F.datediff("week", "basket_week") < 7 * settings.training_weeks
    assigned = F.col("mission") != UNASSIGNED
    trained = history.where(recent & assigned).groupBy("mission_model", "mission").agg(F.count(F.lit(1)).alias("then"))
    weeks = tags.where(F.col("mission_model").isNotNull()).select("week", "mission_model").distinct()
    then = weeks.join(trained, on=["mission_model"], how="inner").select(
        "week", "mission", F.lit(0).alias("now"), "then"
    )
    now = tags.where(assigned).select("week", "mission", F.lit(1).alias("now"), F.lit(0).cast("long").alias("then"))
    pairs = now.unionByName(then).groupBy("week", "mission").agg(F.sum("now").alias("now"), F.sum("then").alias("then"))
    in_week = Window.partitionBy("week")
    both = pairs.withColumns({f"n_{name}": F.sum(name).over(in_week) for name in ("now", "then")})
    known = both.where((F.col("n_then") > 0) & (F.col("n_now") > 0))
    return _stability(known).unionByName(_training_shares(known)).unionByName(_unknown(tags))


def _stability(pairs: DataFrame) -> DataFrame:
    missions = F.count(F.lit(1)).over(Window.partitionBy("week"))
    half = 0.5
    now = (F.col("now") + half) / (F.col("n_now") + half * missions)
    then = (F.col("then") + half) / (F.col("n_then") + half * missions)
    parts = pairs.withColumn("part", (now - then) * F.log(now / then))
    return (
        parts.groupBy("week")
        .agg(sorted_sum(F.col("part")).alias("value"), F.sum("now").alias("baskets"))
        .select(
            *("week", F.lit(ALL).alias("mission")),
            *titled("drift", F.lit("psi")),
            *("baskets", "value"),
            *no_index(*[F.lit(None).cast("double")] * 2),
        )
    )


def _training_shares(pairs: DataFrame) -> DataFrame:
    share = F.col("then") / F.col("n_then")
    return pairs.select(
        *("week", "mission"),
        *titled("drift", F.lit("training_share")),
        *(F.col("then").alias("baskets"), share.alias("value")),
        *no_index(*wilson(share, F.col("n_then"))),
    )


def _unknown(tags: DataFrame) -> DataFrame:
    counted = tags.groupBy("week").agg(
        F.count(F.lit(1)).alias("n"), F.count_if(F.col("mission") == UNASSIGNED).alias("baskets")
    )
    share = F.col("baskets") / F.col("n")
    return counted.select(
        *("week", F.lit(ALL).alias("mission")),
        *titled("drift", F.lit("share_without_known_item")),
        *("baskets", share.alias("value")),
        *no_index(*wilson(share, F.col("n"))),
    )
