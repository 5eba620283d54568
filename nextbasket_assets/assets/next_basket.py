"""Next basket: every customer's history, the network that learns from it, and the comparison that promotes or refuses it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from nextbasket_assets.assets.missions import eras
from nextbasket_assets.assets.publishing import (
    OWNERS,
    audited,
    claim_specs,
    picture,
    published,
    run_weeks,
    show,
    staged,
    table_spec,
    tidy_models,
    versions,
)
from nextbasket_assets.assets.run_config import SequenceConfig, TrainingRunConfig
from nextbasket_assets.assets.shop_settings import settled
from nextbasket_assets.code_version import code_version
from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.copies import local_files, local_folder, new_folder
from nextbasket_assets.lake.housekeeping import fresh_model
from nextbasket_assets.lake.registry import PROMOTED, REFUSED, TRAINED, Decision
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, LakeError, arrow_schema
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.report.plots import reliability_diagram, training_curve
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

MODEL = "rnn_model"
# The challenger's numbers that the UI plots over weeks; the table has all of them.
PLOTTED = (
    *("recall_at_10", "recall_at_20", "ndcg_at_10", "phr_at_10", "precision_at_10"),
    *("recall_repeat_at_10", "recall_explore_at_10", "calibration_error_at_50"),
    *("calibration_error_7_days_at_50", "calibration_error_visit_at_0"),
)
EVALUATED = arrow_schema(tuple(column for column in TABLES["model_evaluation"] if column.name != WEEK))
CHALLENGER_WINS = "the_challenger_beats_champion_and_baselines"


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
    context: dg.AssetExecutionContext,
    config: SequenceConfig,
    spark: SparkResource,
    lake: LakeResource,
    landing: LandingResource,
) -> Iterator[Any]:
    """Gather each customer's baskets up to each week."""
    table, config = "customer_sequences", settled(context, config, landing)
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
        window_weeks=config.window_weeks,
        max_baskets=config.max_baskets,
        mission_model=model.version if model else None,
    )


@dg.asset(
    name=MODEL,
    deps=["customer_sequences"],
    description="The recommender as of this week: a GRU over baskets with an explicit repeat term. A challenger until "
    "model_evaluation promotes it. Materialised for the weeks that the retraining policy chooses.",
    group_name="next_basket",
    kinds={"pytorch", "model"},
    owners=OWNERS,
    code_version=code_version(),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def rnn_model(
    context: dg.AssetExecutionContext, config: TrainingRunConfig, lake: LakeResource, landing: LandingResource
) -> dg.MaterializeResult:
    """Train one challenger for every week of the run, on the sequences of that week."""
    weeks, tables, config = run_weeks(context), lake.open(), settled(context, config, landing)
    tidy_models(tables, context, MODEL)
    for week in weeks:
        decision = _train(context, config, tables, week)
        registry.record(tables, decision)
        numbers = {"model_version": decision.version, **decision.metrics}
        show(context, MODEL, week, numbers)
    return dg.MaterializeResult(data_version=dg.DataVersion(decision.version))


def _train(context: dg.AssetExecutionContext, config: TrainingRunConfig, lake: Lake, week: date) -> Decision:
    from nextbasket_assets.recommender.training import TrainingConfig, train

    artifact = f"models/{MODEL}/{week}-{context.run.run_id[:8]}"
    sequences = lake.require("customer_sequences", [week])
    with (
        fresh_model(lake, artifact),
        local_files(lake, sequences) as files,
        new_folder(lake, artifact) as folder,
    ):
        settings = TrainingConfig(**config.model_dump())
        report = train(files, week, folder, settings, lambda epoch: context.log.info(str(epoch)))
    losses, recalls = zip(*((epoch.loss, epoch.recall) for epoch in report.epochs), strict=True)
    curve = picture(training_curve(losses, recalls, report.best_epoch), "loss and validation recall after every epoch")
    show(context, MODEL, week, {"training_curve": curve})
    best = report.epochs[report.best_epoch]
    return Decision(
        week=week,
        name=MODEL,
        version=report.version,
        decision=TRAINED,
        why=f"best of {len(report.epochs)} epochs on {report.validation_customers} validation customers",
        metrics={
            "validation_recall_at_10": best.recall,
            "validation_ndcg_at_10": best.ndcg,
            "customers": report.customers,
            "vocabulary": report.vocabulary,
            "training_seconds": round(report.seconds, 1),
        },
        artifact=artifact,
        digest=report.digest,
        inputs=versions(lake, "customer_sequences"),
        run_id=context.run.run_id,
    )


@dg.multi_asset(
    specs=[
        table_spec(
            "model_evaluation",
            "next_basket",
            {"pytorch"},
            "The week's challenger, the champion and the frequency baselines on the same held-out weeks and customers; "
            "the challenger is promoted only when it beats them all.",
            deps=[MODEL, "customer_sequences"],
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            CHALLENGER_WINS,
            asset="model_evaluation",
            description="The challenger beats the champion and every frequency baseline; if not, it is not promoted.",
        )
    ],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def model_evaluation(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    """Compare, decide, and write both down."""
    table = "model_evaluation"
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "customer_sequences", "model_registry")
    with staged(tables, context, table) as folders:
        decisions = []
        for challenger in [_challenger(tables, week) for week in weeks]:
            decisions.append(_evaluate(context, tables, folders[table], challenger))
            registry.record(tables, decisions[-1])  # now: the next week's challenger may have to beat this one
        result = published(tables, context, table, folders[table], weeks, inputs)
    for decision in decisions:
        shown = {name: decision.metrics[name] for name in PLOTTED if name in decision.metrics}
        numbers = {"decision": decision.decision, "why": decision.why, **shown}
        show(context, table, decision.week, numbers)
    yield dg.AssetCheckResult(
        asset_key=table,
        check_name=CHALLENGER_WINS,
        passed=all(decision.decision == PROMOTED for decision in decisions),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={decision.version: f"{decision.decision}: {decision.why}" for decision in decisions},
    )
    yield result


def _challenger(lake: Lake, week: date) -> Decision:
    """The newest model trained as of exactly this week.

    Raises:
        LakeError: there is none.
    """
    challenger = registry.trained(lake, MODEL, week)
    if challenger is None:
        raise LakeError(f"rnn_model: none was trained as of {week}. Materialise rnn_model for that week first.")
    return challenger


def _evaluate(context: dg.AssetExecutionContext, lake: Lake, folder: str, challenger: Decision) -> Decision:
    """Evaluate a challenger as of its week, and turn the gate's word into a decision."""
    from nextbasket_assets.recommender.evaluation import evaluate

    week = challenger.week
    rival = registry.promoted(lake, MODEL, week, besides=challenger.version)
    for model in filter(None, (challenger, rival)):
        artifacts.verify(lake, model.artifact, model.digest)
    with (
        local_files(lake, lake.require("customer_sequences", [week])) as files,
        local_folder(lake, challenger.artifact) as ours,
        local_folder(lake, rival.artifact if rival else None) as theirs,
    ):
        assert ours is not None  # a challenger has an artifact
        report = evaluate(files, week, ours, theirs)
    write_staged(lake, "model_evaluation", folder, week, pa.Table.from_pylist(report.rows, schema=EVALUATED))
    if report.reliability:
        shown = {"reliability": picture(reliability_diagram(report.reliability), "what was said against what happened")}
        show(context, "model_evaluation", week, shown)
    return replace(
        challenger,
        decision=PROMOTED if report.decision.promote else REFUSED,
        why=report.decision.why,
        metrics={
            f"{row['metric']}_at_{row['k']}": row["value"]
            for row in report.rows
            if row["method"] == "challenger" and row["decile"] is None
        },
        inputs=versions(lake, "customer_sequences"),
        run_id=context.run.run_id,
    )
