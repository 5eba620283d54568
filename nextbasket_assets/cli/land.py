"""`nextbasket land`: a retailer's files into a landing folder, with an account of every row."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.failing import CommandFailed
from nextbasket_assets.errors import FAILED
from nextbasket_assets.landing import week_code, week_of

if TYPE_CHECKING:
    from nextbasket_assets.intake.land import LandReport

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="SOURCE...")
@click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML: their columns to ours."
)
@click.option("--out", type=_PATH, required=True, help="Landing folder.")
@click.option(
    "--replace", is_flag=True, help="Take a file that lacks lines of the one that is there, as a correction does."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def land(sources: tuple[Path, ...], mapping: Path | None, out: Path, replace: bool, as_json: bool) -> None:
    """Put SOURCE, files or folders, into a landing folder as weekly files.

    With --mapping any CSV, CSV.gz or parquet files with a line per basket and item; without it files that are named
    transactions_YYYYWW.csv[.gz] already. Nothing is delivered when one of them is not sound.
    """
    from nextbasket_assets.intake import land as intake
    from nextbasket_assets.intake.mapping import read_mapping

    try:
        size = sum(path.stat().st_size for place in sources for path in (place, *place.glob("*")) if path.is_file())
        with click.progressbar(length=size, label="Landing", hidden=as_json) as bar:
            if mapping:
                tomorrow = date.today() + timedelta(days=1)  # which some zone may have today
                how = read_mapping(mapping)
                report = intake.land(list(sources), how, out, replace=replace, latest=tomorrow, progress=bar.update)
            else:
                report = intake.land_as_is(list(sources), out, replace=replace, progress=bar.update)
    except OSError as error:
        raise CommandFailed("Nothing was landed.", *_of_the_disk(error), FAILED) from error
    click.echo(json.dumps(report.as_json(), indent=1) if as_json else _told(report, out))


def _of_the_disk(error: OSError) -> tuple[str, str]:
    """Why the machine refused, and what to do."""
    place = error.filename2 or error.filename or "A source"
    to_do = "Name as --out a folder that this process may make and write into, and sources that it may read."
    return f"{place}: {error.strerror or error}.", to_do


def _told(report: "LandReport", out: Path) -> str:
    lines = [
        f"{name}: {count.rows:,} rows = {count.landed:,} landed + {count.refused:,} refused"
        for name, count in report.sources.items()
    ]
    lines += [f"  refused {times:,}: {reason}" for reason, times in report.reasons.most_common(10)]
    if report.reasons:
        lines.append(f"  every one is in {out / 'land-report' / 'refused_lines.csv'}")
    if report.quantities_rounded:
        lines.append(f"{report.quantities_rounded:,} quantities were no whole number and count as the next one")
    weeks = [week for file in report.files if (week := week_of(file.name))]
    if weeks:
        lines.append(_weeks_told(report, weeks, out))
    else:
        lines += [f"{file.name} in {out}: {file.status}" for file in report.files]
    lines += [
        f"{file.name} replaced"
        for file in report.files
        if weeks and not week_of(file.name) and file.status == "replaced"
    ]
    if report.not_read:
        lines.append(f"not read in the named folders: {', '.join(report.not_read)}")
    if first := min((week for path in out.iterdir() if (week := week_of(path.name))), default=None):
        settings = f"NEXTBASKET_LANDING={out} NEXTBASKET_FIRST_WEEK={first} NEXTBASKET_LAST_WEEK=open"
        lines.append(f"\nNext: {settings} nextbasket demo")
    return "\n".join(lines)


def _weeks_told(report: "LandReport", weeks: list[date], out: Path) -> str:
    kinds = {
        kind: sum(f.status == kind for f in report.files if week_of(f.name))
        for kind in ("new", "replaced", "unchanged")
    }
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return f"{len(weeks)} weeks in {out}, {_named(min(weeks))} to {_named(max(weeks))}: {told}"


def _named(week: date) -> str:
    return f"{week_code(week)} (from {week})"
