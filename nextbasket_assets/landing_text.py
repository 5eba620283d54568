"""The text of a landing file, read once in constant memory: is it text, is it whole, and what is its digest.

And the small CSV files that a retailer may put beside the weekly ones. No message shows what a line holds. Standard
library only.
"""

import codecs
import csv
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import BinaryIO

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

_CHUNK_BYTES = 1 << 20
_PACKED_BYTES = 1 << 16  # unpacked, 64 MB at the very most
_HEADER_BYTES = 1 << 16
_LINE_BYTES = 1 << 20
_MOST_EXPANSION, _FREE_BYTES = 200, 1 << 30  # weekly files shrink tenfold; below a gigabyte nobody counts


class LandingError(NextbasketError, ValueError):
    """A file that must not be ingested. The message says which file, what is wrong, and what to do."""

    exit_code = BAD_INPUT


class Counted:
    """A stream that counts the bytes read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.bytes = stream, 0

    def read(self, size: int = -1) -> bytes:
        """Bytes of the stream."""
        data = self.stream.read(size)
        self.bytes += len(data)
        return data


def chunks(counted: Counted, name: str) -> Iterable[bytes]:
    """The uncompressed text of a file, piece by piece.

    Raises:
        LandingError: the file is compressed and damaged, cut, or expands beyond all measure.
    """
    size = 0
    try:
        for chunk in _unpacked(counted) if name.endswith(".gz") else iter(lambda: counted.read(_CHUNK_BYTES), b""):
            size += len(chunk)
            if size > max(_FREE_BYTES, _MOST_EXPANSION * counted.bytes):
                raise LandingError(
                    f"{name}: expands to more than {_MOST_EXPANSION} times its {counted.bytes} bytes, which no weekly file "
                    "does. Deliver the week's transactions."
                )
            yield chunk
    except EOFError as error:
        raise LandingError(f"{name}: gzip ends early, after {counted.bytes} bytes. Deliver the whole file.") from error
    except zlib.error as error:
        raise LandingError(f"{name}: not a sound gzip file. Compress and deliver it again.") from error


def _unpacked(counted: Counted) -> Iterator[bytes]:
    """The text of all members of a gzip file, as Hadoop takes them: what follows the last one must be none, zeros neither."""
    member = None
    while data := counted.read(_PACKED_BYTES):
        while data:
            member = member or zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            if text := member.decompress(data):
                yield text
            data = member.unused_data
            member = None if member.eof else member
    if member:
        raise EOFError


class Text:
    """What one pass over the text of a file learns, chunk by chunk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = self.newlines = 0
        self._digest = hashlib.sha256()
        self._head = self._last = b""
        self._open_bytes = 0  # since the last line end
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def take(self, chunk: bytes) -> None:
        """Look at the next piece.

        Raises:
            LandingError: it is no text of lines.
        """
        if b"\0" in chunk:
            at = self.size + chunk.index(b"\0")
            raise LandingError(f"{self.name}: NUL at byte {at}: not a text file. Deliver it as UTF-8 text.")
        self._decode(chunk)
        if b"\n" not in self._head:
            self._head += chunk[:_HEADER_BYTES]
            if b"\n" not in self._head and len(self._head) >= _HEADER_BYTES:
                raise LandingError(f"{self.name}: the first {_HEADER_BYTES} bytes hold no line end. Expected a header.")
        self._digest.update(chunk)
        self.newlines += chunk.count(b"\n")
        self.size += len(chunk)
        self._last = chunk[-1:]
        self._refuse_long(chunk)

    def _refuse_long(self, chunk: bytes) -> None:
        end = chunk.rfind(b"\n")
        self._open_bytes = len(chunk) - end - 1 + (self._open_bytes if end < 0 else 0)
        if self._open_bytes > _LINE_BYTES:
            raise LandingError(
                f"{self.name}: line {self.newlines + 1} is longer than {_LINE_BYTES} bytes. "
                "Deliver one transaction a line, each with a line end."
            )

    def _decode(self, chunk: bytes) -> None:
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise LandingError(
                f"{self.name}: not UTF-8 near byte {self.size + error.start}. Save it as UTF-8 and deliver it again."
            ) from error

    def finish(self) -> tuple[str, ...]:
        """The header's names, once the whole text was taken.

        Raises:
            LandingError: the text is empty or cut, or its first line is no header.
        """
        if not self.size:
            raise LandingError(f"{self.name}: 0 bytes. Deliver the week's transactions.")
        if self._last != b"\n":
            raise LandingError(
                f"{self.name}: last line has no newline at byte {self.size}: the file may be cut. "
                "Deliver it whole, with a line end after the last line."
            )
        first = self._head.split(b"\n", 1)[0].decode("utf-8-sig").removesuffix("\r")
        if "\r" in first:
            raise LandingError(
                f"{self.name}: a carriage return inside the first line. Deliver it with line feeds (or CR and LF) as line ends."
            )
        return tuple(column.strip() for column in next(csv.reader([first])))

    def sha256(self) -> str:
        """Digest of the text so far."""
        return self._digest.hexdigest()


def small_table(stream: BinaryIO, name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of a small CSV file; a short row has empty texts.

    Raises:
        LandingError: it is no UTF-8 text, or no CSV.
    """
    rows = csv.DictReader(TextIOWrapper(stream, encoding="utf-8-sig", newline=""), restval="")
    try:
        return list(rows.fieldnames or ()), [{key: text for key, text in row.items() if key} for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LandingError(f"{name}: no CSV file in UTF-8. Save it as one, or remove it.") from error
