"""How far the long work is: on a terminal a bar with the time left, elsewhere plain lines; both on stderr.

The bar moves by what steps usually cost against each other, measured once; how fast this machine is, the bar learns from
the steps that are done.
"""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

import click
import dagster as dg

from nextbasket_assets.cli.bars import bar
from nextbasket_assets.landing import span_code

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

# Seconds of a step on the demo's shop, two cores; a step that is not here takes one.
_USUAL = {
    **{"raw_transactions": 9, "staged_baskets": 9, "mission_tagged_baskets": 4, "customer_sequences": 6},
    **{"mission_model": 37, "mission_history": 12, "mission_profiles": 30, "rnn_model": 81, "model_evaluation": 3},
    **{"next_basket_scores": 2, "weekly_report": 5},
}
_MORE_WEEKS = 0.2  # of a step's cost, for every week beyond the first


class Progress:
    """The progress of a few runs."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._stream: TextIO | None = None

    @contextmanager
    def over(self, works: Iterable[tuple[list[str], int]]) -> Iterator[None]:
        """Show the bar while the block works.

        Args:
            works: of every run the names of its steps and the number of its weeks.
        """
        total = sum(cost(step, weeks) for steps, weeks in works for step in steps)
        with _stderr() as self._stream:
            if not sys.stderr.isatty() or not total:
                yield
                return
            self._bar = bar(self._stream)
            task = self._bar.add_task("", total=total)
            with self._bar:
                yield
                self._bar.update(task, completed=total)

    def say(self, line: str) -> None:
        """A line above the bar, or by itself; the work goes on where nobody takes it any more."""
        with suppress(OSError):
            if self._bar:
                self._bar.print(line, markup=False, emoji=False, highlight=False)
            else:
                click.echo(line, self._stream, err=True)

    def begin(self, step: str) -> None:
        """A step starts."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=step)

    def end(self, step: str, weeks: int) -> None:
        """A step is done."""
        if self._bar:
            self._bar.advance(self._bar.task_ids[0], cost(step, weeks))


@contextmanager
def _stderr() -> Iterator[TextIO]:
    """Where stderr goes now.

    While a run works, Dagster takes stderr to a file and has another process copy it back, which it ends with the run,
    whatever is not copied yet.
    """
    try:
        place = os.dup(sys.stderr.fileno())
    except OSError:  # a stand-in, without a place of its own
        yield sys.stderr
        return
    with os.fdopen(place, "wb", buffering=0) as file:
        yield TextIOWrapper(file, sys.stderr.encoding, sys.stderr.errors, write_through=True)


def cost(step: str, weeks: int) -> float:
    """What a step over so many weeks usually costs, in seconds of the demo."""
    known = next((seconds for name, seconds in _USUAL.items() if step.startswith(name)), 1)
    return known * (1 + _MORE_WEEKS * (weeks - 1))


class _Lines(logging.Handler):
    """Prints what a step made, and failures; everything else is in the UI."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._made: dict[str, dict[str | None, int | None]] = {}  # table -> week -> rows
        self._started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_event", None)
        if event is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self._made, self._started = {}, time.monotonic()
            self._progress.begin(event.step_key)
        elif kind == "ASSET_MATERIALIZATION":
            rows = event.materialization.metadata.get("dagster/partition_row_count")
            weeks = self._made.setdefault(event.asset_key.to_user_string(), {})
            weeks[event.partition] = int(rows.value) if rows else None
        elif kind == "STEP_SUCCESS":
            for table, weeks in self._made.items():
                self._progress.say(made_line(table, weeks, time.monotonic() - self._started))
            self._progress.end(event.step_key, max(map(len, self._made.values()), default=1))
        elif kind == "STEP_FAILURE":
            self._progress.say(f"  {event.step_key:<24}  failed")


def made_line(table: str, weeks: Mapping[str | None, int | None], seconds: float) -> str:
    """One line for all weeks of a table, with their rows together."""
    dates = sorted(date.fromisoformat(week) for week in weeks if week)
    span = span_code(dates[0], dates[-1]) if dates else ""
    rows = [count for count in weeks.values() if count is not None]
    count = f"{sum(rows):>11,} rows" if rows else " " * 16
    return f"  {table:<24}{span:<13}{count}{seconds:>8.1f} s"


def progress_logger(progress: Progress) -> dg.LoggerDefinition:
    """The logger that the local commands run jobs with: one line per table."""

    def logger(_: dg.InitLoggerContext) -> logging.Logger:
        made = logging.Logger("nextbasket", level=logging.DEBUG)
        made.addHandler(_Lines(progress))
        return made

    return dg.LoggerDefinition(logger, description="One line per table.")
