"""Sealing a folder of files: SHA256SUMS over everything in it, and the check that nothing changed since."""

import hashlib
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.fs

from nextbasket_assets.lake.tables import Lake, LakeError

SUMS = "SHA256SUMS"


def write(lake: Lake, folder: str, files: Mapping[str, bytes]) -> str:
    """Write the files of a new folder and seal it; the digest."""
    for name, content in files.items():
        lake.storage.put(lake.path(folder, name), content)
    return seal(lake, folder)


def read(lake: Lake, folder: str, name: str) -> bytes:
    """One file of a folder; `verify` the folder first."""
    with lake.filesystem.open_input_stream(lake.path(folder, name)) as stream:
        return bytes(stream.read())


def seal(lake: Lake, folder: str) -> str:
    """Write SHA256SUMS for every file below `folder` (relative to the lake); its own sha256."""
    lines = [f"{_sha256(lake, lake.path(folder, path))}  {path}" for path in _files(lake, folder)]
    text = ("\n".join(lines) + "\n").encode()
    lake.storage.put(lake.path(folder, SUMS), text)
    return hashlib.sha256(text).hexdigest()


def verify(lake: Lake, folder: str, expected: str) -> None:
    """Check that the folder is the one that was sealed.

    Raises:
        LakeError: a file is missing or has other content; names it.
    """
    if lake.filesystem.get_file_info(lake.path(folder, SUMS)).type == pa.fs.FileType.NotFound:
        raise LakeError(
            f"{folder}: {SUMS} is missing, so the model cannot be trusted. Restore the folder or train again."
        )
    with lake.filesystem.open_input_stream(lake.path(folder, SUMS)) as stream:
        text = bytes(stream.read())
    if hashlib.sha256(text).hexdigest() != expected:
        raise LakeError(f"{folder}: sha256 of {SUMS} differs from the registry's. Restore the folder or train again.")
    wanted = {path: sha256 for sha256, path in (line.split("  ", 1) for line in text.decode().splitlines())}
    found = {path: _sha256(lake, lake.path(folder, path)) for path in _files(lake, folder)}
    for path in sorted(wanted.keys() | found.keys()):
        if wanted.get(path) != found.get(path):
            raise LakeError(f"{folder}: sha256 differs for {path}. Restore the folder or train again.")


def _files(lake: Lake, folder: str) -> list[str]:
    """The folder's files, relative to it, without the sums themselves and without engines' hidden checksums."""
    selector = pa.fs.FileSelector(lake.path(folder), recursive=True)
    base = lake.path(folder) + "/"
    files = (info for info in lake.filesystem.get_file_info(selector) if info.type == pa.fs.FileType.File)
    return sorted(info.path.removeprefix(base) for info in files if info.base_name != SUMS and info.base_name[0] != ".")


def _sha256(lake: Lake, path: str) -> str:
    hashed = hashlib.sha256()
    with lake.filesystem.open_input_stream(path) as stream:
        while block := stream.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()
