"""A retailer's transaction files, in batches of text columns: memory does not grow with the file."""

import difflib
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from nextbasket_assets.intake.mapping import Csv
from nextbasket_assets.landing import LandingError

SUFFIXES = (".csv", ".csv.gz", ".parquet")
_BLOCK_BYTES = 4 << 20
_BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        rows: the wanted columns, all text, null or empty where there is no value.
        numbers: of these rows in the file; the header is 1, blank lines do not count.
        malformed: {number: (what is wrong, the text)} of rows that have another number of columns than the header.
        read: bytes of the file that were read so far, as delivered.
    """

    rows: pa.RecordBatch
    numbers: np.ndarray
    malformed: dict[int, tuple[str, str]]
    read: int


def find_sources(places: list[Path], besides: str | None = None) -> list[Path]:
    """The files to read, in the order of their names; a folder stands for those in it, `besides` one of them.

    Raises:
        LandingError: a place does not exist or holds nothing readable, or two files have one name.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise LandingError(f"{place}: no such file or folder. Name the transaction files, or their folder.")
        inside = sorted(place.iterdir()) if place.is_dir() else [place]
        fitting = [path for path in inside if path.name.endswith(SUFFIXES) and path.name != besides]
        if not fitting:
            raise LandingError(f"{place}: nothing to read there. Expected files that end in {', '.join(SUFFIXES)}.")
        found += fitting
    refuse_one_name(found)
    return sorted(found, key=lambda path: path.name)


def refuse_one_name(found: list[Path]) -> None:
    """Check that no two files have one name.

    Raises:
        LandingError: a line that is refused could not be found, and a weekly file would take the place of another.
    """
    for name, times in Counter(path.name for path in found).items():
        if times > 1:
            raise LandingError(
                f"two of the sources have one name, {name}, so that one could not be told from the other. "
                "Rename one of them, or leave it out."
            )


def batches(path: Path, columns: list[str], text: Csv) -> Iterator[Batch]:
    """A file's rows.

    Raises:
        LandingError: a column is missing or there twice, or the file is cut or not in the encoding.
    """
    reader = _parquet if path.name.endswith(".parquet") else _csv
    try:
        yield from reader(path, columns, text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LandingError(f"{path.name}: the compressed file is cut or damaged ({error}). Export it again.") from error
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise LandingError(
            f"{path.name}: cannot be read: {error}. Set delimiter and encoding under csv in the mapping, or export it again."
        ) from error


def _parquet(path: Path, columns: list[str], _: Csv) -> Iterator[Batch]:
    file = pq.ParquetFile(path)
    _require(path, columns, file.schema_arrow.names)
    size, done = path.stat().st_size, 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
        numbers = np.arange(done + 2, done + 2 + batch.num_rows)  # as in a text file with a header
        done += batch.num_rows
        arrays = [_text(batch.column(name)) for name in columns]
        yield Batch(pa.RecordBatch.from_arrays(arrays, columns), numbers, {}, size * done // file.metadata.num_rows)


def _text(values: pa.Array) -> pa.Array:
    """Any column as text: whole floats, which pandas makes of numbers with gaps, without the `.0`; its NaN is a gap."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        if pc.all(pc.equal(values, pc.floor(values))).as_py():
            values = values.cast(pa.int64())
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.string())


@dataclass
class _Malformed:
    """Rows that the reader leaves out, until the batch they belong to."""

    found: dict[int, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        why = f"the row has {row.actual_columns} columns, the header {row.expected_columns}"
        self.found[row.number] = (why, row.text)
        return "skip"

    def before(self, number: int) -> dict[int, tuple[str, str]]:
        return {key: self.found.pop(key) for key in sorted(self.found) if key < number}


def _csv(path: Path, columns: list[str], text: Csv) -> Iterator[Batch]:
    with path.open("rb") as raw:
        _require(path, columns, _open_csv(path, raw, text, None, lambda _: "skip").schema.names)
    malformed, first = _Malformed(), 2
    with path.open("rb") as raw:
        for batch in _open_csv(path, raw, text, columns, malformed):
            numbers = np.arange(first, first + batch.num_rows + len(malformed.found))
            numbers = numbers[~np.isin(numbers, list(malformed.found))][: batch.num_rows]
            first = int(numbers[-1]) + 1 if batch.num_rows else first
            yield Batch(batch, numbers, malformed.before(first), raw.tell())
        rest = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in columns], columns)
        yield Batch(rest, np.arange(0), dict(malformed.found), raw.tell())


def _open_csv(
    path: Path, raw: BinaryIO, text: Csv, columns: list[str] | None, malformed: object
) -> pa.csv.CSVStreamingReader:
    # Python's gzip, because it tells a cut file from one that ends.
    source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.name.endswith(".gz") else raw
    return pa.csv.open_csv(
        pa.PythonFile(source, mode="r"),
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=text.encoding),
        parse_options=pa.csv.ParseOptions(
            delimiter=text.delimiter, newlines_in_values=True, invalid_row_handler=malformed
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=columns or [], column_types=dict.fromkeys(columns or [], pa.string())
        ),
    )


def _require(path: Path, columns: list[str], header: list[str]) -> None:
    for name in columns:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
            there = f"the nearest one is {near[0]!r}" if near else f"it has {', '.join(header)[:200]}"
            raise LandingError(f"{path.name}: no column {name!r}; {there}. Correct the mapping, or the file.")
        if header.count(name) > 1:
            raise LandingError(f"{path.name}: column {name!r} is there twice. Keep one of them.")
