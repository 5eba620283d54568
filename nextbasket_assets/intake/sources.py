"""A retailer's transaction files, in batches of text columns: memory does not grow with the file."""

import codecs
import difflib
import gzip
import io
import re
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
_EXACT = 2.0**53  # below it a float holds every whole number


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        rows: the wanted columns, all text, null or empty where there is no value.
        numbers: of these rows in the file; the header is 1, blank lines do not count.
        malformed: {number: (what is wrong, the text)} of rows that have another number of columns than the header.
        read: bytes of the file that were read so far, as delivered.
        decimal: the sign of its numbers.
    """

    rows: pa.RecordBatch
    numbers: np.ndarray
    malformed: dict[int, tuple[str, str]]
    read: int
    decimal: str


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
        fitting = [path for path in inside if path.is_file() and _ends(path, *SUFFIXES) and path.name != besides]
        if not fitting:
            raise LandingError(f"{place}: nothing to read there. Expected files that end in {', '.join(SUFFIXES)}.")
        found += fitting
    refuse_one_name(found)
    return sorted(found, key=lambda path: path.name)


def not_read(places: list[Path], known: list[Path], besides: str | None = None) -> list[str]:
    """The names in these folders, their subfolders among them, that are none of these files and folders."""
    inside = [path for place in places if place.is_dir() for path in place.iterdir() if path.name != besides]
    resolved = {path.resolve() for path in known}
    return sorted({path.name for path in inside if path.resolve() not in resolved})


def _ends(path: Path, *suffixes: str) -> bool:
    return path.name.lower().endswith(suffixes)


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
        LandingError: a column is missing or there twice, a row runs over several lines, or the file is cut or not in the
            encoding.
    """
    if _ends(path, ".parquet"):
        yield from _parquet(path, columns)
        return
    try:
        yield from _csv(path, columns, text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LandingError(f"{path.name}: the compressed file is cut or damaged ({error}). Export it again.") from error
    except (pa.ArrowException, UnicodeError) as error:
        raise LandingError(
            f"{path.name}: cannot be read: {error}. Set delimiter and encoding under csv in the mapping, or export it again."
        ) from error


def _parquet(path: Path, columns: list[str]) -> Iterator[Batch]:
    size, done = path.stat().st_size, 0
    try:
        file = pq.ParquetFile(path)
        _require(path, columns, file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
            numbers = np.arange(done + 2, done + 2 + batch.num_rows)  # as in a text file with a header
            done += batch.num_rows
            rows = pa.RecordBatch.from_arrays([_text(path, name, batch.column(name)) for name in columns], columns)
            yield Batch(rows, numbers, {}, size * done // file.metadata.num_rows, ".")
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of what the file holds
            raise
        said = " ".join(str(error).split()).removesuffix(".")
        raise LandingError(f"{path.name}: cannot be read as parquet: {said}. Export it again.") from error


def _text(path: Path, name: str, values: pa.Array) -> pa.Array:
    """Any column as text; NaN, which pandas writes for a gap, is one."""
    try:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        return _float_text(values) if pa.types.is_floating(values.type) else values.cast(pa.string())
    except pa.ArrowException as error:
        raise LandingError(
            f"{path.name}: column {name!r} holds {values.type}, which cannot be read as text. Export it as text, or as "
            "plain numbers or times."
        ) from error


def _float_text(values: pa.Array) -> pa.Array:
    """Whole numbers, which pandas makes floats of in a column with gaps, without the `.0`."""
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    whole = pc.and_(pc.less(pc.abs(values), _EXACT), pc.equal(values, pc.floor(values)))
    integers = pc.if_else(whole, values, pa.scalar(0, values.type)).cast(pa.int64())
    return pc.if_else(whole, integers.cast(pa.string()), values.cast(pa.string()))


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
            yield Batch(batch, numbers, malformed.before(first), raw.tell(), text.decimal)
        rest = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in columns], columns)
        yield Batch(rest, np.arange(0), dict(malformed.found), raw.tell(), text.decimal)


class _OneLineRows:
    """A text file as it is, read through; no row of it runs over several lines, as after a quote that is never closed.

    Arrow would take the lines up to the next quote for one value, so that rows were gone and the account still added up.
    """

    closed = False

    def __init__(self, name: str, source: BinaryIO, text: Csv) -> None:
        self._name, self._source = name, source
        decoder = codecs.getincrementaldecoder(text.encoding)()
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        other = f"[^{re.escape(text.delimiter)}]*+"  # a quote means something at the beginning of a value only
        value = f'(?:"[^"]*+(?:""[^"]*+)*+"{other}|(?!"){other})'
        self._row = re.compile(f"\ufeff?{value}(?:{re.escape(text.delimiter)}{value})*+")
        self._rest, self._lines = "", 0  # what follows the last line end, and how many lines are before it

    def read(self, size: int = -1) -> bytes:
        """Bytes of the file.

        Raises:
            LandingError: a quote is open at the end of a line.
        """
        data = self._source.read(size)
        *lines, self._rest = (self._rest + self._decoder.decode(data, final=not data)).split("\n")
        for number, line in enumerate(lines if data else [*lines, self._rest], start=self._lines + 1):
            if '"' in line and not self._row.fullmatch(line):
                raise LandingError(
                    f"{self._name}: line {number}: a value begins with a quote that is not closed on the line. Close it, or "
                    'write a quote inside of a value twice ("") and no line break into one.'
                )
        self._lines += len(lines)
        return data

    def close(self) -> None:
        """Who opened the file closes it."""


def _open_csv(
    path: Path, raw: BinaryIO, text: Csv, columns: list[str] | None, malformed: object
) -> pa.csv.CSVStreamingReader:
    # Python's gzip, because it tells a cut file from one that ends.
    source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if _ends(path, ".gz") else raw
    return pa.csv.open_csv(
        pa.PythonFile(_OneLineRows(path.name, source, text), mode="r"),
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=text.encoding),
        parse_options=pa.csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=malformed),
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
