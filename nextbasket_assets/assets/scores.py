"""What customers will do next: the ranked list for the next trip, and when that trip is to be expected."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from nextbasket_assets.assets.next_basket import MODEL
from nextbasket_assets.assets.publishing import (
    audited,
    claim_specs,
    published,
    run_weeks,
    show,
    staged,
    table_spec,
    tag_run,
    versions,
)
from nextbasket_assets.assets.run_config import ScoringConfig
from nextbasket_assets.assets.shop_settings import settled
from nextbasket_assets.lake import artifacts, registry, reports
from nextbasket_assets.lake.copies import local_files, local_folder, new_folder
from nextbasket_assets.lake.missions import mission_ids
from nextbasket_assets.lake.registry import Decision
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_assets.resources.spark import SparkResource, StageReport, merged

if TYPE_CHECKING:
    from nextbasket_assets.recommender.scoring import ScoringReport


@dg.multi_asset(
    specs=[
        table_spec(
            "next_basket_scores",
            "next_basket",
            {"pytorch"},
            "For every customer known at the end of the week exactly k items: rank, probability, reason, and what scored.",
            deps=["customer_sequences", MODEL, "model_evaluation"],
        )
    ],
    check_specs=claim_specs("next_basket_scores"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def next_basket_scores(
    context: dg.AssetExecutionContext,
    config: ScoringConfig,
    spark: SparkResource,
    lake: LakeResource,
    landing: LandingResource,
) -> Iterator[Any]:
    """Score each week's customers with the champion as of that week."""
    table, k = "next_basket_scores", settled(context, config, landing).k
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "customer_sequences", "model_registry")
    with staged(tables, context, table) as folders:
        if spark.score_on_spark:
            scored, report = _on_spark(spark, tables, table, folders[table], weeks, lambda _: {"k": k})
        else:
            scored = {week: _score(tables, folders[table], week, k) for week in weeks}
            report = spark.run("audit", {}, folders, weeks=[week.isoformat() for week in weeks])
        yield from audited(report, table, weeks)
        for week, found in scored.items():
            page = dg.MetadataValue.path(tables.uri(reports.place(week)))
            show(context, table, week, {**_scored(found), "mean_probability": found.mean_probability, "report": page})
        tag_run(context, model_version=scored[weeks[-1]].model_version)
        yield published(tables, context, table, folders[table], weeks, inputs, report)


def _score(lake: Lake, folder: str, week: date, k: int) -> "ScoringReport":
    """Write one week's lists here."""
    from nextbasket_assets.recommender.scoring import score

    with _opened(lake, folder, week) as (files, artifact, output):
        return score(files, week, artifact, output, k)


def _scored(report: "ScoringReport") -> dict[str, Any]:
    """What scores and outlooks say about themselves."""
    return {
        "model_version": report.model_version,
        "missions_known": report.missions_known,
        "rows_in": report.customers_read,
        "rows_out": report.customers,  # every known customer gets a list; what varies is who made it
        "fallback_share": report.fallback_customers / max(report.customers, 1),
    }


@dg.multi_asset(
    specs=[
        table_spec(
            "next_trip_outlook",
            "next_basket",
            {"pytorch"},
            "For every customer known at the end of the week: whether they come within 7 days, when they are expected, "
            "what for, and how many items they will buy.",
            deps=["customer_sequences", MODEL, "model_evaluation"],
        )
    ],
    check_specs=claim_specs("next_trip_outlook"),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def next_trip_outlook(context: dg.AssetExecutionContext, spark: SparkResource, lake: LakeResource) -> Iterator[Any]:
    """Foretell the next trip of each week's customers with the champion as of that week."""
    table = "next_trip_outlook"
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, "customer_sequences", "model_registry")
    with staged(tables, context, table) as folders:
        if spark.score_on_spark:
            named = lambda week: {"missions": _mission_ids(tables, week)}  # noqa: E731
            told, report = _on_spark(spark, tables, table, folders[table], weeks, named)
        else:
            told = {week: _foretell(tables, folders[table], week) for week in weeks}
            report = spark.run("audit", {}, folders, weeks=[week.isoformat() for week in weeks])
        yield from audited(report, table, weeks)
        for week, found in told.items():
            show(context, table, week, {**_scored(found), "mean_visit_within_7_days": found.mean_probability})
        yield published(tables, context, table, folders[table], weeks, inputs, report)


def _foretell(lake: Lake, folder: str, week: date) -> "ScoringReport":
    """Write one week's outlooks here."""
    from nextbasket_assets.recommender.histories import mission_model_of
    from nextbasket_assets.recommender.scoring import foretell

    with _opened(lake, folder, week) as (files, artifact, output):
        missions = mission_ids(lake, mission_model_of(files))
        return foretell(files, week, artifact, output, missions)


def _mission_ids(lake: Lake, week: date) -> list[str]:
    """Ids of the missions that a week's sequences are in the terms of."""
    from nextbasket_assets.recommender.histories import mission_model_of

    with local_files(lake, lake.require("customer_sequences", [week])) as files:
        return mission_ids(lake, mission_model_of(files))


def _on_spark(
    spark: SparkResource,
    lake: Lake,
    table: str,
    folder: str,
    weeks: Sequence[date],
    options: Callable[[date], dict[str, Any]],
) -> tuple[dict[date, "ScoringReport"], StageReport]:
    """Write every week's rows on Spark's workers, each week with the champion as of it."""
    from nextbasket_assets.recommender.scoring import ScoringReport

    reports = {}
    for index, week in enumerate(weeks):
        champion = _champion(lake, week)
        reports[week] = spark.run(
            table,
            {"customer_sequences": lake.require("customer_sequences", [week])},
            {table: f"{folder}/{index}"},
            weeks=[week.isoformat()],
            model=lake.uri(champion.artifact) if champion else None,
            **options(week),
        )
    return {week: ScoringReport(**one.metrics) for week, one in reports.items()}, merged(list(reports.values()))


def _champion(lake: Lake, week: date) -> Decision | None:
    """The champion as of a week, its files verified."""
    champion = registry.champion(lake, MODEL, week)
    if champion:
        artifacts.verify(lake, champion.artifact, champion.digest)
    return champion


@contextmanager
def _opened(lake: Lake, folder: str, week: date) -> Iterator[tuple[list[str], str | None, str]]:
    """A week's sequences, the champion as of it, and the folder for the week's rows, all as local paths."""
    champion = _champion(lake, week)
    with (
        local_files(lake, lake.require("customer_sequences", [week])) as files,
        local_folder(lake, champion.artifact if champion else None) as artifact,
        new_folder(lake, f"{folder.removeprefix(lake.root + '/')}/week={week}") as output,
    ):
        yield files, artifact, output
