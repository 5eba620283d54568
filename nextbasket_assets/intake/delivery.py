"""Finished files into a landing folder: all of them inspected first, each renamed into place, nothing half done."""

import filecmp
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from nextbasket_assets.landing import LandingError, LandingFile, inspect, week_code, week_of


@dataclass(frozen=True)
class Delivered:
    """A file of the landing folder after a delivery."""

    name: str
    status: Literal["new", "replaced", "unchanged"]
    lines: int | None = None  # None for a file that is no week


def deliver(prepared: list[Path], out: Path, *, replace: bool) -> list[Delivered]:
    """Move these files, which are in a folder of the same disk, into the landing folder.

    Args:
        prepared: weekly files and the ones beside them.
        out: the landing folder.
        replace: whether a week may get fewer lines than it has.

    Raises:
        LandingError: a file is not sound, two are of one week, or a week would lose lines; nothing was moved then.
    """
    found = {path: look(path) if week_of(path.name) else None for path in sorted(prepared)}
    _refuse_rivals([file for file in found.values() if file])
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


def _plan(path: Path, new: LandingFile | None, out: Path, *, replace: bool) -> Delivered:
    if (out / path.name).is_dir():
        raise LandingError(f"{path.name}: the landing folder has a folder of that name. Move it away.")
    if new is None:
        there = out / path.name
        same = there.exists() and filecmp.cmp(path, there, shallow=False)
        return Delivered(path.name, "unchanged" if same else "replaced" if there.exists() else "new")
    for there in _of_week(out, new):
        old = _sound(there)
        if old and old.sha256 == new.sha256:
            return Delivered(there.name, "unchanged", new.lines)
        if there.name != path.name:
            raise LandingError(
                f"{path.name}: {there.name} is another file for week {week_code(new.week)}. Remove one of them."
            )
        if old and old.lines > new.lines and not replace:
            raise LandingError(
                f"{path.name}: the week has {old.lines} lines and would have {new.lines}. Name every export that holds lines "
                "of the week, or give --replace to take the shorter one."
            )
        return Delivered(path.name, "replaced", new.lines)
    return Delivered(path.name, "new", new.lines)


def _of_week(out: Path, file: LandingFile) -> Iterable[Path]:
    return [path for path in sorted(out.iterdir()) if path.is_file() and week_of(path.name) == file.week]


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
