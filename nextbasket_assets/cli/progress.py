"""One line per table that a run makes, instead of Dagster's log."""

import logging
import time
from datetime import date
from typing import Any

import click
import dagster as dg

from nextbasket_assets.landing import week_code


class _Lines(logging.Handler):
    """Prints materialisations and failures; everything else is in the UI."""

    def __init__(self) -> None:
        super().__init__()
        self._printed: set[str] = set()
        self._started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_event", None)
        if event is not None and event.event_type_value == "STEP_START":
            self._printed, self._started = set(), time.monotonic()
        if event is not None and event.event_type_value == "ASSET_MATERIALIZATION":
            self._line(event.asset_key.to_user_string(), event.materialization, event.partition)
        if event is not None and event.event_type_value == "STEP_FAILURE":
            click.secho(f"  failed: {event.step_key}", fg="red", err=True)

    def _line(self, table: str, materialization: Any, partition: str | None) -> None:
        if table in self._printed:
            return
        self._printed.add(table)
        rows = materialization.metadata.get("dagster/partition_row_count")
        week = week_code(date.fromisoformat(partition)) if partition else ""
        count = f"{rows.value:>9,} rows" if rows else " " * 14
        click.echo(f"  {table:<24}{week:>7}{count}{time.monotonic() - self._started:>8.1f} s")


def _logger(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("nextbasket", level=logging.DEBUG)
    logger.addHandler(_Lines())
    return logger


# The logger that the local commands run jobs with.
progress_logger = dg.LoggerDefinition(_logger, description="One line per table.")
