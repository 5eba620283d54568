"""Finished files into a landing folder: all of them inspected first, each renamed into place, nothing half done."""

import codecs
import filecmp
import gzip
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np

from nextbasket_assets import catalogue, retail_calendar
from nextbasket_assets.landing import LandingError, LandingFile, inspect, week_code, week_of
from nextbasket_assets.landing_text import small_table

_KEYS = {catalogue.FILE_NAME: "PROD_CODE", retail_calendar.FILE_NAME: "shop_week"}  # what a row is known by


@dataclass(frozen=True)
class Delivered:
    """A file of the landing folder after a delivery."""

    name: str
    status: Literal["new", "replaced", "unchanged"]
    lines: int | None = None  # None for a file that is no week


def deliver(prepared: list[Path], out: Path, *, replace: bool) -> list[Delivered]:
    """Move these files, which are in a folder of the same disk, into the landing folder; of two equal ones of a week, one.

    Args:
        prepared: weekly files and the ones beside them.
        out: the landing folder.
        replace: whether a week may lose lines that it has, and a file beside the weeks its rows.

    Raises:
        LandingError: a file is not sound, two are of one week, or lines would be lost; nothing was moved then.
    """
    found = {path: look(path) if week_of(path.name) else None for path in sorted(prepared)}
    _refuse_rivals([file for file in found.values() if file])
    found = _one_a_week(found, out)
    plans = [_plan(path, file, out, replace=replace) for path, file in found.items()]
    for path, delivered in zip(found, plans, strict=True):
        if delivered.status != "unchanged":
            path.replace(out / path.name)
    return plans


def _refuse_rivals(files: list[LandingFile]) -> None:
    first: dict[date, LandingFile] = {}
    for file in files:
        other = first.setdefault(file.week, file)
        if other.sha256 != file.sha256:
            raise LandingError(
                f"{file.name}: {other.name} is another file for week {week_code(file.week)}. Remove one of them."
            )


def _one_a_week(found: dict[Path, LandingFile | None], out: Path) -> dict[Path, LandingFile | None]:
    """All but the second of two equal files of a week, plain and compressed; the name that the landing folder has stays."""
    kept: dict[date | str, Path] = {}
    for path in sorted(found, key=lambda path: (not (out / path.name).exists(), path)):
        file = found[path]
        kept.setdefault(file.week if file else path.name, path)
    return {path: found[path] for path in sorted(kept.values())}


def _plan(path: Path, new: LandingFile | None, out: Path, *, replace: bool) -> Delivered:
    if (out / path.name).is_dir():
        raise LandingError(f"{path.name}: the landing folder has a folder of that name. Move it away.")
    if new is None:
        return _plan_beside(path, out / path.name, replace=replace)
    there = _of_week(out, new)
    twins = [name for name in there if name != path.name]
    if other := next((name for name in twins if not _equal(there[name], new)), None):
        raise LandingError(f"{path.name}: {other} is another file for week {week_code(new.week)}. Remove one of them.")
    if path.name not in there:
        return Delivered(twins[0], "unchanged", new.lines) if twins else Delivered(path.name, "new", new.lines)
    old = there[path.name]
    if _equal(old, new):
        return Delivered(path.name, "unchanged", new.lines)
    if old and not replace and (lost := _lost_lines(out / path.name, path)):
        raise LandingError(
            f"{path.name}: the week has {old.lines} lines and would have {new.lines}, without {lost} of those it has. "
            "Land every export that holds lines of the week in one call, or, when this one corrects the week, give "
            "--replace."
        )
    return Delivered(path.name, "replaced", new.lines)


def _equal(old: LandingFile | None, new: LandingFile) -> bool:
    return old is not None and old.sha256 == new.sha256


def _plan_beside(path: Path, there: Path, *, replace: bool) -> Delivered:
    if not there.exists():
        return Delivered(path.name, "new")
    if filecmp.cmp(path, there, shallow=False):
        return Delivered(path.name, "unchanged")
    if path.name in _KEYS and not replace and (lost := _keys(there) - _keys(path)):
        raise LandingError(
            f"{path.name}: {len(lost)} rows of the one in the landing folder are not in it, {min(lost)[:40]!r} among them. "
            "Add them, or give --replace to do without."
        )
    return Delivered(path.name, "replaced")


def _keys(path: Path) -> set[str]:
    """What the rows of a file beside the weeks are known by; none for one that is broken, which any may replace."""
    try:
        with path.open("rb") as stream:
            return {row.get(_KEYS[path.name], "") for row in small_table(stream, path.name)[1]} - {""}
    except LandingError:
        return set()


def _lost_lines(old: Path, new: Path) -> int:
    """How many lines of a weekly file another has not; all of them where the headers differ: nothing can be compared."""
    (old_header, was), (new_header, becomes) = _digests(old), _digests(new)
    if old_header != new_header:
        return int(was.size)
    values, times = np.unique(was, return_counts=True)
    found, there = np.unique(becomes, return_counts=True)
    places = np.searchsorted(found, values).clip(max=found.size - 1)
    kept = np.where(found[places] == values, there[places], 0)
    return int(np.maximum(times - kept, 0).sum())


def _digests(path: Path) -> tuple[bytes, np.ndarray]:
    """The header of a sound weekly file, and eight bytes for each line, whatever ends it."""
    with cast(BinaryIO, gzip.open(path)) if path.name.endswith(".gz") else path.open("rb") as stream:
        header = next(stream).removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
        return header, np.fromiter((hash(line.rstrip(b"\r\n")) for line in stream), np.int64)


def _of_week(out: Path, file: LandingFile) -> dict[str, LandingFile | None]:
    """The files that the landing folder has for the week, plain and compressed, by name."""
    paths = [path for path in sorted(out.iterdir()) if path.is_file() and week_of(path.name) == file.week]
    return {path.name: _sound(path) for path in paths}


def _sound(path: Path) -> LandingFile | None:
    """A file of the landing folder; None for one that is broken, which a sound one may replace."""
    try:
        return look(path)
    except LandingError:
        return None


def look(path: Path) -> LandingFile:
    """What a weekly file holds.

    Raises:
        LandingError: it must not be ingested.
    """
    with path.open("rb") as stream:
        return inspect(stream, path.name)
