"""Erasing a person from the exports in the lake: their files are written again without them, and a new manifest says so."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs

from nextbasket_assets import parquet
from nextbasket_assets.code_version import code_version
from nextbasket_assets.exports.folder import read_lists, write_export
from nextbasket_assets.exports.lists import Lists
from nextbasket_assets.lake.copies import local_folder
from nextbasket_assets.lake.exports import EXPORTS, TABLE, Manifest, current, place, replace_export, stage_rows
from nextbasket_assets.lake.publish import ERASED, Provenance, publish, stage
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.mentions import mentions


def erase_from_exports(lake: Lake, customer: str, run_id: str) -> tuple[int, int, list[str]]:
    """Rows erased from the exports that count, files written again, and files that held the person and are gone."""
    held = exported_files_with(lake, customer)
    rows = written = 0
    for week in sorted({week_of(path) for path in _files(lake)}):
        manifest = current(lake, week)
        if manifest and any(path.startswith(place(week, manifest["folder"]) + "/") for path in held):
            gone, manifest = _rewrite(lake, week, manifest, customer, run_id)
            rows, written = rows + gone, written + len(manifest["files"])
        if manifest:
            _record(lake, week, manifest, run_id)
    for path in exported_files_with(lake, customer):  # of folders that no manifest names
        lake.filesystem.delete_file(lake.path(path))
    return rows, written, held


def exported_files_with(lake: Lake, customer: str, *, stumps: bool = True) -> list[str]:
    """Files below exports/ that hold the customer, relative to the lake; stumps, which nobody can read, count or not."""
    return [path for path in _files(lake) if _holds(lake, path, customer, stumps)]


def week_of(path: str) -> date:
    """The week of a file below exports/."""
    return date.fromisoformat(path.split("/")[1].removeprefix("week="))


def _rewrite(lake: Lake, week: date, manifest: Manifest, customer: str, run_id: str) -> tuple[int, Manifest]:
    """Rows that went, and the new manifest."""
    about = {key: value for key, value in manifest.items() if key not in ("folder", "format", "counts", "files")}
    with local_folder(lake, place(week, manifest["folder"])) as folder:
        assert folder is not None  # a manifest names a folder
        with parquet.undamaged(lake.path(place(week, manifest["folder"]))):
            before = read_lists(Path(folder), manifest)
        after = _without(before, customer)
        new = replace_export(lake, week, run_id, partial(write_export, lists=after, about=about))
    return _size(before) - _size(after), new


def _size(lists: Lists) -> int:
    return int(lists.long.num_rows + lists.customers.num_rows)


def _record(lake: Lake, week: date, manifest: Manifest, run_id: str) -> None:
    """Make the table's rows those of the manifest, where an erasure that died left them behind, too."""
    recorded = {row["sha256"] for row in lake.read(TABLE, [week]).to_pylist()}
    if recorded != {file["sha256"] for file in manifest["files"]}:
        with stage(lake, TABLE, run_id) as staged:
            stage_rows(lake, staged, week, manifest)
            publish(lake, TABLE, staged, [week], Provenance(run_id, code_version(), {}, ERASED))


def _without(lists: Lists, customer: str) -> Lists:
    long, customers = (one.filter(pc.not_equal(one["customer"], customer)) for one in (lists.long, lists.customers))
    return Lists(long, customers, lists.places, lists.removed)


def _files(lake: Lake) -> Iterator[str]:
    selector = pa.fs.FileSelector(lake.path(EXPORTS), recursive=True, allow_not_found=True)
    base = lake.path("")
    for info in sorted(lake.filesystem.get_file_info(selector), key=lambda info: info.path):
        if info.type == pa.fs.FileType.File:
            yield info.path.removeprefix(base)


def _holds(lake: Lake, path: str, customer: str, stumps: bool) -> bool:
    if path.endswith(".parquet"):
        try:
            rows = parquet.read(lake.path(path), ["customer"], lake.filesystem)
        except parquet.DamagedFileError:
            return stumps
        return bool(pc.any(pc.equal(rows["customer"], customer)).as_py())
    with lake.filesystem.open_input_stream(lake.path(path)) as stream:
        return mentions(stream, customer)
