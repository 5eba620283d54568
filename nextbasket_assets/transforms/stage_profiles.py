"""The stage from tagged baskets to mission_profiles: what is read, written and counted around the pure functions."""

from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.transforms import agreement, profile_measures, profile_trends, profiles
from nextbasket_assets.transforms.profiles import ROW, ProfileSettings
from nextbasket_assets.transforms.tables import read, week_iso, write

_TAG = ("week", "basket", "mission", "confidence", "known_items", "mission_model")
_INPUTS = ("staged_baskets", "mission_tagged_baskets", "mission_history", "raw_transactions")


def mission_profiles(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Tagged baskets to mission_profiles of the weeks asked for.

    Inputs: staged_baskets and mission_tagged_baskets of those weeks and of up to `look_back_weeks` before each,
    raw_transactions of those weeks (for the categories of items), mission_history of the models that tagged them.

    Parameters:
        weeks: Mondays, any number.
        any field of ProfileSettings, by name.
    """
    parameters, inputs = plan["parameters"], plan["inputs"]
    given = {name: parameters[name] for name in asdict(ProfileSettings()) if name in parameters}
    settings = replace(ProfileSettings(), **given)
    weeks = [date.fromisoformat(week) for week in parameters["weeks"]]
    tables = {table: read(spark, table, inputs.get(table, [])) for table in _INPUTS}
    asked = F.col("week").isin(weeks)
    tags = tables["mission_tagged_baskets"].select(*_TAG)
    staged = tables["staged_baskets"].where(asked)
    with ExitStack() as kept:
        visits = _kept(kept, staged.join(tags, on=["week", "basket"], how="left"))
        counts = {week_iso(row["week"]): row.asDict() for row in _counts(visits).collect()}
        tables["visits"] = visits.where(F.col("mission").isNotNull())
        rows = _rows(kept, tables, weeks, settings)
        write(_with_model(rows, tags.where(asked)), "mission_profiles", plan["outputs"]["mission_profiles"])
    return {
        "written": ("mission_profiles",),
        "counts": {week: _audit(found) for week, found in counts.items()},
        "metrics": {},
    }


def _kept(kept: ExitStack, frame: DataFrame) -> DataFrame:
    """The frame, computed once until the block ends: several of the profile's sections read it."""
    held = frame.persist(StorageLevel.MEMORY_AND_DISK)
    kept.callback(held.unpersist)
    return held


def _rows(kept: ExitStack, tables: dict[str, DataFrame], weeks: list[date], settings: ProfileSettings) -> DataFrame:
    asked = F.col("week").isin(weeks)
    visits, tags = tables["visits"], tables["mission_tagged_baskets"]
    earliest = min(weeks) - timedelta(weeks=settings.look_back_weeks)
    recent = tables["mission_history"].where(F.col("basket_week") >= F.lit(earliest))
    line = _kept(kept, profile_trends.timeline(tags, recent, settings).where(F.col("asked").isin(weeks)))
    told = (
        profiles.attribute_facts(visits),
        profiles.category_facts(visits, tables["raw_transactions"].where(asked)),
        profiles.item_facts(visits),
        profiles.transition_facts(tables["staged_baskets"], line, settings),
    )
    counts = _kept(kept, profiles.level_counts(reduce(DataFrame.unionByName, told)))
    parts = (
        profiles.most_typical(profiles.index_rows(counts, settings), settings.top_items),
        profile_measures.overall_rows(visits),
        profile_trends.trend_rows(line),
        profile_trends.drift_rows(tags.where(asked), tables["mission_history"], settings),
        agreement.agreement_rows(visits),
    )
    return reduce(DataFrame.unionByName, [part.select(*ROW) for part in parts])


def _with_model(rows: DataFrame, tags: DataFrame) -> DataFrame:
    """The rows with the model that tagged their week, in the table's order, one file per week."""
    models = tags.groupBy("week").agg(F.max("mission_model").alias("mission_model"))
    one_task_per_week = rows.join(F.broadcast(models), on=["week"], how="inner").repartition("week")
    return one_task_per_week.sortWithinPartitions("week", "section", "name", "mission", "level")


def _counts(visits: DataFrame) -> DataFrame:
    untagged = F.count_if(F.col("mission").isNull()).alias("untagged")
    return visits.groupBy("week").agg(F.count(F.lit(1)).alias("baskets"), untagged).orderBy("week")


def _audit(found: dict[str, int]) -> dict[str, Any]:
    removed = {"untagged": found["untagged"]}
    return {"rows_in": found["baskets"], "removed": removed, "rows_out": found["baskets"] - found["untagged"]}
