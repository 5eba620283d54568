"""Baskets: from the lines of a landing file to one row per basket."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pyarrow as pa

from nextbasket_assets.assets.audit import (
    allowed_by_tag,
    conflict_results,
    raw_checks,
    raw_results,
    raw_warnings,
    replay_results,
    staged_checks,
)
from nextbasket_assets.assets.publishing import (
    audited,
    claim_specs,
    published,
    run_weeks,
    show,
    staged,
    table_spec,
    versions,
)
from nextbasket_assets.assets.run_config import StagingConfig
from nextbasket_assets.assets.shop_settings import settled
from nextbasket_assets.lake.pseudonyms import refuse_other
from nextbasket_assets.lake.staged_files import staged_uris, write_staged
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import EMPTY_WEEK, LandingFile
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource, files_of, refuse_changed, usable_calendar
from nextbasket_assets.resources.spark import SparkResource, StageReport


def _iso(weeks: list[date]) -> list[str]:
    return [week.isoformat() for week in weeks]


_RAW = ("raw_transactions", "rejected_lines", "landed_files")


def planned(file: LandingFile, uri: str) -> dict[str, Any]:
    """A landing file as the stage is told of it."""
    found = {"header": list(file.header), "lines": file.lines, "bytes": file.bytes}
    return {"uri": uri, "name": file.name, "week": file.week.isoformat(), **found}


@dg.multi_asset(
    specs=[
        table_spec(
            "raw_transactions",
            "baskets",
            {"spark"},
            "Every accepted line of the week's landing file: typed, matched by column name, with its file and line number.",
        ),
        table_spec(
            "rejected_lines",
            "baskets",
            {"spark"},
            "Every other line, as delivered, with the first rule it breaks. Lines in = accepted + rejected.",
            deps=["raw_transactions"],
        ),
        table_spec(
            "landed_files",
            "baskets",
            {"python"},
            "Which file, with which content, each week was made from.",
            deps=["raw_transactions"],
        ),
    ],
    check_specs=[*claim_specs("raw_transactions", "rejected_lines"), *raw_checks()],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def raw_transactions(
    context: dg.AssetExecutionContext, landing: LandingResource, spark: SparkResource, lake: LakeResource
) -> Iterator[Any]:
    """Read the weeks' landing files."""
    weeks, tables, folder = run_weeks(context), lake.open(), landing.folder()
    listed, files = folder.list(), files_of(folder, weeks, allow_empty=EMPTY_WEEK in allowed_by_tag(context))
    # A calendar that cannot be read lists no week: the check about it is red.
    yield from raw_warnings(files, usable_calendar(folder, context.log.warning, unreadable=frozenset()))
    plan = [planned(file, folder.uri(file.name)) for file in files]
    with staged(tables, context, *_RAW) as folders:
        outputs = {table: folders[table] for table in _RAW[:2]}
        hidden = {"pseudonym_key": landing.pseudonym_key} if landing.pseudonym_key else {}
        report = spark.run("raw_transactions", {}, outputs, weeks=_iso(weeks), files=plan, **hidden)
        refuse_changed(folder, listed, files)
        refuse_other(tables, report.metrics["pseudonyms"])
        for table in _RAW[:2]:
            yield from audited(report, table, weeks)
        yield from raw_results(context, tables, report, files)
        for file in files:
            accepted, rejected = (report.rows(table, file.week) for table in _RAW[:2])
            row = {"source_file": file.name, "sha256": file.sha256, "bytes": file.bytes, "lines": file.lines}
            rows = pa.Table.from_pylist([row | {"accepted": accepted, "rejected": rejected}])
            write_staged(tables, "landed_files", folders["landed_files"], file.week, rows)
            landed = _landed(file, rejected)
            for table in _RAW:
                show(context, table, file.week, landed)
        for table in _RAW:
            yield published(tables, context, table, folders[table], weeks, {}, report)


def _landed(file: LandingFile, rejected: int) -> dict[str, float]:
    """What a week's file brought, to be plotted over the weeks."""
    share = rejected / max(file.lines, 1)
    return {"landed_bytes": file.bytes, "landed_lines": file.lines, "rejected_lines": rejected, "rejected_share": share}


@dg.multi_asset(
    specs=[
        table_spec(
            "staged_baskets",
            "baskets",
            {"spark"},
            "One row per basket: who, when, where, the retailer's labels, and its items. Duplicates, returns and "
            "non-merchandise are kept out and counted.",
            deps=["raw_transactions"],
        )
    ],
    check_specs=[*claim_specs("staged_baskets"), *staged_checks()],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def staged_baskets(
    context: dg.AssetExecutionContext,
    config: StagingConfig,
    spark: SparkResource,
    lake: LakeResource,
    landing: LandingResource,
) -> Iterator[Any]:
    """Gather the weeks' lines into baskets."""
    weeks, tables = run_weeks(context), lake.open()
    bags = settled(context, config, landing).non_merchandise
    inputs = versions(tables, "raw_transactions")
    files = {"raw_transactions": tables.require("raw_transactions", weeks)}
    with staged(tables, context, "staged_baskets") as folders:
        report = spark.run("staged_baskets", files, folders, weeks=_iso(weeks), non_merchandise=bags)
        yield from audited(report, "staged_baskets", weeks)
        yield from conflict_results(context, report)
        yield from replay_results(context, _replays(spark, tables, folders["staged_baskets"], weeks))
        yield published(tables, context, "staged_baskets", folders["staged_baskets"], weeks, inputs, report)


def _replays(spark: SparkResource, lake: Lake, folder: str, weeks: list[date]) -> StageReport:
    """Look for staged baskets that copy one of an earlier week."""
    earlier = [week for week in lake.weeks("staged_baskets") if week < weeks[-1] and week not in weeks]
    files = [*lake.files("staged_baskets", earlier), *staged_uris(lake, "staged_baskets", folder)]
    return spark.run("replayed_baskets", {"staged_baskets": files}, {}, weeks=_iso(weeks))
