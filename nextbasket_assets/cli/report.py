"""`nextbasket report`: where a week's report is, or a copy of it."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.opened import lake_of, week_in
from nextbasket_assets.cli.options import week_option
from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.definitions import Settings


@click.command()
@week_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Copy the page to this file.")
@settled
def report(settings: "Settings", week: date | None, out: Path | None) -> None:
    """Print where a week's report is; with --out, copy it there. A browser opens it without a network."""
    from nextbasket_assets.lake import reports

    lake = lake_of(settings)
    chosen = week_in(lake, "weekly_report", week)
    page = reports.read(lake, chosen)
    if out:
        out.write_text(page, encoding="utf-8")
    click.echo(out or lake.uri(reports.place(chosen)))
