"""The landing folder: what it is asked for, wherever it is."""

import gzip
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlparse

import dagster as dg

from nextbasket_assets import retail_calendar
from nextbasket_assets.arrivals import Listed
from nextbasket_assets.catalogue import FILE_NAME, Catalogue, read_catalogue
from nextbasket_assets.landing import LandingError, LandingFile, inspect, week_code, week_of
from nextbasket_assets.mentions import mentions
from nextbasket_assets.resources.landing_folders import BrokenOffError, Folder, LocalFolder, S3Folder

_READINGS = 5  # of a file whose bytes break off on the way
_Read = TypeVar("_Read")


class LandingResource(dg.ConfigurableResource):
    """Where weekly files arrive.

    Attributes:
        uri: absolute local folder, or s3://bucket/prefix.
        pseudonym_key: path or URI of the file with the key under which customer codes are hidden; None for plain codes.
    """

    uri: str
    pseudonym_key: str | None = None

    def folder(self) -> Folder:
        """The folder itself, a plain object."""
        parsed = urlparse(self.uri)
        if parsed.scheme == "s3":
            prefix = parsed.path.strip("/")
            return S3Folder(parsed.netloc, f"{prefix}/" if prefix else "")
        return LocalFolder(Path(self.uri))


def calendar_of(folder: Folder) -> frozenset[date] | None:
    """Weeks of the retailer's calendar; None where the folder has no time.csv.

    Raises:
        LandingError: the calendar cannot be read.
    """
    content = read_optional(folder, retail_calendar.FILE_NAME)
    return retail_calendar.read_calendar(BytesIO(content)) if content is not None else None


def usable_calendar(
    folder: Folder, warn: Callable[[str], None], unreadable: frozenset[date] | None = None
) -> frozenset[date] | None:
    """The retailer's calendar; one that cannot be read is said and stops nothing, and `unreadable` stands for it."""
    return _usable(calendar_of, folder, warn, unreadable)


def read_optional(folder: Folder, name: str) -> bytes | None:
    """A small file that a retailer may have put beside the weekly ones; None without it."""
    if name not in {listed.name for listed in folder.list()}:
        return None
    return _whole(folder, name, lambda stream: stream.read())


def catalogue_of(folder: Folder) -> Catalogue:
    """The retailer's names; an empty catalogue without a products.csv.

    Raises:
        LandingError: the products.csv cannot be read.
    """
    content = read_optional(folder, FILE_NAME)
    return read_catalogue(BytesIO(content)) if content is not None else Catalogue()


def usable_catalogue(folder: Folder, warn: Callable[[str], None]) -> Catalogue:
    """The retailer's names; a products.csv that cannot be read is said, and codes stand for themselves."""
    return _usable(catalogue_of, folder, warn, Catalogue())


def _usable(read: Callable[[Folder], _Read], folder: Folder, warn: Callable[[str], None], instead: _Read) -> _Read:
    try:
        return read(folder)
    except LandingError as error:
        warn(str(error))
        return instead


def inspect_file(folder: Folder, name: str, *, allow_empty: bool = False) -> LandingFile:
    """Read one file of the folder and say what it holds.

    Raises:
        LandingError: it must not be ingested; the message says why.
    """
    return _whole(folder, name, lambda stream: inspect(stream, name, allow_empty=allow_empty))


def _whole(folder: Folder, name: str, read: Callable[[BinaryIO], _Read]) -> _Read:
    """What is read in a file; it is read anew, from its first byte, when its bytes break off on the way."""
    for _ in range(_READINGS - 1):
        with suppress(BrokenOffError), folder.open(name) as stream:
            return read(stream)
    with folder.open(name) as stream:
        return read(stream)


def files_with(folder: Folder, code: str) -> tuple[list[str], list[str]]:
    """Names of the files below the folder of which the code is a field, and those that could not be searched.

    It raises nothing, whatever the folder or a file is like: the folder's own URI stands for all that is in it.
    """
    try:
        names = [*(listed.name for listed in folder.list() if week_of(listed.name)), *folder.beside()]
    except Exception:
        return [], [folder.uri("")]
    found = {name: _holds(folder, name, code) for name in names}
    return [name for name in names if found[name]], [name for name in names if found[name] is None]


def _holds(folder: Folder, name: str, code: str) -> bool | None:
    """Whether a file holds the code; None when it cannot be read to its end: a damaged file, a folder, a bucket that fails."""
    try:
        with folder.open(name) as stream:
            return mentions(gzip.GzipFile(fileobj=stream) if name.endswith(".gz") else stream, code)
    except Exception:
        return None


def files_of(folder: Folder, weeks: list[date], *, allow_empty: bool = False) -> list[LandingFile]:
    """The one sound file of every week, in week order.

    Raises:
        LandingError: a week has no file, two files that differ, or one that must not be ingested.
    """
    names: dict[date, list[str]] = {week: [] for week in weeks}
    for listed in folder.list():
        week = week_of(listed.name)
        if week in names:
            names[week].append(listed.name)
    missing = [f"{week_code(week)} ({week})" for week, found in names.items() if not found]
    if missing:
        raise LandingError(
            f"no landing file for {len(missing)} week(s): {', '.join(missing[:10])}. "
            "Leave them out of the range, or deliver transactions_YYYYWW.csv.gz for each."
        )
    return [_only([inspect_file(folder, name, allow_empty=allow_empty) for name in found]) for found in names.values()]


def refuse_changed(folder: Folder, before: list[Listed], files: list[LandingFile]) -> None:
    """Check that these files are still what they were in an earlier listing.

    Raises:
        LandingError: one was replaced meanwhile, so that what was inspected may not be what was read.
    """
    then, now = ({listed.name: listed for listed in listing} for listing in (before, folder.list()))
    for file in files:
        if then.get(file.name) != now.get(file.name):
            raise LandingError(
                f"{file.name}: it changed while it was read. Nothing was published, the last good version stays. "
                "Start the run again; write files under another name and rename them at the end."
            )


def _only(files: list[LandingFile]) -> LandingFile:
    rival = next((file for file in files if file.sha256 != files[0].sha256), None)
    if rival:
        raise LandingError(
            f"{rival.name}: {files[0].name} is another file for week {week_code(rival.week)}. Remove one of them."
        )
    return files[0]
