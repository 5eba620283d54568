"""The stage from tagged baskets to mission_profiles: what is read, written and counted around the pure functions."""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.transforms import profile_numbers, profiles
from nextbasket_assets.transforms.agreement import agreement_rows
from nextbasket_assets.transforms.profile_numbers import ProfileRow, ProfileSettings
from nextbasket_assets.transforms.tables import read, schema, week_iso, write

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
        models = {row["week"]: row["model"] for row in _models(tags.where(asked)).collect()}
        write(_table(spark, rows, models), "mission_profiles", plan["outputs"]["mission_profiles"])
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


def _rows(
    kept: ExitStack, tables: dict[str, DataFrame], weeks: list[date], settings: ProfileSettings
) -> list[ProfileRow]:
    """Count on the cluster, finish here.

    What is collected are missions times levels, a few thousand rows a week, and the items of each mission that are in
    `min_item_baskets` of its baskets: as many again as the assortment has, at most, for each mission.
    """
    asked = F.col("week").isin(weeks)
    visits, tags = tables["visits"], tables["mission_tagged_baskets"]
    earliest = min(weeks) - timedelta(weeks=settings.look_back_weeks)
    recent = tables["mission_history"].where(F.col("basket_week") >= F.lit(earliest))
    line = _kept(kept, profiles.timeline(tags, recent, settings).where(F.col("asked").isin(weeks)))
    told = (
        profiles.attribute_facts(visits),
        profiles.category_facts(visits, tables["raw_transactions"].where(asked)),
        profiles.item_facts(visits),
        profiles.transition_facts(tables["staged_baskets"], line),
    )
    levels = profiles.level_counts(reduce(DataFrame.unionByName, told), settings)
    shares = line.groupBy("asked", "week", "mission").agg(F.count(F.lit(1)).alias("baskets"))
    return [
        *profile_numbers.index_rows(_collected(levels), settings),
        *profile_numbers.overall_rows(_collected(profiles.measure_sums(visits))),
        *profile_numbers.trend_rows(_collected(shares)),
        *_drift(tags.where(asked), tables["mission_history"], settings),
        *agreement_rows(_collected(profiles.label_counts(visits))),
    ]


def _collected(counts: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in counts.collect()]


def _drift(tags: DataFrame, history: DataFrame, settings: ProfileSettings) -> list[ProfileRow]:
    trained: dict[str | None, dict[str, int]] = defaultdict(dict)
    for row in profiles.training_counts(history, settings).collect():
        trained[row["mission_model"]][row["mission"]] = row["baskets"]
    weeks: dict[tuple[date, str | None], dict[str, int]] = defaultdict(dict)
    counted = tags.groupBy("week", "mission_model", "mission").agg(F.count(F.lit(1)).alias("baskets"))
    for row in counted.collect():
        weeks[row["week"], row["mission_model"]][row["mission"]] = row["baskets"]
    return [
        row
        for (week, model), found in weeks.items()
        for row in profile_numbers.drift_rows(week, found, trained.get(model, {}))
    ]


def _table(spark: SparkSession, rows: list[ProfileRow], models: dict[date, str | None]) -> DataFrame:
    """The rows with the model that tagged their week, in the table's order, one file per week."""
    values = sorted(rows, key=lambda row: (row.week, row.section, row.name, row.mission, row.level))
    columns = schema("mission_profiles")
    named = [{**asdict(row), "mission_model": models[row.week]} for row in values]
    return spark.createDataFrame([tuple(row[name] for name in columns.names) for row in named], columns).coalesce(1)


def _models(tags: DataFrame) -> DataFrame:
    return tags.groupBy("week").agg(F.max("mission_model").alias("model"))


def _counts(visits: DataFrame) -> DataFrame:
    untagged = F.count_if(F.col("mission").isNull()).alias("untagged")
    return visits.groupBy("week").agg(F.count(F.lit(1)).alias("baskets"), untagged).orderBy("week")


def _audit(found: dict[str, int]) -> dict[str, Any]:
    removed = {"untagged": found["untagged"]}
    return {"rows_in": found["baskets"], "removed": removed, "rows_out": found["baskets"] - found["untagged"]}
