"""Files of the lake for engines that read and write only this machine's disk (torch).

A lake on a disk hands out its own paths; a lake in a bucket hands out copies, and takes a finished folder back.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.fs

from nextbasket_assets.lake.artifacts import SUMS
from nextbasket_assets.lake.storage import Disk
from nextbasket_assets.lake.tables import Lake

_PREFIX = "nextbasket-copy-"


@contextmanager
def local_files(lake: Lake, uris: Sequence[str]) -> Iterator[list[str]]:
    """Paths of these files of the lake, in the same order; copies last as long as the block."""
    if isinstance(lake.storage, Disk):
        yield list(uris)
        return
    with _folder() as folder:
        yield [_copy(lake, uri, Path(folder) / f"{index:05d}-{Path(uri).name}") for index, uri in enumerate(uris)]


@contextmanager
def local_folder(lake: Lake, folder: str | None) -> Iterator[str | None]:
    """Path of a folder of the lake (relative to its root) and all that is in it; None stays None."""
    if folder is None or isinstance(lake.storage, Disk):
        yield lake.uri(folder) if folder else None
        return
    with _folder() as copy:
        base = lake.path(folder) + "/"
        for info in lake.filesystem.get_file_info(pyarrow.fs.FileSelector(base, recursive=True, allow_not_found=True)):
            if info.type == pyarrow.fs.FileType.File:
                relative = info.path.removeprefix(base)
                _copy(lake, lake.uri(folder, relative), Path(copy) / relative)
        yield copy


@contextmanager
def new_folder(lake: Lake, folder: str) -> Iterator[str]:
    """A local folder to fill, which becomes `folder` of the lake when the block succeeds; its digests arrive last."""
    if isinstance(lake.storage, Disk):
        yield lake.uri(folder)
        return
    with _folder() as copy:
        yield copy
        files = [path for path in Path(copy).rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: (path.name == SUMS, path)):
            with path.open("rb") as stream:
                lake.storage.put(lake.path(folder, path.relative_to(copy).as_posix()), stream)


@contextmanager
def _folder() -> Iterator[str]:
    """A folder for copies, gone after the block; what a killed process left of them goes first, for customers are in it."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _collect(left)
    while True:
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
            place = _locked(Path(folder))
            if place is None:  # another process took it for a leftover before it was locked
                continue
            try:
                yield folder
            finally:
                os.close(place)
            return


def _collect(folder: Path) -> None:
    place = _locked(folder)
    if place is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(place)


def _locked(folder: Path) -> int | None:
    """A lock on the folder, which ends with its process however that ends; None when it has one, or is not there for us."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(place)
        return None
    if folder.exists():
        return place
    os.close(place)
    return None


def _copy(lake: Lake, uri: str, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    path = lake.path(uri.removeprefix(lake.root + "/"))
    pyarrow.fs.copy_files(path, str(target), lake.filesystem, pyarrow.fs.LocalFileSystem())
    return str(target)
