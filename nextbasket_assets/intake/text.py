"""A retailer's text file, in batches of text columns: memory does not grow with the file."""

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv

from nextbasket_assets.intake.batch import Batch, require_columns
from nextbasket_assets.intake.mapping import Csv
from nextbasket_assets.landing import LandingError

_BLOCK_BYTES = 4 << 20
_MOST_MALFORMED = 100_000  # rows without a sound one


@dataclass
class _Malformed:
    """Rows that the reader leaves out, until the batch they belong to.

    A batch begins with a sound row: where none comes for so long, the delimiter or the header is wrong, and to keep every
    text would take the memory of the file.
    """

    found: dict[int, tuple[str, str]] = field(default_factory=dict)
    given_up: str = ""  # for what

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        why = f"the row has {row.actual_columns} columns, the header {row.expected_columns}"
        if len(self.found) >= _MOST_MALFORMED:
            self.given_up = why
            return "error"
        self.found[row.number] = (why, row.text)
        return "skip"

    @contextmanager
    def told(self, path: Path) -> Iterator[None]:
        """Say of a file that was given up what its rows are like; Arrow's message would show one."""
        try:
            yield
        except pa.ArrowException as error:
            if not self.given_up:
                raise
            raise LandingError(
                f"{path.name}: {_MOST_MALFORMED:,} rows on end are no rows of the header: {self.given_up}. Set delimiter "
                "and encoding under csv in the mapping, or export it again."
            ) from error

    def before(self, number: int) -> dict[int, tuple[str, str]]:
        return {key: self.found.pop(key) for key in sorted(self.found) if key < number}


def csv_batches(path: Path, columns: list[str], text: Csv) -> Iterator[Batch]:
    """A text file's rows.

    Raises:
        LandingError: a column is missing or there twice, a row runs over several lines, or hardly one has the header's columns.
        pa.ArrowException: it is no table in text.
    """
    with path.open("rb") as raw:
        header = _open_csv(_lines(path, raw, text), text, None, lambda _: "skip").schema.names
        require_columns(path, columns, header)
    malformed, first = _Malformed(), 2
    with path.open("rb") as raw:
        lines = _lines(path, raw, text)
        with malformed.told(path):
            for batch in _open_csv(lines, text, columns, malformed):
                numbers = np.arange(first, first + batch.num_rows + len(malformed.found))
                numbers = numbers[~np.isin(numbers, list(malformed.found))][: batch.num_rows]
                first = int(numbers[-1]) + 1 if batch.num_rows else first
                yield Batch(batch, numbers, malformed.before(first), raw.tell(), text.decimal)
        rest = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in columns], columns)
        yield Batch(rest, np.arange(0), dict(malformed.found), raw.tell(), text.decimal, lines.ended)


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
        self._row = re.compile(f"\ufeff?+{value}(?:{re.escape(text.delimiter)}{value})*+")
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

    @property
    def ended(self) -> bool:
        """Whether a line end was the last that was read."""
        return not self._rest

    def close(self) -> None:
        """Who opened the file closes it."""


def _lines(path: Path, raw: BinaryIO, text: Csv) -> _OneLineRows:
    # Python's gzip, because it tells a cut file from one that ends.
    packed = path.name.lower().endswith(".gz")
    return _OneLineRows(path.name, cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw, text)


def _open_csv(
    lines: _OneLineRows, text: Csv, columns: list[str] | None, malformed: object
) -> pa.csv.CSVStreamingReader:
    return pa.csv.open_csv(
        pa.PythonFile(lines, mode="r"),
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=text.encoding),
        parse_options=pa.csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=malformed),
        convert_options=pa.csv.ConvertOptions(
            include_columns=columns or [], column_types=dict.fromkeys(columns or [], pa.string())
        ),
    )
