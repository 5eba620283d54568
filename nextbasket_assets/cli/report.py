"""`nextbasket report`: where a week's report is, or a copy of it."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.definitions import Settings


def _week(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    from nextbasket_assets.landing import monday

    try:
        return monday(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--week", callback=_week, metavar="YYYYWW", help="Retail week; the newest one by default.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Copy the page to this file.")
@settled
def report(settings: "Settings", week: date | None, out: Path | None) -> None:
    """Print where a week's report is; with --out, copy it there. A browser opens it without a network."""
    from nextbasket_assets.lake import reports
    from nextbasket_assets.lake.tables import Lake

    lake = Lake(settings.lake)
    chosen = week or max(reports.weeks(lake), default=None)
    if chosen is None:
        raise click.ClickException("no week has a report yet. Run `nextbasket demo`, or materialise weekly_report.")
    page = reports.read(lake, chosen)
    if out:
        out.write_text(page, encoding="utf-8")
    click.echo(out or lake.uri(reports.place(chosen)))
