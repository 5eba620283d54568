"""Dagster runs in this process: one after another, with their progress, and the reason when one fails."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import click
import dagster as dg

from nextbasket_assets.cli.failing import STOPPED
from nextbasket_assets.cli.home import prepare
from nextbasket_assets.cli.opened import lake_of
from nextbasket_assets.cli.progress import Progress, progress_logger
from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.errors import FAILED, RED, NextbasketError
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.lost_runs import end_lost_runs, process_tags
from nextbasket_assets.operations.refreshing import REFRESH, refreshes
from nextbasket_assets.partitions import contiguous, weekly, weeks_of
from nextbasket_assets.settings.reading import Settings

_CLASS = re.compile(r"^[\w.]+: ")  # that Dagster puts before a message
_FRAME = re.compile(r"at |\.\.\. \d+ ")
_INTERRUPTS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
_LONGEST = 500  # characters of a message; the UI has the rest


@dataclass(frozen=True)
class Run:
    """One run: a job over the weeks from `first` to `last`, or one table of it."""

    job: str
    first: date
    last: date
    table: str | None = None

    def __str__(self) -> str:
        weeks = week_code(self.first) + (f" to {week_code(self.last)}" if self.last > self.first else "")
        return f"{self.table or self.job} {weeks}"


class RunFailedError(NextbasketError):
    """A run failed; the message is the step's.

    Attributes:
        what: which run.
        exit_code: of the command: the input was wrong, a check is red, or something else failed.
    """

    def __init__(self, what: str, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.what, self.exit_code = what, exit_code


def carry_out(settings: Settings, runs: Sequence[Run]) -> None:
    """Run them one after another.

    Raises:
        RunFailedError: one failed; those before it stay.
    """
    prepare(settings.dagster_home)
    progress = Progress()
    definitions = build_definitions(settings, loggers={"console": progress_logger(progress)})
    with dg.DagsterInstance.get() as instance, progress.over(_work(definitions, run) for run in runs):
        end_lost_runs(instance)
        for run in runs:
            progress.say(str(run))
            result = _execute(definitions, instance, run)
            if not result.success:
                raise failure(str(run), result)


def refresh(settings: Settings, table: str, weeks: list[date]) -> None:
    """Make one table of these weeks again.

    Raises:
        RunFailedError: a run failed.
    """
    carry_out(settings, [Run(REFRESH, first, last, table) for first, last in contiguous(weeks)])


def calendar(settings: Settings) -> list[date]:
    """The weeks of which there are runs."""
    return weeks_of(weekly(settings.first_week, settings.last_week).get_partition_keys())


def catch_up(settings: Settings) -> None:
    """Make again what a correction, a late week or a dead run left behind: what the landing sensor would ask for.

    Raises:
        RunFailedError: a run failed.
    """
    lake, asked, weeks = lake_of(settings), set[str](), calendar(settings)
    while requests := refreshes(lake, weeks, asked.__contains__):
        for request in requests:
            click.echo(request.why, err=True)
        carry_out(settings, [Run(one.job, one.first, one.last, one.table) for one in requests])
        asked |= {request.key for request in requests}


def _work(definitions: dg.Definitions, run: Run) -> tuple[list[str], int]:
    """Names of the steps of a run, and how many weeks they make."""
    weeks = (run.last - run.first).days // 7 + 1
    if run.table:
        return [run.table], weeks
    return [node.name for node in definitions.resolve_job_def(run.job).graph.nodes], weeks


def _execute(definitions: dg.Definitions, instance: dg.DagsterInstance, run: Run) -> dg.ExecuteInProcessResult:
    span = {
        "dagster/asset_partition_range_start": run.first.isoformat(),
        "dagster/asset_partition_range_end": run.last.isoformat(),
    }
    single = run.first == run.last
    return definitions.resolve_job_def(run.job).execute_in_process(
        run_config={"loggers": {"console": {}}},
        instance=instance,
        raise_on_error=False,
        asset_selection=[dg.AssetKey(run.table)] if run.table else None,
        partition_key=run.first.isoformat() if single else None,
        tags=process_tags() | ({} if single else span),
    )


def failure(what: str, result: dg.ExecuteInProcessResult) -> RunFailedError:
    """The error of the step that failed, without the traceback."""
    red = any(_is_red(event) for event in result.all_events)
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return RunFailedError(what, str(data.user_failure_data.description), RED if red else FAILED)
            return _of_a_step(what, event)
    return RunFailedError(what, "the run failed before its first step. See it in the UI (make ui).", FAILED)


def _of_a_step(what: str, event: dg.DagsterEvent) -> RunFailedError:
    """What stopped a step, an error of ours or the first cause; only ours says by itself what to do."""
    codes, error = _exit_codes(NextbasketError), event.step_failure_data.error
    while error and error.cause and error.cls_name not in codes:
        error = error.cause
    if error and error.cls_name in codes:
        return RunFailedError(what, _CLASS.sub("", error.message.strip())[:_LONGEST], codes[error.cls_name])
    if error and error.cls_name in _INTERRUPTS:
        return RunFailedError(what, STOPPED, FAILED)
    said = _last_line(error.message) if error else "nobody says why"
    return RunFailedError(what, f"{said[:_LONGEST]}. See the run in the UI (make ui).", FAILED)


def _last_line(text: str) -> str:
    """The line that says most of an error that is not ours: the last one that is no frame of Java's stack."""
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    return next((line for line in reversed(lines) if line and not _FRAME.match(line)), "nobody says why")


def _exit_codes(kind: type[NextbasketError]) -> dict[str, int]:
    """By the name of a class, of this one and of all below it: a run's error has come back as text."""
    below = [codes for one in kind.__subclasses__() for codes in _exit_codes(one).items()]
    return {kind.__name__: kind.exit_code, **dict(below)}


def _is_red(event: dg.DagsterEvent) -> bool:
    if event.event_type_value != "ASSET_CHECK_EVALUATION":
        return False
    evaluation = event.asset_check_evaluation_data
    return not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
