"""`nextbasket land`: a retailer's files into a landing folder, with an account of every row."""

import errno
import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.failing import CommandFailed
from nextbasket_assets.errors import FAILED
from nextbasket_assets.landing import REPORT_FOLDER, week_code, week_of
from nextbasket_assets.limits import MOST_REJECTED

if TYPE_CHECKING:
    from nextbasket_assets.intake.account import LandReport

_PATH = click.Path(path_type=Path)
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_ROW_BYTES = 200  # of a line of a week that is not compressed yet


@click.command()
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="SOURCE...")
@click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML: their columns to ours."
)
@click.option("--out", type=_PATH, required=True, help="Landing folder.")
@click.option(
    "--replace", is_flag=True, help="Take a file that lacks lines of the one that is there, as a correction does."
)
@click.option(
    "--allow-refused",
    type=click.FloatRange(0, 1),
    default=MOST_REJECTED,
    show_default=True,
    metavar="SHARE",
    help="Share of the rows that a mapping may refuse; above it nothing is landed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def land(
    sources: tuple[Path, ...], mapping: Path | None, out: Path, replace: bool, allow_refused: float, as_json: bool
) -> None:
    """Put SOURCE, files or folders, into a landing folder as weekly files.

    With --mapping any CSV, CSV.gz or parquet files with a line per basket and item; without it files that are named
    transactions_YYYYWW.csv[.gz] already. Nothing is delivered when one of them is not sound.
    """
    from nextbasket_assets.intake import land as intake
    from nextbasket_assets.intake.mapping import read_mapping

    try:
        size = sum(path.stat().st_size for place in sources for path in (place, *place.glob("*")) if path.is_file())
        with _ended_in_order(), click.progressbar(length=size, label="Landing", hidden=as_json) as bar:
            if mapping:
                tomorrow = date.today() + timedelta(days=1)  # which some zone may have today
                how = read_mapping(mapping)
                landing = partial(intake.land, replace=replace, latest=tomorrow, most_refused=allow_refused)
                report = landing(list(sources), how, out, progress=bar.update)
            else:
                report = intake.land_as_is(list(sources), out, replace=replace, progress=bar.update)
    except OSError as error:
        raise CommandFailed("Nothing was landed.", *_of_the_disk(error, out), FAILED) from error
    click.echo(json.dumps(report.as_json(), indent=1) if as_json else _told(report, out))


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """A request to end removes the lines in the making, as an interrupt does."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _of_the_disk(error: OSError, out: Path) -> tuple[str, str]:
    """Why the machine refused, and what to do."""
    if error.errno in _FULL:
        to_do = f"Make room there: some {_ROW_BYTES} bytes for each row of the sources while it lands, a tenth of it afterwards."
        return f"{out}: {error.strerror}.", to_do
    place = error.filename2 or error.filename or "A source"
    to_do = "Name as --out a folder that this process may make and write into, and sources that it may read."
    return f"{place}: {error.strerror or error}.", to_do


def _told(report: "LandReport", out: Path) -> str:
    lines = [
        f"{name}: {count.rows:,} rows = {count.landed:,} landed + {count.refused:,} refused"
        + (f" + {count.repeated:,} of an earlier source, too" if count.repeated else "")
        for name, count in report.sources.items()
    ]
    lines += [f"  refused {times:,}: {reason}" for reason, times in report.reasons.most_common(10)]
    if report.reasons:
        lines.append(f"  every one is in {out / REPORT_FOLDER / 'refused_lines.csv'}")
    if report.quantities_rounded:
        lines.append(f"{report.quantities_rounded:,} quantities were no whole number and count as the next one")
    if report.lines_without_a_product:
        lines.append(f"{report.lines_without_a_product:,} lines are of items that the products file lacks: no category")
    lines += [
        f"{name}: the last line has no line end; look whether the file is whole"
        for name in report.without_last_line_end
    ]
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
        settings = f"NEXTBASKET_LANDING={shlex.quote(str(out))} NEXTBASKET_FIRST_WEEK={first} NEXTBASKET_LAST_WEEK=open"
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
