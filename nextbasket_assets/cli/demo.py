"""The main job on a laptop: land, backfill, train as of a week, score, and the weeks after it."""

from datetime import date

import click
import dagster as dg

from nextbasket_assets.arrivals import Listed
from nextbasket_assets.cli.home import prepare
from nextbasket_assets.cli.progress import progress_logger
from nextbasket_assets.definitions import Settings, SettingsError, build_definitions
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code, week_of
from nextbasket_assets.operations.refreshing import REFRESH
from nextbasket_assets.operations.requests import BACKFILL
from nextbasket_assets.operations.retraining import SCORE, TRAIN
from nextbasket_assets.operations.sensors import ingested_content
from nextbasket_assets.partitions import contiguous
from nextbasket_assets.resources.landing import Folder, LandingResource, inspect_file

WEEKS_AFTER = 4


class RunFailedError(Exception):
    """A run of the demo failed; the message is the step's."""


def landed_weeks(folder: Folder) -> dict[date, Listed]:
    """The landing file of every week."""
    return {week: listed for listed in folder.list() if (week := week_of(listed.name))}


def default_as_of(weeks: list[date]) -> date:
    """The week to train as of: late, with a few weeks after it to see what people then bought."""
    return sorted(weeks)[-1 - WEEKS_AFTER] if len(weeks) > WEEKS_AFTER else max(weeks)


def run_all(settings: Settings, as_of: date) -> None:
    """Bring every landed week into the lake, train as of one week, and score from that week on. What is there stays.

    Raises:
        RunFailedError: a run failed.
        SettingsError: a week lies outside the platform's weeks.
    """
    definitions = build_definitions(settings, loggers={"console": progress_logger})
    lake, folder = Lake(settings.lake), LandingResource(uri=settings.landing).folder()
    held, landed = ingested_content(lake), landed_weeks(folder)
    changed = {week for week, listed in landed.items() if held.get(week) != inspect_file(folder, listed.name).sha256}
    weeks = sorted(landed)
    _require_wanted(settings, weeks)
    with dg.DagsterInstance.get() as instance:
        sequences = set(lake.weeks("customer_sequences"))
        for first, last in contiguous([w for w in weeks if w < as_of and (w in changed or w not in sequences)]):
            _run(definitions, instance, BACKFILL, first, last)
        decided = any(one.week == as_of for one in registry.decisions(lake, "rnn_model"))
        if as_of in changed or not decided:
            _run(definitions, instance, TRAIN, as_of, as_of)
        scored = set(lake.weeks("next_basket_scores"))
        for first, last in contiguous([w for w in weeks if w > as_of and (w in changed or w not in scored)]):
            _run(definitions, instance, SCORE, first, last)


def _require_wanted(settings: Settings, weeks: list[date]) -> None:
    last = settings.last_week or date.max
    outside = [week for week in weeks if not settings.first_week <= week <= last]
    if outside:
        raise SettingsError(
            f"{len(outside)} landed week(s), the first {week_code(outside[0])} ({outside[0]}), lie outside the weeks wanted, "
            f"{settings.first_week} to {settings.last_week or 'now'}. Set NEXTBASKET_FIRST_WEEK={weeks[0]} and "
            "NEXTBASKET_LAST_WEEK=open, or remove the files."
        )


def refresh(settings: Settings, table: str, weeks: list[date]) -> None:
    """Make one table of these weeks again.

    Raises:
        RunFailedError: a run failed.
    """
    if not weeks:
        return
    prepare(settings.dagster_home)
    definitions = build_definitions(settings, loggers={"console": progress_logger})
    with dg.DagsterInstance.get() as instance:
        for first, last in contiguous(weeks):
            _run(definitions, instance, REFRESH, first, last, table)


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    first: date,
    last: date,
    table: str | None = None,
) -> None:
    span = week_code(first) if first == last else f"{week_code(first)} to {week_code(last)}"
    click.secho(f"{job} {span}", bold=True)
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
    one = {"partition_key": first.isoformat()} if first == last else {"tags": tags}
    result = definitions.resolve_job_def(job).execute_in_process(
        run_config={"loggers": {"console": {}}},
        instance=instance,
        raise_on_error=False,
        asset_selection=[dg.AssetKey(table)] if table else None,
        **one,
    )
    if not result.success:
        raise RunFailedError(failure_text(result))


def failure_text(result: dg.ExecuteInProcessResult) -> str:
    """The message of the step that failed, without the traceback."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            error = data.error
            while error and error.cause:
                error = error.cause
            return str(error.message if error else data.error_display_string).strip()
    return "the run failed before its first step; see it in the UI (make ui)"
