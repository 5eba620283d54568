"""The parquet files of customer_sequences, read batch by batch."""

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.parquet import LOOKED_AT, undamaged

COLUMNS = ["customer", "baskets"]
MISSION_MODEL = "mission_model"
ITEMS = "baskets.list.element.items.list.element"  # where the item codes are in a file


class SequenceError(NextbasketError, ValueError):
    """The sequences cannot be used; the message says what is wrong and what to do."""


def batches(
    files: list[str], rows: int, filesystem: fs.FileSystem | None = None, in_dictionaries: bool = False
) -> Iterator[pa.RecordBatch]:
    """What is read of the files, in the order of their names.

    Args:
        files: paths or URIs. filesystem: where they are; None finds out from each.
        rows: at most, of a batch. Batches do not reach over the row groups of a file, each of which has its own dictionaries;
            those of a row group are about equally large, so that no core waits for the last one.
        in_dictionaries: whether item codes are delivered in dictionaries instead of as a string per purchase.

    Raises:
        SequenceError: a file lacks a column.
        DamagedFileError: a file does not hold the bytes that were written.
    """
    for path in sorted(files):
        source, name = (filesystem, path) if filesystem else fs.FileSystem.from_uri(_uri(path))
        coded = [ITEMS] if in_dictionaries else None
        with undamaged(path), pq.ParquetFile(name, filesystem=source, read_dictionary=coded, **LOOKED_AT) as file:
            missing = sorted(set(COLUMNS) - set(file.schema_arrow.names))
            if missing:
                raise SequenceError(f"a sequence file has no column {', '.join(missing)}: rebuild customer_sequences")
            columns = [*COLUMNS, *({MISSION_MODEL} & set(file.schema_arrow.names))]
            for group in range(file.num_row_groups):
                size = _even(file.metadata.row_group(group).num_rows, rows)
                yield from file.iter_batches(batch_size=size, row_groups=[group], columns=columns)


def _even(count: int, most: int) -> int:
    """The size of the fewest equal parts of which none holds more than `most`."""
    return math.ceil(count / math.ceil(count / most)) if count else most


def _uri(path: str) -> str:
    return path if "://" in path else Path(path).absolute().as_uri()
