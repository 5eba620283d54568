"""Missions: why people shop. A topic model over baskets, and every basket's share of each mission.

A week is tagged by the newest promoted model whose as-of week is not later, so no tag knows the future. A new model also
tags the whole history up to its week (`mission_history`), which keeps every customer's sequence in one model's terms.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from nextbasket_assets.assets.audit import reconciled
from nextbasket_assets.assets.mission_learning import LEARNT, MODEL, evidence, learn, naming_of
from nextbasket_assets.assets.publishing import (
    OWNERS,
    audited,
    claim_specs,
    published,
    run_weeks,
    show,
    staged,
    table_spec,
    tidy_models,
    versions,
)
from nextbasket_assets.assets.run_config import MissionConfig
from nextbasket_assets.assets.shop_settings import settled
from nextbasket_assets.code_version import code_version
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.registry import Decision
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

if TYPE_CHECKING:
    from nextbasket_assets.missions.learning import Learnt

STRUCTURE = "missions_foretell_baskets_of_held_out_customers"
_BASKETS_PER_FILE = 1_000_000  # of a history: a Spark task sorts and writes each file


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            MODEL,
            deps=["staged_baskets"],
            description="The shopping missions as of this week: how many there are, what is bought on them, their ids and "
            "names. Chosen by held-out customers, fitted by Gibbs sampling, matched with the former model's. "
            "Materialised for the weeks that the retraining policy chooses.",
            group_name="missions",
            kinds={"spark", "model"},
            owners=OWNERS,
            code_version=code_version(),
        ),
        table_spec(
            "mission_topics", "missions", {"python"}, "The items of each mission: probability, lift and rank.", [MODEL]
        ),
        table_spec(
            "mission_identities",
            "missions",
            {"python"},
            "Each mission's id and name, and what became of the former model's missions: kept, or retired.",
            [MODEL],
        ),
        table_spec(
            "mission_candidates",
            "missions",
            {"python"},
            "Every number of missions that was tried, with the evidence that decided.",
            [MODEL],
        ),
    ],
    check_specs=[
        *claim_specs(*LEARNT),
        dg.AssetCheckSpec(
            STRUCTURE,
            asset="mission_candidates",
            description="Missions foretell baskets of held-out customers better than the items' shares do.",
        ),
    ],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def mission_model(
    context: dg.AssetExecutionContext,
    config: MissionConfig,
    spark: SparkResource,
    lake: LakeResource,
    landing: LandingResource,
) -> Iterator[Any]:
    """Learn one model for every week of the run, on the baskets up to that week."""
    weeks, tables, config = run_weeks(context), lake.open(), settled(context, config, landing)
    inputs = versions(tables, "staged_baskets", "raw_transactions", "model_registry")
    naming = naming_of(landing)
    tidy_models(tables, context, MODEL)
    with staged(tables, context, *LEARNT) as folders:
        learnt: dict[date, tuple[Learnt, Decision]] = {}
        for week in weeks:
            decided = [decision for _, decision in learnt.values()]
            learnt[week] = learn(context, config, spark, tables, folders, naming, week, decided)
        audit = {table: folders[table] for table in LEARNT}
        report = spark.run("audit", {}, audit, weeks=[week.isoformat() for week in weeks])
        for table in LEARNT:
            yield from audited(report, table, weeks)
        results = [published(tables, context, table, folders[table], weeks, inputs, report) for table in LEARNT]
    for week, (found, decision) in learnt.items():
        registry.record(tables, decision)
        numbers = {"model_version": decision.version, "why": decision.why, **decision.metrics, **evidence(found)}
        show(context, MODEL, week, numbers)
    yield dg.AssetCheckResult(
        asset_key="mission_candidates",
        check_name=STRUCTURE,
        passed=all(found.choice.structure for found, _ in learnt.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={decision.version: decision.why for _, decision in learnt.values()},
    )
    yield dg.MaterializeResult(MODEL, data_version=data_version([decision for _, decision in learnt.values()]))
    yield from results


@dg.multi_asset(
    specs=[
        table_spec(
            "mission_history",
            "missions",
            {"spark"},
            "Every basket up to this week, tagged by the model of this week: the history in one model's terms.",
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


def data_version(decisions: Sequence[Decision]) -> dg.DataVersion:
    """A week's is its model's version; weeks of one run share theirs, a digest of all their models' versions."""
    versions_ = [decision.version for decision in decisions]
    if len(versions_) == 1:
        return dg.DataVersion(versions_[0])
    return dg.DataVersion(hashlib.sha256(" ".join(versions_).encode()).hexdigest()[:16])


def eras(lake: Lake, weeks: list[date]) -> list[tuple[Decision | None, list[date]]]:
    """The weeks grouped by the mission model in force; None stands for the weeks before the first one."""
    grouped: dict[str, tuple[Decision | None, list[date]]] = {}
    for week, model in registry.champions(lake, MODEL, weeks).items():
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
    parameters: dict[str, Any] = {"weeks": [week.isoformat() for week in weeks]}
    if model and table == "mission_history":
        rows = lake.rows("staged_baskets")
        files = -(-sum(rows[week] for week in weeks) // _BASKETS_PER_FILE)
        parameters = {"weeks": [model.week.isoformat()], "files_per_week": max(1, files)}
    return spark.run(
        "tag_baskets",
        {"staged_baskets": lake.require("staged_baskets", weeks)},
        {table: folder},
        **parameters,
        model=lake.uri(model.artifact) if model else None,
    )


def _name(model: Decision | None) -> str:
    return model.version if model else "no-model"
