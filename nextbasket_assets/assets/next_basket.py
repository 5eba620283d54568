"""Next basket: every customer's history, the network that learns from it, and the ranked list for the next trip."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nextbasket_assets.assets.missions import eras
from nextbasket_assets.assets.publishing import (
    audited,
    claim_specs,
    published,
    run_weeks,
    staged,
    table_spec,
    versions,
)
from nextbasket_assets.lake.registry import Decision
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

MODEL = "rnn_model"


class SequenceConfig(dg.Config):
    """How much of a customer's history is kept."""

    window_weeks: int = 104
    """Weeks of history that are read, up to the week itself."""
    max_baskets: int = 200
    """Most recent baskets kept per customer; older ones are counted, not kept."""


class ScoringConfig(dg.Config):
    """What is published for a customer."""

    k: int = 20
    """Items on every customer's list."""


@dg.multi_asset(
    specs=[
        table_spec(
            "customer_sequences",
            "next_basket",
            {"spark"},
            "One row per customer known at the end of the week: their most recent baskets in time order.",
            deps=["mission_tagged_baskets", "mission_history"],
        )
    ],
    check_specs=claim_specs("customer_sequences"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def customer_sequences(
    context: dg.AssetExecutionContext, config: SequenceConfig, spark: SparkResource, lake: LakeResource
) -> Iterator[Any]:
    """Gather each customer's baskets up to each week."""
    table = "customer_sequences"
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "staged_baskets", "mission_tagged_baskets", "mission_history")
    with staged(tables, context, table) as folders:
        report = merged(
            [
                _sequences(spark, tables, config, f"{folders[table]}/{index}", model, era)
                for index, (model, era) in enumerate(eras(tables, weeks))
            ]
        )
        yield from audited(report, table, weeks)
        yield published(tables, context, table, folders[table], weeks, inputs, report)


def _sequences(
    spark: SparkResource,
    lake: Lake,
    config: SequenceConfig,
    folder: str,
    model: Decision | None,
    weeks: list[date],
) -> StageReport:
    """Sequences of weeks that share one mission model: its history up to its own week, the weekly tags after it."""
    first, last = weeks[0] - timedelta(weeks=config.window_weeks - 1), weeks[-1]
    window = [week for week in lake.weeks("staged_baskets") if first <= week <= last]
    lake.require("staged_baskets", weeks)
    since = [week for week in window if model and week > model.week]
    return spark.run(
        "customer_sequences",
        {
            "staged_baskets": lake.files("staged_baskets", window),
            "mission_history": lake.files("mission_history", [model.week]) if model else [],
            "mission_tagged_baskets": lake.files("mission_tagged_baskets", since),
        },
        {"customer_sequences": folder},
        weeks=[week.isoformat() for week in weeks],
        max_baskets=config.max_baskets,
        mission_model=model.version if model else None,
    )
