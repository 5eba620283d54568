"""The weekly report: one page per scored week that says whether the week is safe to use, and why."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from nextbasket_assets.assets.profiles import mission_names
from nextbasket_assets.assets.publishing import published, run_weeks, show, staged, table_spec, tag_run, versions
from nextbasket_assets.assets.running import run_facts
from nextbasket_assets.assets.shop_settings import retraining_policy
from nextbasket_assets.lake import reports
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.report.weekly.inputs import READS, TABLE, UPSTREAM
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource, usable_catalogue

if TYPE_CHECKING:
    from nextbasket_assets.report.weekly.facts import WeekFacts
    from nextbasket_assets.report.weekly.light import Finding


@dg.multi_asset(
    specs=[
        table_spec(
            TABLE,
            "report",
            {"python", "html"},
            "One page per scored week, at reports/week=W/index.html in the lake: is it safe to use, what arrived, who was scored "
            "by what, missions, quality, segments, drift, a dozen customers. The table has every claim that was looked at.",
            deps=UPSTREAM,
        )
    ],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def weekly_report(context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource) -> Iterator[Any]:
    """Make each week's page, and once more the page before them: by now it is known what people then bought."""
    weeks, tables = run_weeks(context), lake.open()
    inputs = versions(tables, *READS, "model_registry")
    with staged(tables, context, TABLE) as folders:
        for week in _before(tables, weeks[0]):
            gather = partial(_facts, context, tables, landing, week, _published(tables, week))
            reports.put_newest(tables, week, gather, _page)
        for week in weeks:
            facts = reports.put_newest(tables, week, partial(_facts, context, tables, landing, week), _page)
            write_rows(tables, TABLE, folders[TABLE], week, [vars(finding) for finding in facts.findings])
            show(context, TABLE, week, _shown(facts, tables.uri(reports.place(week))))
        tag_run(context, light=facts.light)
        yield published(tables, context, TABLE, folders[TABLE], weeks, inputs)


def _before(lake: Lake, week: date) -> list[date]:
    """The newest week before this one that has a report, as a list of one or none."""
    return [other for other in reports.weeks(lake) if other < week][-1:]


def _published(lake: Lake, week: date) -> "list[Finding]":
    """What the table says of a week: its page is made again with the same light, whatever changed since."""
    from nextbasket_assets.report.weekly.light import Finding

    rows = lake.read(TABLE, [week], ["claim", "light", "held", "found"]).drop_columns(["week"])
    return [Finding(**row) for row in rows.to_pylist()]


def _facts(
    context: dg.AssetExecutionContext,
    lake: Lake,
    landing: LandingResource,
    week: date,
    published: "Sequence[Finding]" = (),
) -> "WeekFacts":
    from nextbasket_assets.report.weekly.facts import gather

    lake.require("next_basket_scores", [week])
    folder = landing.folder()
    names, catalogue = mission_names(lake, week), usable_catalogue(folder, context.log.warning)
    oldest = retraining_policy(folder).max_age_weeks
    return gather(lake, week, catalogue, names, run_facts(context.instance, week), published, oldest_champion=oldest)


def _page(facts: "WeekFacts") -> str:
    from nextbasket_assets.report.weekly.page import render

    return render(facts)


def _shown(facts: "WeekFacts", place: str) -> dict[str, Any]:
    """What the UI shows of a week: the light, why, the page's place, and numbers that plot over weeks."""
    broken = "; ".join(f"{one.claim}: {one.found}" for one in facts.findings if one.held is False)
    return {
        "report": dg.MetadataValue.path(place),
        "light": facts.light,
        "why": broken or "no claim is broken",
        **facts.metrics,
    }
