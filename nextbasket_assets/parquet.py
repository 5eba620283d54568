"""Parquet files of the lake's tables, read with a look at the checksum that every page was written with.

A flipped bit is otherwise another number in half of all cases. Spark writes and looks by settings (`transforms.tables`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from nextbasket_assets.errors import NextbasketError

WRITTEN = {"write_page_checksum": True}  # arguments of every writer
LOOKED_AT = {"page_checksum_verification": True}  # and of every reader
_SPARKS_WORDS = re.compile(
    "ChecksumException|could not verify page integrity|is not a Parquet file|Could not read footer"
)
_FILE = re.compile(r"(?:file:/|s3a?://)[^\n]*?\.parquet")


class DamagedFileError(NextbasketError):
    """A file does not hold the bytes that were written."""


def read(
    paths: str | Sequence[str], columns: Sequence[str] | None = None, filesystem: pyarrow.fs.FileSystem | None = None
) -> pa.Table:
    """The rows of files, without what the names of their folders say.

    Args:
        paths: of one file, of several, or of a folder.
        columns: those to read; None for all.
        filesystem: where the paths are; None when they say so themselves.

    Raises:
        DamagedFileError: a file does not hold the bytes that were written.
    """
    options: dict[str, Any] = {"filesystem": filesystem, "partitioning": None, **LOOKED_AT}
    with undamaged(paths if isinstance(paths, str) else ", ".join(paths)):
        return pq.read_table(paths, columns=None if columns is None else list(columns), **options)


@contextmanager
def undamaged(place: str) -> Iterator[None]:
    """Explain what Arrow or Spark says of a damaged file in the block; an error of the disk or network stays what it is.

    Args:
        place: what is read; Spark's errors name the file themselves.

    Raises:
        DamagedFileError: a file does not hold the bytes that were written.
    """
    try:
        yield
    except Exception as error:
        why = _of_the_bytes(error)
        if why is None:
            raise
        named = _FILE.search(str(error))
        raise DamagedFileError(
            f"{named[0] if named else place}: does not hold the bytes that were written ({why}). Nothing was changed. "
            "Restore it from a copy of the lake, or materialise its table for that week again."
        ) from error


def _of_the_bytes(error: Exception) -> str | None:
    """What is wrong with the bytes, in the words of who read them; None when something else is wrong."""
    text = str(error)
    if sparks := _SPARKS_WORDS.search(text):
        return sparks[0]
    if isinstance(error, pa.ArrowInvalid):
        found = text.startswith("Could not open Parquet input source")
    else:
        found = type(error) is OSError and error.errno is None and "AWS Error" not in text
    return text.splitlines()[0][:200] if found else None
