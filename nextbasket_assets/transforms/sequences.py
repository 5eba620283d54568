"""Baskets to customer sequences: what each known customer bought, in time order, as of the end of a week."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbasket_assets.columns import names

_KEY = ("customer", "week", "basket")


def customer_sequences(
    baskets: DataFrame,
    tags: DataFrame,
    weeks: Sequence[date],
    *,
    window_weeks: int,
    max_baskets: int,
    files_per_week: int,
    mission_model: str | None = None,
) -> DataFrame:
    """One row per week asked for and customer who came in the weeks up to it.

    One shuffle gathers each customer's baskets; the weeks are then slices of one sorted list. A basket's order is its
    date and hour, then a hash of what was bought where: never its id, which is sorted by customer and so tells the future.

    Args:
        baskets: staged_baskets of all weeks that the windows of the weeks asked for hold.
        tags: week (of the basket), basket, customer, mission_weights; baskets without a row there get no weights.
        weeks: Mondays.
        window_weeks: a week looks back on so many, itself included, whichever weeks are made with it.
        max_baskets: the most recent baskets are kept, this many.
        files_per_week: partitions that the customers are spread over.
        mission_model: version of the model that made the tags.
    """
    visits = baskets.where(F.col("customer").isNotNull()).select(
        *_KEY, "date", "hour", "store", F.col("items.item").alias("items")
    )
    weights = tags.where(F.col("customer").isNotNull()).select(*_KEY, "mission_weights")
    spread = visits.repartition(files_per_week, "customer")
    joined = spread.join(weights.repartition(files_per_week, "customer"), on=list(_KEY), how="left")
    histories = joined.groupBy("customer").agg(
        F.collect_set("date").alias("dates"),
        F.sort_array(F.collect_list(F.when(F.size("items") > 0, _basket()))).alias("history"),
    )
    sliced = histories.select("customer", F.inline(_as_of(weeks, window_weeks, max_baskets)))
    sliced = sliced.withColumn("mission_model", F.lit(mission_model).cast("string"))
    return sliced.select(*names("customer_sequences")).sortWithinPartitions("week", "customer")


def _basket() -> Column:
    """A basket so that sorting by its fields in turn is the order of the sequence."""
    return F.struct(
        "date",
        "hour",
        F.xxhash64("store", "items").alias("tie_break"),
        F.array_sort("items").alias("items"),
        F.coalesce("mission_weights", F.array().cast("array<float>")).alias("mission_weights"),
    )


def _as_of(weeks: Sequence[date], window_weeks: int, max_baskets: int) -> Column:
    """week, baskets_seen, baskets: one entry per week in whose window the customer came."""
    windows = [(week, week - timedelta(weeks=window_weeks - 1), week + timedelta(days=6)) for week in weeks]
    fields = ("week", "first", "last")
    asked = F.array(
        *(F.struct(*(F.lit(day).alias(name) for name, day in zip(fields, one, strict=True))) for one in windows)
    )

    def known(week: Column) -> Column:
        return F.exists("dates", lambda day: day.between(week["first"], week["last"]))

    def row(week: Column) -> Column:
        before = F.size(F.filter("history", lambda basket: basket["date"] < week["first"]))
        seen = F.size(F.filter("history", lambda basket: basket["date"] <= week["last"])) - before
        kept = F.least(seen, F.lit(max_baskets))
        recent = F.slice("history", before + seen - kept + 1, kept)
        return F.struct(
            week["week"].alias("week"), seen.alias("baskets_seen"), F.transform(recent, _kept).alias("baskets")
        )

    return F.transform(F.filter(asked, known), row)


def _kept(basket: Column) -> Column:
    return F.struct(*(basket[name].alias(name) for name in ("date", "hour", "items", "mission_weights")))


def basket_kinds(baskets: DataFrame) -> DataFrame:
    """One row per week: its baskets, and those that no sequence holds: anonymous ones, and ones without merchandise."""
    anonymous = F.col("customer").isNull()
    return (
        baskets.groupBy("week")
        .agg(
            F.count(F.lit(1)).alias("baskets"),
            F.count_if(anonymous).alias("anonymous"),
            F.count_if(~anonymous & (F.size("items") == 0)).alias("without_merchandise"),
        )
        .orderBy("week")
    )
