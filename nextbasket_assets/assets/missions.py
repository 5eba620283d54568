"""Missions: why people shop. A topic model over baskets, and every basket's share of each mission.

A week is tagged by the newest promoted model whose as-of week is not later, so no tag knows the future. A new model also
tags the history it was trained on (`mission_history`), which keeps every customer's sequence in one model's terms.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

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
    versions,
)
from nextbasket_assets.code_version import code_version
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.publish import scratch, write_staged
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.landing import LandingResource, catalogue_of, read_optional
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

if TYPE_CHECKING:
    from nextbasket_assets.missions.documents import Documents
    from nextbasket_assets.missions.learning import Learnt, Naming, Vocabulary
    from nextbasket_assets.missions.model import MissionModel

MODEL = "mission_model"
LEARNT = ("mission_topics", "mission_identities", "mission_candidates")
STRUCTURE = "missions_foretell_baskets_of_held_out_customers"


class MissionConfig(dg.Config):
    """How the mission model is chosen and fitted: which baskets it reads, and the fields of `missions.choosing`."""

    window_weeks: int = Field(default=52, description="Training window: this many weeks up to the as-of week.")
    min_item_baskets: int = Field(default=20, description="Items in fewer baskets of the window are unknown.")
    min_known_items: int = Field(default=2, description="Baskets with fewer known items teach nothing.")
    max_baskets: int = Field(default=40_000, description="Baskets that a fit reads at most: a stable sample.")
    k: int | None = Field(default=None, description="Number of missions; empty: the evidence chooses.")
    candidates: list[int] = Field(default=[2, 3, 4, 5, 6, 8, 10, 12, 15, 20], description="Numbers tried, rising.")
    item_priors: list[float] = Field(default=[0.05, 0.2], description="Tried for the chosen number; smaller: purer.")
    seeds: int = Field(default=3, description="Fits of each candidate with different seeds.")
    restarts: int = Field(default=6, description="Fits of the chosen candidate; the best one is kept.")
    sweeps: int = Field(default=150, description="Passes of each fit over its baskets.")
    max_fits: int = Field(default=80, description="Budget: no candidate is begun that needs more fits in all.")
    seed: int = Field(default=1, description="Seed of the sample and of the first fit.")
    memory: float = Field(default=0.1, description="What the former model knew, as a share of the new baskets' items.")
    least_share: float = Field(default=0.01, description="A mission of a smaller share of the baskets has vanished.")
    topic_items: int = Field(default=200, description="Most probable items of a mission that mission_topics lists.")


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
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "staged_baskets", "raw_transactions", "model_registry")
    naming = _naming(landing)
    with staged(tables, context, *LEARNT) as folders:
        learnt = {week: _learn(context, config, spark, tables, folders, naming, week) for week in weeks}
        audit = {table: folders[table] for table in LEARNT}
        report = spark.run("audit", {}, audit, weeks=[week.isoformat() for week in weeks])
        for table in LEARNT:
            yield from audited(report, table, weeks)
        results = [published(tables, context, table, folders[table], weeks, inputs) for table in LEARNT]
    for week, (found, decision) in learnt.items():
        registry.record(tables, decision)
        numbers = {"model_version": decision.version, "why": decision.why, **decision.metrics}
        context.add_asset_metadata(numbers, asset_key=MODEL, partition_key=week.isoformat())
    yield dg.AssetCheckResult(
        asset_key="mission_candidates",
        check_name=STRUCTURE,
        passed=all(found.choice.structure for found, _ in learnt.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={decision.version: decision.why for _, decision in learnt.values()},
    )
    yield dg.MaterializeResult(MODEL, data_version=dg.DataVersion(decision.version))
    yield from results


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


def _learn(
    context: dg.AssetExecutionContext,
    config: MissionConfig,
    spark: SparkResource,
    lake: Lake,
    folders: Mapping[str, str],
    naming: "Naming",
    week: date,
) -> tuple["Learnt", Decision]:
    """Learn one model, stage its tables, seal its folder, and decide: a model whose claims hold is promoted."""
    from nextbasket_assets.missions import learning, model
    from nextbasket_assets.missions.choosing import ChoiceSettings

    first = week - timedelta(weeks=config.window_weeks - 1)
    window = [held for held in lake.weeks("staged_baskets") if first <= held <= week]
    champion = registry.promoted(lake, MODEL, week - timedelta(weeks=1))
    version = _version(lake, config, window, week, champion)
    documents, vocabulary, report = _documents(context, config, spark, lake, sorted({*window, week}))
    fields = config.model_dump(include={field.name for field in dataclasses.fields(ChoiceSettings)})
    settings = ChoiceSettings(**{name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()})
    former = load(lake, champion) if champion else None
    learnt = learning.learn(version, documents, vocabulary, settings, naming, former, context.log.info)
    write_staged(lake, "mission_topics", folders["mission_topics"], week, learnt.model.rows(config.topic_items))
    write_staged(lake, "mission_identities", folders["mission_identities"], week, learnt.identity_rows())
    candidates = model.candidate_rows(version, learnt.choice.candidates, learnt.choice.chosen)
    write_staged(lake, "mission_candidates", folders["mission_candidates"], week, candidates)
    counts = _fit_counts(report, sum(lake.rows("staged_baskets")[held] for held in window))
    metrics = {**counts, **learnt.metrics()}
    artifact = f"models/{MODEL}/{version}-{context.run.run_id[:8]}"
    content = model.files(learnt.model, config.model_dump(), metrics, learnt.choice.why)
    decision = Decision(
        week=week,
        name=MODEL,
        version=version,
        decision=PROMOTED,
        why=learnt.choice.why,
        metrics=metrics,
        artifact=artifact,
        digest=artifacts.write(lake, artifact, content),
        inputs=versions(lake, "staged_baskets", "raw_transactions"),
        run_id=context.run.run_id,
    )
    return learnt, decision


def _documents(
    context: dg.AssetExecutionContext, config: MissionConfig, spark: SparkResource, lake: Lake, window: list[date]
) -> tuple["Documents", "Vocabulary", StageReport]:
    """The sample of the window's baskets, made by Spark, read into this process, and gone again."""
    from nextbasket_assets.missions.documents import from_table
    from nextbasket_assets.missions.learning import Vocabulary

    with scratch(lake, context.run.run_id) as folder:
        report = spark.run(
            "mission_documents",
            {table: lake.require(table, window) for table in ("staged_baskets", "raw_transactions")},
            {name: lake.uri(folder, name) for name in ("documents", "vocabulary")},
            weeks=[window[-1].isoformat()],
            **config.model_dump(include={"seed", "min_item_baskets", "min_known_items", "max_baskets"}),
        )
        documents, items = (lake.read_folder(f"{folder}/{name}") for name in ("documents", "vocabulary"))
    columns = (items.sort_by("index")[name].to_pylist() for name in ("item", "group", "baskets"))
    return from_table(documents, items.num_rows), Vocabulary(*columns), report


def load(lake: Lake, decision: Decision) -> "MissionModel":
    """The mission model of a decision, after its files have been checked."""
    from nextbasket_assets.missions import model

    artifacts.verify(lake, decision.artifact, decision.digest)
    return model.read(lambda name: artifacts.read(lake, decision.artifact, name))


def _naming(landing: LandingResource) -> "Naming":
    """Names of items and categories from the retailer's products.csv, names of missions from missions.yaml; both optional."""
    from nextbasket_assets.missions.learning import Naming
    from nextbasket_assets.missions.naming import NAMES_FILE, read_names

    folder = landing.folder()
    catalogue = catalogue_of(folder)
    text = read_optional(folder, NAMES_FILE)
    return Naming(catalogue.names, catalogue.groups, read_names(text.decode()) if text else {})


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


def _version(
    lake: Lake, config: MissionConfig, window: list[date], week: date, champion: Decision | None
) -> str:
    """Week and digest of all that decides the model: code, settings, the landed files' content, and the model before."""
    landed = lake.read("landed_files", window).select(["week", "sha256"]).to_pylist()
    facts = json.dumps([code_version(), config.model_dump(), landed, _name(champion)], default=str, sort_keys=True)
    return f"{week}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def _name(model: Decision | None) -> str:
    return model.version if model else "no-model"
