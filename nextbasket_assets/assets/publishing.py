"""Write, audit, publish: what every asset does around its one stage.

A week that breaks a blocking claim is not committed; the last good version stays and the run is red.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any

import dagster as dg

from nextbasket_assets.assets.table_columns import column_lineage, column_schema
from nextbasket_assets.code_version import code_version
from nextbasket_assets.lake.housekeeping import collect_models, collect_scratch, collect_staged
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import span_code, week_code
from nextbasket_assets.partitions import weeks_of
from nextbasket_assets.report.week_numbers import week_numbers
from nextbasket_assets.resources.spark import StageReport
from nextbasket_assets.transforms.claims import CLAIMS

OWNERS = ["team:nextbasket"]
_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in _ENDED]


def table_spec(table: str, group: str, kinds: set[str], description: str, deps: Sequence[str] = ()) -> dg.AssetSpec:
    """The spec of an asset that is a table of the lake, with its columns."""
    return dg.AssetSpec(
        table,
        deps=list(deps),
        description=description,
        group_name=group,
        kinds=kinds | {"deltalake"},
        owners=OWNERS,
        code_version=code_version(),
        metadata={"dagster/table_name": table, "dagster/column_schema": column_schema(table), **column_lineage(table)},
    )


def check_name(claim: str) -> str:
    """A claim as the name of its check: "every basket has one customer" -> every_basket_has_one_customer."""
    return re.sub(r"[^a-z0-9]+", "_", claim.lower().replace("'", "")).strip("_")


def sentence(claim: str) -> str:
    """A claim as a sentence; a column's name at its start stays as it is."""
    start = claim[0] if "_" in claim.split()[0] else claim[0].upper()
    return f"{start}{claim[1:]}."


def claim_specs(*tables: str) -> list[dg.AssetCheckSpec]:
    """The blocking check of every claim about these tables."""
    return [
        dg.AssetCheckSpec(check_name(claim), asset=table, blocking=True, description=sentence(claim))
        for table in tables
        for claim in CLAIMS[table]
    ]


def run_weeks(context: dg.AssetExecutionContext) -> list[date]:
    """The weeks of this run, one or a whole range."""
    return weeks_of(list(context.partition_keys))


def running_runs(context: dg.AssetExecutionContext) -> list[str]:
    """Ids of the runs that have not ended, this one included."""
    unfinished = dg.RunsFilter(statuses=UNFINISHED)
    return [context.run.run_id, *(record.dagster_run.run_id for record in context.instance.get_run_records(unfinished))]


def tidy_models(lake: Lake, context: dg.AssetExecutionContext, name: str) -> None:
    """Remove what killed trainings left."""
    running = running_runs(context)
    collect_models(lake, name, running)
    collect_scratch(lake, running)


@contextmanager
def staged(lake: Lake, context: dg.AssetExecutionContext, *tables: str) -> Iterator[dict[str, str]]:
    """A fresh folder for each table; what is not published when the block fails is removed.

    What killed runs left in these tables goes first.
    """
    for table in tables:
        collect_staged(lake, table, running_runs(context))
    with ExitStack() as folders:
        yield {table: folders.enter_context(stage(lake, table, context.run.run_id)) for table in tables}


def audited(report: StageReport, table: str, weeks: Sequence[date]) -> Iterator[dg.AssetCheckResult]:
    """One check result per claim about a staged table.

    Raises:
        dagster.Failure: a claim does not hold; nothing is published.
    """
    violations = report.violations(table, weeks)
    for claim in CLAIMS[table]:
        count = violations.get(claim, 0)
        yield dg.AssetCheckResult(
            asset_key=table, check_name=check_name(claim), passed=count == 0, metadata={"violations": count}
        )
    broken = [f"{claim} ({violations[claim]} row(s) break it)" for claim in CLAIMS[table] if violations.get(claim)]
    if broken:
        raise dg.Failure(
            f"{table} {_span(weeks)}: {'; '.join(broken)}. Nothing was published, the last good version stays. "
            "Correct the input and run again.",
            allow_retries=False,
        )


def published(
    lake: Lake,
    context: dg.AssetExecutionContext,
    table: str,
    folder: str,
    weeks: Sequence[date],
    inputs: Mapping[str, int],
    report: StageReport | None = None,
) -> dg.MaterializeResult:
    """Commit the staged files of these weeks and report each week's numbers; where the table is, and what it read, come last."""
    marked = report.metrics.get("pseudonyms") if report else None
    provenance = Provenance(context.run.run_id, code_version(), inputs, pseudonyms=marked)
    counted = {week: report.rows(table, week) for week in weeks} if report and table in report.tables else None
    version = publish(lake, table, folder, weeks, provenance, counted)
    seconds = {"stage_seconds": round(report.seconds, 1), **report.place} if report else {}
    place = {
        "path": dg.MetadataValue.path(lake.uri(table)),
        "table_version": version,
        "inputs": dict(inputs),
        **seconds,
    }
    rows, found = lake.rows(table), week_numbers(lake, table, weeks)
    for week in weeks:
        counts = {"dagster/partition_row_count": rows.get(week, 0), "retail_week": week_code(week)}
        numbers = {**counts, **found.get(week, {})}
        if report:
            numbers |= flat_counts(report.counts.get(week.isoformat(), {}))
        show(context, table, week, {**numbers, **place})
    tag_run(context, week=span_code(weeks[0], weeks[-1]))
    return dg.MaterializeResult(asset_key=table, metadata=column_lineage(table))


def show(context: dg.AssetExecutionContext, asset: str, week: date, shown: Mapping[str, Any]) -> None:
    """Put numbers, words and pictures beside an asset's week; numbers with four decimals, for more are noise to a reader."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in shown.items()}
    context.add_asset_metadata(rounded, asset_key=asset, partition_key=week.isoformat())


def tag_run(context: dg.AssetExecutionContext, **facts: str) -> None:
    """Put facts on the run as tags `nextbasket/NAME`, to filter runs by, whoever launched them."""
    context.instance.add_run_tags(context.run.run_id, {f"nextbasket/{name}": fact for name, fact in facts.items()})


def picture(png: bytes, text: str) -> dg.MarkdownMetadataValue:
    """A picture inside the metadata itself, no file to keep and to serve; `text` says what it shows."""
    return dg.MetadataValue.md(f"![{text}](data:image/png;base64,{base64.b64encode(png).decode()})")


def flat_counts(counts: Mapping[str, Any]) -> dict[str, Any]:
    """A week's filter audit as metadata with stable names: rows_in, removed_duplicate, ..., rows_out."""
    flat: dict[str, Any] = {}
    for name, value in counts.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}_{check_name(str(filter_name))}": count for filter_name, count in value.items()}
        else:
            flat[name] = value
    return flat


def versions(lake: Lake, *tables: str) -> dict[str, int]:
    """The version of each table that this run reads."""
    return {table: lake.version(table) for table in tables}


def _span(weeks: Sequence[date]) -> str:
    return str(weeks[0]) if len(weeks) == 1 else f"{weeks[0]} to {weeks[-1]}"
