"""A retailer's transaction files: which they are, whether they stay as they are, and their rows."""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from nextbasket_assets.intake.batch import Batch
from nextbasket_assets.intake.columnar import parquet_batches
from nextbasket_assets.intake.mapping import Csv
from nextbasket_assets.intake.text import csv_batches
from nextbasket_assets.landing import LandingError

SUFFIXES = (".csv", ".csv.gz", ".parquet")

Stamps = dict[Path, tuple[int, int]]  # by file: its size, and when it changed last


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


def find_beside(sources: list[Path], name: str) -> list[Path]:
    """The files of this name beside the sources, in each folder that has one.

    Raises:
        LandingError: none has.
    """
    folders = list(dict.fromkeys(source.parent for source in sources))
    found = [folder / name for folder in folders if (folder / name).is_file()]
    if not found:
        raise LandingError(
            f"{folders[0] / name}: no such products file. Put it beside the transactions, or correct products.file."
        )
    return found


def stamps(paths: Iterable[Path]) -> Stamps:
    """Size and time of the last change, by which a file that is still being written is told."""
    return {path: (stat.st_size, stat.st_mtime_ns) for path in paths for stat in [path.stat()]}


def refuse_changed(before: Stamps) -> None:
    """Check that these files are what they were when they were stamped.

    Raises:
        LandingError: one is still being written, so that its last line may be half of one.
    """
    now = stamps(before)
    if changed := [path.name for path in before if now[path] != before[path]]:
        raise LandingError(f"{changed[0]}: it changed while it was landed. Land it again when it is whole.")


def not_read(places: list[Path], known: list[Path]) -> list[str]:
    """The names in these folders, their subfolders among them, that are none of these files and folders."""
    inside = [path for place in places if place.is_dir() for path in place.iterdir()]
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
        yield from parquet_batches(path, columns)
        return
    try:
        yield from csv_batches(path, columns, text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LandingError(f"{path.name}: the compressed file is cut or damaged ({error}). Export it again.") from error
    except (pa.ArrowException, UnicodeError) as error:
        raise LandingError(
            f"{path.name}: cannot be read: {error}. Set delimiter and encoding under csv in the mapping, or export it again."
        ) from error
