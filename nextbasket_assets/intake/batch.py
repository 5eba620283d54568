"""Some rows of a retailer's file, all text, whatever kind of file it is."""

import difflib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from nextbasket_assets.landing import LandingError


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        rows: the wanted columns, all text, null or empty where there is no value.
        numbers: of these rows in the file; the header is 1, blank lines do not count.
        malformed: {number: (what is wrong, the text)} of rows that have another number of columns than the header.
        read: bytes of the file that were read so far, as delivered.
        decimal: the sign of its numbers.
        ended: whether the last line read has a line end; a text file that was cut has none.
    """

    rows: pa.RecordBatch
    numbers: np.ndarray
    malformed: dict[int, tuple[str, str]]
    read: int
    decimal: str
    ended: bool = True


def require_columns(path: Path, columns: list[str], header: list[str]) -> None:
    """Check that a file has these columns, each once.

    Raises:
        LandingError: it has not; the nearest name is in the message.
    """
    for name in columns:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
            there = f"the nearest one is {near[0]!r}" if near else f"it has {', '.join(header)[:200]}"
            raise LandingError(f"{path.name}: no column {name!r}; {there}. Correct the mapping, or the file.")
        if header.count(name) > 1:
            raise LandingError(f"{path.name}: column {name!r} is there twice. Keep one of them.")
