"""Files of a table that are not what was written: gone, cut, or emptied by a power cut. Sizes alone are looked at."""

import re
from collections.abc import Mapping

import pyarrow.fs

_COMMIT = re.compile(r"[0-9]{20}\.json")


class DamageError(Exception):
    """A file of a table's log is not what was written."""


def damaged(filesystem: pyarrow.fs.FileSystem, folder: str, sizes: Mapping[str, int]) -> list[str]:
    """What is wrong with the files below a folder: one text for each that is not there or has another size.

    Args:
        sizes: path relative to the folder -> bytes that were committed.
    """
    if not sizes:
        return []
    selector = pyarrow.fs.FileSelector(folder, recursive=True, allow_not_found=True)
    found = {info.path.removeprefix(f"{folder}/"): info.size for info in filesystem.get_file_info(selector)}
    return [
        f"{path} is missing" if path not in found else f"{path} has {found[path]} bytes instead of {size}"
        for path, size in sizes.items()
        if found.get(path) != size
    ]


def newest_commit(filesystem: pyarrow.fs.FileSystem, log: str) -> pyarrow.fs.FileInfo | None:
    """The newest commit of a log, by one listing; None when there is none.

    Raises:
        DamageError: a commit is an empty file: a reader would take it for a commit that changes nothing.
    """
    listed = filesystem.get_file_info(pyarrow.fs.FileSelector(log, allow_not_found=True))
    commits = [info for info in listed if _COMMIT.fullmatch(info.base_name)]
    empty = [info.base_name for info in commits if info.size == 0]
    if empty:
        raise DamageError(f"{empty[0]} is empty")
    return max(commits, key=lambda info: info.base_name, default=None)
