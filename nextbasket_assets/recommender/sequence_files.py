"""The parquet files of customer_sequences, opened one after the other and read batch by batch."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from nextbasket_assets.errors import NextbasketError

COLUMNS = ["customer", "baskets"]
MISSION_MODEL = "mission_model"
ITEMS = "baskets.list.element.items.list.element"  # where the item codes are in a file


class SequenceError(NextbasketError, ValueError):
    """The sequences cannot be used; the message says what is wrong and what to do."""


def opened(
    files: list[str], filesystem: fs.FileSystem | None, in_dictionaries: bool = False
) -> Iterator[pq.ParquetFile]:
    """The files, in the order of their names.

    Args:
        files: paths or URIs. filesystem: where they are; None finds out from each.
        in_dictionaries: whether item codes are delivered in dictionaries, each code once per row group, instead of as
            one string per purchase. A batch must not reach over two row groups then.

    Raises:
        SequenceError: a file lacks a column.
    """
    for path in sorted(files):
        source, name = (filesystem, path) if filesystem else fs.FileSystem.from_uri(_uri(path))
        with pq.ParquetFile(name, filesystem=source, read_dictionary=[ITEMS] if in_dictionaries else None) as file:
            missing = sorted(set(COLUMNS) - set(file.schema_arrow.names))
            if missing:
                raise SequenceError(f"a sequence file has no column {', '.join(missing)}: rebuild customer_sequences")
            yield file


def batches(file: pq.ParquetFile, rows: int, row_groups: list[int] | None = None) -> Iterator[pa.RecordBatch]:
    """What is read of a file, at most so many rows at a time; of all row groups or of some."""
    named = [MISSION_MODEL] if MISSION_MODEL in file.schema_arrow.names else []
    for batch in file.iter_batches(batch_size=rows, columns=[*COLUMNS, *named], row_groups=row_groups):
        if batch.num_rows:
            yield batch


def _uri(path: str) -> str:
    return path if "://" in path else Path(path).absolute().as_uri()
