"""Platforms for the rows that run jobs: a landing folder, an empty lake or one with history, a Dagster home."""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from benchmarks.inputs import landing, landing_files
from benchmarks.jobs import job_seconds
from nextbasket_assets.landing import week_code

HISTORY = 27  # weeks when a new one arrives: half a year, and the week that is new
GAPS = "LGSR lacks 4 weeks, and a run of many weeks takes no gap: the weeks before a gap are moved up to it, by their dates"


@contextmanager
def empty(small: bool, weeks: int | None = None) -> Iterator[tuple[Path, list[date]]]:
    """A platform that has its weeks landed and nothing made of them; its root and the weeks."""
    with tempfile.TemporaryDirectory() as folder, landing(small, weeks) as files:
        yield Path(folder), _without_gaps(files, Path(folder) / "landing")


@contextmanager
def filled(small: bool, *, trained: bool) -> Iterator[tuple[Path, list[date]]]:
    """A platform with all weeks but the last one in the lake, and, when trained, with models as of the last but one."""
    with empty(small, HISTORY) as (root, weeks):
        *before, as_of = weeks[:-1]
        job_seconds(root, "backfill_weeks", before[0], before[-1] if trained else as_of)
        if trained:
            job_seconds(root, "train_and_score_week", as_of, as_of)
        yield root, weeks


def _without_gaps(files: Path, out: Path) -> list[date]:
    """The weekly files in a new folder, one for every week up to the last; the weeks."""
    out.mkdir()
    found = landing_files(files)
    last = found[-1][1].week
    weeks = [last - timedelta(weeks=len(found) - number) for number in range(1, len(found) + 1)]
    for (path, file), week in zip(found, weeks, strict=True):
        if week == file.week:
            (out / path.name).symlink_to(path.resolve())
        else:
            with gzip.open(out / f"transactions_{week_code(week)}.csv.gz", "wb", compresslevel=6) as moved:
                moved.write(_moved(gzip.decompress(path.read_bytes()), file.week, week))
    return weeks


def _moved(text: bytes, before: date, after: date) -> bytes:
    """The lines of a week with the dates of another; SHOP_WEEK and SHOP_DATE are a line's first two fields."""
    for day in map(timedelta, range(7)):
        was, shall = (f"\n{week_code(week)},{week + day:%Y%m%d},".encode() for week in (before, after))
        text = text.replace(was, shall)
    return text
