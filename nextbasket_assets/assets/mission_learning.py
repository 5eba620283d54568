"""Learning a mission model as of a week: the sample that Spark draws, the choice, the files and rows that are kept."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from nextbasket_assets.assets.publishing import picture, versions
from nextbasket_assets.assets.run_config import MissionConfig
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


def learn(
    context: dg.AssetExecutionContext,
    config: MissionConfig,
    spark: SparkResource,
    lake: Lake,
    folders: Mapping[str, str],
    naming: "Naming",
    week: date,
    decided: Sequence[Decision] = (),
) -> tuple["Learnt", Decision]:
    """Learn one model, stage its tables, seal its folder, and decide: a model whose claims hold is promoted.

    `decided` are this run's decisions about earlier weeks, which are recorded when all tables of the run are published.
    """
    from nextbasket_assets.missions import learning, model
    from nextbasket_assets.missions.choosing import ChoiceSettings

    first = week - timedelta(weeks=config.window_weeks - 1)
    window = [held for held in lake.weeks("staged_baskets") if first <= held <= week]
    before = newest(registry.promoted(lake, MODEL, week - timedelta(weeks=1)), decided)
    documents, vocabulary, report = _documents(context, config, spark, lake, sorted({*window, week}))
    counts = _fit_counts(report, sum(lake.rows("staged_baskets")[held] for held in window))
    version = version_of(config, week, documents, vocabulary, naming, counts, before)
    fields = config.model_dump(include={field.name for field in dataclasses.fields(ChoiceSettings)})
    settings = ChoiceSettings(**fields)
    former = load(lake, before) if before else None
    given = last_number(lake, [*registry.decisions(lake, MODEL), *decided], version)
    learnt = learning.learn(version, documents, vocabulary, settings, naming, former, context.log.info, given)
    for mission in naming.too_early(learnt.model.last_number):
        context.log.warning(
            f"missions.yaml names {mission}, which no mission has been so far. Correct the id, or take the line out: else "
            f"whichever mission gets that id will be called {naming.given[mission]!r}."
        )
    write_rows(lake, "mission_topics", folders["mission_topics"], week, learnt.model.topic_rows(config.topic_items))
    write_rows(lake, "mission_identities", folders["mission_identities"], week, learnt.identity_rows())
    candidates = model.candidate_rows(version, learnt.choice.candidates, learnt.choice.chosen)
    write_rows(lake, "mission_candidates", folders["mission_candidates"], week, candidates)
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


def newest(promoted: Decision | None, decided: Sequence[Decision]) -> Decision | None:
    """The model in force before a week: the registry's, or the one that this run has just decided, if it is as new."""
    return max([*([promoted] if promoted else []), *decided][::-1], key=lambda decision: decision.week, default=None)


def last_number(lake: Lake, decisions: Sequence[Decision], version: str) -> int:
    """The number of the youngest mission id ever given, by models without a successor too.

    A version that is made again gets the ids that it had: what was decided after it does not count.
    """
    versions_ = [decision.version for decision in decisions]
    earlier = decisions[: versions_.index(version)] if version in versions_ else decisions
    return max((int(_last_number(lake, decision)) for decision in earlier), default=0)


def _last_number(lake: Lake, decision: Decision) -> float:
    known = decision.metrics.get("last_number")  # missing in decisions of older code
    return load(lake, decision).last_number if known is None else known


def version_of(
    config: MissionConfig,
    week: date,
    documents: "Documents",
    vocabulary: "Vocabulary",
    naming: "Naming",
    counts: Mapping[str, float],
    before: Decision | None,
) -> str:
    """Week and digest of all that decides the model: code, settings, its baskets, what names are made of, the model before."""
    digest = hashlib.sha256()
    for column in (documents.items_T, documents.sizes_D, documents.held_out_D, documents.half_D):
        digest.update(column.tobytes())
    former = (before.version, before.digest) if before else None
    facts = [code_version(), config.model_dump(), vars(vocabulary), vars(naming), counts, former]
    digest.update(json.dumps(facts, default=dict, sort_keys=True).encode())
    return f"{week}-{digest.hexdigest()[:8]}"
