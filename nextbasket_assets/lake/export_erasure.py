"""Erasing a person from the exports in the lake: their files are written again without them, and a new manifest says so.

Whom a file holds is said by its column `customer` alone: a code may be a number, and numbers are in every file.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.fs

from nextbasket_assets import parquet
from nextbasket_assets.code_version import code_version
from nextbasket_assets.exports.csv_files import guarded
from nextbasket_assets.exports.folder import DICTIONARY, LONG_FORM, MANIFEST, WIDE_FORM, read_lists, write_export
from nextbasket_assets.exports.lists import Lists
from nextbasket_assets.lake.copies import local_folder
from nextbasket_assets.lake.exports import EXPORTS, TABLE, Manifest, current, place, replace_export, stage_rows
from nextbasket_assets.lake.freshness import last_made
from nextbasket_assets.lake.publish import ERASED, Provenance, publish, stage
from nextbasket_assets.lake.reports import week_of
from nextbasket_assets.lake.tables import Lake

_CUSTOMER = "customer"
_FORMS = {f"{form}.{kind}" for form in (LONG_FORM, WIDE_FORM) for kind in ("parquet", "csv")}
_CUSTOMERS_ONLY = pyarrow.csv.ConvertOptions(include_columns=[_CUSTOMER], column_types={_CUSTOMER: pa.string()})
_LINES = pyarrow.csv.ParseOptions(newlines_in_values=True)


def erase_from_exports(lake: Lake, customer: str, run_id: str) -> tuple[int, int, list[str]]:
    """Rows erased from the exports that count, files written again, and files that held the person and are gone."""
    held = exported_files_with(lake, customer)
    rows = written = 0
    for week in sorted({week for path in _files(lake) if (week := _week(path))}):
        manifest = current(lake, week)
        if manifest and any(path.startswith(place(week, manifest["folder"]) + "/") for path in held):
            gone, manifest = _rewrite(lake, week, manifest, customer, run_id)
            rows, written = rows + gone, written + len(manifest["files"])
        if manifest:
            _record(lake, week, manifest, run_id)
    for path in exported_files_with(lake, customer):  # of folders that no manifest names
        with suppress(FileNotFoundError):  # its run removed it
            lake.filesystem.delete_file(lake.path(path))
    return rows, written, held


def exported_files_with(lake: Lake, customer: str, *, stumps: bool = True) -> list[str]:
    """Files below exports/ that hold the customer, relative to the lake; stumps, which nobody can read, count or not."""
    return search_exports(lake, customer, stumps=stumps)[0]


def search_exports(lake: Lake, customer: str, *, stumps: bool = True) -> tuple[list[str], list[str]]:
    """Files below exports/ that hold the customer, and those of others of which nobody can tell."""
    found = {path: _holds(lake, path, customer, stumps) for path in _files(lake)}
    return [path for path in found if found[path]], [path for path in found if found[path] is None]


def _week(path: str) -> date | None:
    """The week of a file below exports/; None where somebody else put it."""
    return week_of(path.split("/")[1])


def _rewrite(lake: Lake, week: date, manifest: Manifest, customer: str, run_id: str) -> tuple[int, Manifest]:
    """Rows that went, and the new manifest."""
    new = ("folder", "format", "customers_by_model", "counts", "files")
    about = {key: value for key, value in manifest.items() if key not in new}
    about["tables"] = {table: _readable(lake, table, week, read) for table, read in manifest["tables"].items()}
    with local_folder(lake, place(week, manifest["folder"])) as folder:
        assert folder is not None  # a manifest names a folder
        with parquet.undamaged(lake.path(place(week, manifest["folder"]))):
            before = read_lists(Path(folder), manifest)
        after = _without(before, customer)
        write = partial(write_export, lists=after, about=about)
        made = replace_export(lake, week, run_id, write, former=manifest)
    return _size(before) - _size(after), made


def _readable(lake: Lake, table: str, week: date, read: int) -> int:
    """The version that has the export's rows and can be read: the erased one cannot, unless the week was made again since."""
    made = last_made(lake, table, week)
    return lake.version(table) if made is not None and made <= read else read


def _size(lists: Lists) -> int:
    return int(lists.long.num_rows + lists.customers.num_rows)


def _record(lake: Lake, week: date, manifest: Manifest, run_id: str) -> None:
    """Make the table's rows those of the manifest, where an erasure that died left them behind, too."""
    recorded = {row["sha256"] for row in lake.read(TABLE, [week]).to_pylist()}
    if recorded != {file["sha256"] for file in manifest["files"]}:
        with stage(lake, TABLE, run_id) as staged:
            stage_rows(lake, staged, week)
            publish(lake, TABLE, staged, [week], Provenance(run_id, code_version(), {}, ERASED))


def _without(lists: Lists, customer: str) -> Lists:
    long, customers = (one.filter(pc.not_equal(one[_CUSTOMER], customer)) for one in (lists.long, lists.customers))
    return Lists(long, customers, lists.places, lists.removed)


def _files(lake: Lake) -> Iterator[str]:
    selector = pa.fs.FileSelector(lake.path(EXPORTS), recursive=True, allow_not_found=True)
    base = lake.path("")
    for info in sorted(lake.filesystem.get_file_info(selector), key=lambda info: info.path):
        if info.type == pa.fs.FileType.File:
            yield info.path.removeprefix(base)


def _holds(lake: Lake, path: str, customer: str, stumps: bool) -> bool | None:
    """Whether a file holds the customer; None when nobody can tell, and it is no half-written file of an export."""
    name = path.rpartition("/")[2]
    if _week(path) and (MANIFEST in name or name == DICTIONARY):
        return False
    written = pa.array([customer])
    codes = pa.concat_arrays([written, guarded(pa.table({_CUSTOMER: written}))[_CUSTOMER].combine_chunks()])
    try:
        return any(pc.any(pc.is_in(column, codes)).as_py() for column in _customers(lake, path))
    except FileNotFoundError:  # its run removed it
        return False
    except (parquet.DamagedFileError, pa.ArrowException, UnicodeDecodeError):
        return stumps if _week(path) and name in _FORMS else None


def _customers(lake: Lake, path: str) -> Iterator[pa.ChunkedArray | pa.Array]:
    """The column `customer` of a file, block by block."""
    if path.endswith(".parquet"):
        yield parquet.read(lake.path(path), [_CUSTOMER], lake.filesystem)[_CUSTOMER].cast(pa.string())
        return
    with (
        lake.filesystem.open_input_stream(lake.path(path)) as stream,
        pyarrow.csv.open_csv(stream, parse_options=_LINES, convert_options=_CUSTOMERS_ONLY) as batches,
    ):
        yield from (batch[_CUSTOMER] for batch in batches)
