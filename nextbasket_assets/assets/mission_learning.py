"""Learning a mission model as of a week: the sample that Spark draws, the choice, the files and rows that are kept."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from nextbasket_assets.assets.publishing import picture, versions
from nextbasket_assets.code_version import code_version
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.housekeeping import fresh_model
from nextbasket_assets.lake.publish import scratch
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.mission_plots import candidates_png
from nextbasket_assets.resources.landing import LandingResource, read_optional, usable_catalogue
from nextbasket_assets.resources.spark import SparkResource, StageReport

if TYPE_CHECKING:
    from nextbasket_assets.missions.documents import Documents
    from nextbasket_assets.missions.learning import Learnt, Naming, Vocabulary
    from nextbasket_assets.missions.model import MissionModel

MODEL = "mission_model"
LEARNT = ("mission_topics", "mission_identities", "mission_candidates")


class MissionConfig(dg.Config):
    """How the mission model is chosen and fitted: which baskets it reads, and the fields of `missions.choosing`."""

    window_weeks: int = Field(default=52, description="Training window: this many weeks up to the as-of week.")
    min_item_baskets: int = Field(default=20, description="Items in fewer baskets of the window are unknown.")
    min_known_items: int = Field(default=2, description="Baskets with fewer known items teach nothing.")
    max_baskets: int = Field(default=30_000, description="Baskets that a fit reads at most: a stable sample.")
    k: int | None = Field(default=None, description="Number of missions; empty: the evidence chooses.")
    candidates: list[int] = Field(default=[2, 3, 4, 5, 6, 8, 10, 12, 15, 20], description="Numbers tried, rising.")
    item_priors: list[float] = Field(default=[0.05, 0.2], description="Tried for the chosen number; smaller: purer.")
    seeds: int = Field(default=3, description="Fits of each candidate with different seeds.")
    restarts: int = Field(default=5, description="Fits of the chosen candidate; the best one is kept.")
    sweeps: int = Field(default=100, description="Passes of each fit over its baskets.")
    max_fits: int = Field(default=80, description="Budget: no candidate is begun that needs more fits in all.")
    seed: int = Field(default=1, description="Seed of the sample and of the first fit.")
    memory: float = Field(default=1.0, description="What the former model knew, as a share of the new baskets' items.")
    least_share: float = Field(default=0.01, description="A mission of a smaller share of the items has vanished.")
    topic_items: int = Field(default=200, description="Most probable items of a mission that mission_topics lists.")


def learn(
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
    settings = ChoiceSettings(**fields)
    former = load(lake, champion) if champion else None
    learnt = learning.learn(version, documents, vocabulary, settings, naming, former, context.log.info)
    write_rows(lake, "mission_topics", folders["mission_topics"], week, learnt.model.topic_rows(config.topic_items))
    write_rows(lake, "mission_identities", folders["mission_identities"], week, learnt.identity_rows())
    candidates = model.candidate_rows(version, learnt.choice.candidates, learnt.choice.chosen)
    write_rows(lake, "mission_candidates", folders["mission_candidates"], week, candidates)
    counts = _fit_counts(report, sum(lake.rows("staged_baskets")[held] for held in window))
    metrics = {**counts, **learnt.metrics()}
    artifact = f"models/{MODEL}/{version}-{context.run.run_id[:8]}"
    content = model.files(learnt.model, config.model_dump(), metrics, learnt.choice.why)
    with fresh_model(lake, artifact):
        digest = artifacts.write(lake, artifact, content)
    decision = Decision(
        week=week,
        name=MODEL,
        version=version,
        decision=PROMOTED,
        why=learnt.choice.why,
        metrics=metrics,
        artifact=artifact,
        digest=digest,
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


def evidence(learnt: "Learnt") -> dict[str, dg.MetadataValue]:
    """The candidates as a picture, the best prior of each number; none where nothing was tried."""
    from nextbasket_assets.missions.model import candidate_rows

    rows = candidate_rows(learnt.model.version, learnt.choice.candidates, learnt.choice.chosen)
    best = {row["k"]: row for row in sorted(rows, key=lambda row: (row["chosen"], row["gain"]))}
    text = "gain and stability of every number of missions that was tried"
    return {"candidates": picture(candidates_png(list(best.values())), text)} if best else {}


def load(lake: Lake, decision: Decision) -> "MissionModel":
    """The mission model of a decision, after its files have been checked."""
    from nextbasket_assets.missions import model

    artifacts.verify(lake, decision.artifact, decision.digest)
    return model.read(lambda name: artifacts.read(lake, decision.artifact, name))


def naming_of(landing: LandingResource) -> "Naming":
    """Names of items and categories from the retailer's products.csv, names of missions from missions.yaml; both optional."""
    from nextbasket_assets.missions.learning import Naming
    from nextbasket_assets.missions.naming import NAMES_FILE, read_names

    folder = landing.folder()
    catalogue = usable_catalogue(folder, dg.get_dagster_logger().warning)
    text = read_optional(folder, NAMES_FILE)
    return Naming(catalogue.names, catalogue.groups, read_names(text) if text else {})


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


def _version(lake: Lake, config: MissionConfig, window: list[date], week: date, champion: Decision | None) -> str:
    """Week and digest of all that decides the model: code, settings, the landed files' content, and the model before."""
    landed = lake.read("landed_files", window).select(["week", "sha256"]).to_pylist()
    before = champion.version if champion else None
    facts = json.dumps([code_version(), config.model_dump(), landed, before], default=str, sort_keys=True)
    return f"{week}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"
