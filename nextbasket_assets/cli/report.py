"""`nextbasket report`: where a week's report is, or a copy of it."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.failing import writing
from nextbasket_assets.cli.opened import lake_of, week_in
from nextbasket_assets.cli.options import json_option, week_option
from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.settings.reading import Settings


@click.command()
@week_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Copy the page to this file.")
@json_option
@settled
def report(settings: "Settings", week: date | None, out: Path | None, as_json: bool) -> None:
    """Print where a week's report is; with --out, copy it there. A browser opens it without a network."""
    from nextbasket_assets.lake import reports
    from nextbasket_assets.report.weekly.light import Finding, light_of

    lake = lake_of(settings)
    chosen = week_in(lake, "weekly_report", week)
    page = reports.read(lake, chosen)
    if out:
        with writing(out):
            out.write_text(page, encoding="utf-8")
    place = str(out or lake.uri(reports.place(chosen)))
    if as_json:
        claims = lake.read("weekly_report", [chosen]).drop_columns(["week"]).to_pylist()
        light = light_of(Finding(**claim) for claim in claims)
        place = json.dumps({"week": str(chosen), "report": place, "light": light, "claims": claims}, indent=1)
    click.echo(place)
