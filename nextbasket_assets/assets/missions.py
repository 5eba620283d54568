"""Missions: why people shop. A topic model over baskets, and every basket's share of each mission.

A week is tagged by the newest promoted model whose as-of week is not later, so no tag knows the future. A new model also
tags the history it was trained on (`mission_history`), which keeps every customer's sequence in one model's terms.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from nextbasket_assets.assets.audit import reconciled
from nextbasket_assets.assets.publishing import (
    OWNERS,
    audited,
    claim_specs,
    published,
    run_weeks,
    staged,
    table_spec,
    tidy_models,
    versions,
)
from nextbasket_assets.code_version import code_version
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.housekeeping import fresh_model
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

MODEL = "mission_model"


class MissionConfig(dg.Config):
    """How the mission model is fitted; the fields after `window_weeks` are those of `MissionSettings`."""

    window_weeks: int = Field(default=52, description="Training window: this many weeks up to the as-of week.")
    k: int = Field(default=10, description="Number of missions.")
    seed: int = Field(default=1, description="Seed of the sample and of the fit.")
    max_quantity: int = Field(default=3, description="Units of one item that count: a twelve-pack is one mission.")
    min_item_baskets: int = Field(default=20, description="Items in fewer baskets of the window are unknown.")
    min_known_items: int = Field(default=2, description="Baskets with fewer known items teach nothing.")
    max_baskets: int = Field(default=60_000, description="Baskets that the fit reads at most: a stable sample.")
    batch_share: float = Field(default=0.05, description="Share of the sample per iteration.")
    passes: int = Field(default=20, description="Passes over the sample.")
    learning_offset: float = Field(default=64.0, description="Larger: the first batches count less.")
    learning_decay: float = Field(default=0.7, description="How fast later batches count less, above 0.5.")
    document_concentration: float = Field(default=0.1, description="Smaller: fewer missions per basket.")
    topic_concentration: float = Field(default=0.05, description="Smaller: fewer items per mission.")
    topic_items: int = Field(default=200, description="Most probable items of a mission that mission_topics lists.")


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            MODEL,
            deps=["staged_baskets"],
            description="The shopping missions as of this week: a Spark ML LDA on item counts, with its frozen vocabulary. "
            "Materialised for the weeks that the retraining policy chooses.",
            group_name="missions",
            kinds={"spark", "model"},
            owners=OWNERS,
            code_version=code_version(),
        ),
        table_spec(
            "mission_topics",
            "missions",
            {"spark"},
            "The items of each mission: probability, lift and rank.",
            deps=[MODEL],
        ),
    ],
    check_specs=claim_specs("mission_topics"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def mission_model(
    context: dg.AssetExecutionContext, config: MissionConfig, spark: SparkResource, lake: LakeResource
) -> Iterator[Any]:
    """Fit one model for every week of the run, on the baskets up to that week."""
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "staged_baskets")
    tidy_models(tables, context, MODEL)
    with staged(tables, context, "mission_topics") as folders:
        fits = {week: _fit(context, config, spark, tables, folders["mission_topics"], week) for week in weeks}
        report = merged([report for report, _ in fits.values()])
        yield from audited(report, "mission_topics", weeks)
        topics = published(tables, context, "mission_topics", folders["mission_topics"], weeks, inputs, report)
    for week, (_, decision) in fits.items():
        registry.record(tables, decision)
        numbers = {"model_version": decision.version, **decision.metrics}
        context.add_asset_metadata(numbers, asset_key=MODEL, partition_key=week.isoformat())
    yield dg.MaterializeResult(MODEL, data_version=dg.DataVersion(decision.version))
    yield topics


@dg.multi_asset(
    specs=[
        table_spec(
            "mission_history",
            "missions",
            {"spark"},
            "Every basket of the training window, tagged by the model of this week: the history in one model's terms.",
            deps=[MODEL, "staged_baskets"],
        )
    ],
    check_specs=claim_specs("mission_history"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def mission_history(context: dg.AssetExecutionContext, spark: SparkResource, lake: LakeResource) -> Iterator[Any]:
    """Tag the baskets up to the week with the model of that week."""
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "staged_baskets", "model_registry")
    models = {week: model_of_week(tables, week) for week in weeks}
    history = {week: [held for held in tables.weeks("staged_baskets") if held <= week] for week in weeks}
    with staged(tables, context, "mission_history") as folders:
        report = merged(
            [
                tag(spark, tables, "mission_history", f"{folders['mission_history']}/{week}", model, history[week])
                for week, model in models.items()
            ]
        )
        report = reconciled(tables, report, "mission_history", history)
        yield from audited(report, "mission_history", weeks)
        yield published(tables, context, "mission_history", folders["mission_history"], weeks, inputs, report)


@dg.multi_asset(
    specs=[
        table_spec(
            "mission_tagged_baskets",
            "missions",
            {"spark"},
            "Every basket of the week with its mission weights, its mission and the confidence. A basket without a known "
            "item is 'unassigned'; so is every basket before the first model.",
            deps=["staged_baskets", MODEL],
        )
    ],
    check_specs=claim_specs("mission_tagged_baskets"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def mission_tagged_baskets(
    context: dg.AssetExecutionContext, spark: SparkResource, lake: LakeResource
) -> Iterator[Any]:
    """Tag each week's baskets with the model in force."""
    table = "mission_tagged_baskets"
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "staged_baskets", "model_registry")
    with staged(tables, context, table) as folders:
        report = merged(
            [
                tag(spark, tables, table, f"{folders[table]}/{_name(model)}", model, era)
                for model, era in eras(tables, weeks)
            ]
        )
        report = reconciled(tables, report, table, {week: [week] for week in weeks})
        yield from audited(report, table, weeks)
        yield published(tables, context, table, folders[table], weeks, inputs, report)


def eras(lake: Lake, weeks: list[date]) -> list[tuple[Decision | None, list[date]]]:
    """The weeks grouped by the mission model in force; None stands for the weeks before the first one."""
    grouped: dict[str, tuple[Decision | None, list[date]]] = {}
    for week in weeks:
        model = registry.promoted(lake, MODEL, week)
        grouped.setdefault(_name(model), (model, []))[1].append(week)
    return list(grouped.values())


def model_of_week(lake: Lake, week: date) -> Decision:
    """The promoted model that was trained as of exactly this week.

    Raises:
        LakeError: there is none.
    """
    model = registry.promoted(lake, MODEL, week)
    if model is None or model.week != week:
        raise LakeError(
            f"mission_model: no model as of {week} is promoted. Materialise mission_model for that week first."
        )
    return model


def tag(
    spark: SparkResource, lake: Lake, table: str, folder: str, model: Decision | None, weeks: list[date]
) -> StageReport:
    """Run the tagging stage on the baskets of these weeks, after checking that the model is the one that was promoted."""
    if model:
        artifacts.verify(lake, model.artifact, model.digest)
    return spark.run(
        "tag_baskets",
        {"staged_baskets": lake.require("staged_baskets", weeks)},
        {table: folder},
        weeks=[model.week.isoformat()]
        if model and table == "mission_history"
        else [week.isoformat() for week in weeks],
        model=lake.uri(model.artifact) if model else None,
    )


def _fit(
    context: dg.AssetExecutionContext, config: MissionConfig, spark: SparkResource, lake: Lake, folder: str, week: date
) -> tuple[StageReport, Decision]:
    """Fit one model, seal its folder, and decide about it: a first fit that holds its claims is promoted."""
    first = week - timedelta(weeks=config.window_weeks - 1)
    window = [held for held in lake.weeks("staged_baskets") if first <= held <= week]
    version = _version(lake, config, window, week)
    artifact = f"models/{MODEL}/{version}-{context.run.run_id[:8]}"
    with fresh_model(lake, artifact):
        report = spark.run(
            "mission_model",
            {"staged_baskets": lake.require("staged_baskets", sorted({*window, week}))},
            {"mission_topics": f"{folder}/{week}", "model": lake.uri(artifact)},
            weeks=[week.isoformat()],
            version=version,
            **config.model_dump(exclude={"window_weeks"}),
        )
    decision = Decision(
        week=week,
        name=MODEL,
        version=version,
        decision=PROMOTED,
        why=f"fitted on {len(window)} week(s) up to {week}; every claim about its topics holds",
        metrics=_fit_counts(report, sum(lake.rows("staged_baskets")[held] for held in window)),
        artifact=artifact,
        digest=artifacts.seal(lake, artifact),
        inputs=versions(lake, "staged_baskets"),
        run_id=context.run.run_id,
    )
    return report, decision


def _fit_counts(report: StageReport, baskets: int) -> dict[str, float]:
    """The fit's filter audit: baskets of the window, those left out under a name, and those it learned from."""
    learnable, sampled = report.metrics["learnable_baskets"], report.metrics["baskets"]
    return {
        "rows_in": baskets,
        "removed_few_known_items": baskets - learnable,
        "removed_not_in_sample": learnable - sampled,
        "rows_out": sampled,
        "vocabulary": report.metrics["vocabulary"],
    }


def _version(lake: Lake, config: MissionConfig, window: list[date], week: date) -> str:
    """Week and digest of all that decides the model: code, settings, and the content of the landed files."""
    landed = lake.read("landed_files", window).select(["week", "sha256"]).to_pylist()
    facts = json.dumps([code_version(), config.model_dump(), landed], default=str, sort_keys=True)
    return f"{week}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def _name(model: Decision | None) -> str:
    return model.version if model else "no-model"
