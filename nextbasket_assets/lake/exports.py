"""Exports in the lake: a folder of files per week, and the week's manifest, which names the folder that counts.

`exports/week=2006-04-10/manifest.json` is replaced in one step, after all files of the new folder are there; a reader that
starts from it never mixes two exports. The folder before it is removed then.
"""

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.fs

from nextbasket_assets import parquet
from nextbasket_assets.exports.folder import MANIFEST
from nextbasket_assets.exports.week import WeekOfScores
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.copies import new_folder
from nextbasket_assets.lake.housekeeping import collect_exports, fresh_model, new_name
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake

EXPORTS, TABLE = "exports", "score_exports"
_SCORES, _OUTLOOK, _MODEL = "next_basket_scores", "next_trip_outlook", "rnn_model"

Manifest = dict[str, Any]


def week_of_scores(lake: Lake, week: date, names: Mapping[str, str]) -> WeekOfScores:
    """What an export of this week is made from, at the tables' newest versions.

    Raises:
        LakeError: the week has no scores or no outlooks.
    """
    for table in (_SCORES, _OUTLOOK):
        lake.require(table, [week])
    champion = registry.promoted(lake, _MODEL, week)
    return WeekOfScores(
        week=week,
        scores=lake.read(_SCORES, [week]),
        outlook=lake.read(_OUTLOOK, [week]),
        tables={table: lake.version(table) for table in (_SCORES, _OUTLOOK)},
        names=names,
        known=_vocabulary(lake, champion.artifact) if champion else frozenset(),
    )


def _vocabulary(lake: Lake, artifact: str) -> frozenset[str]:
    path = lake.path(artifact, "vocabulary.parquet")
    return frozenset(parquet.read(path, ["item"], lake.filesystem)["item"].to_pylist())


def place(week: date, *parts: str) -> str:
    """Where a week's exports are, relative to the lake."""
    return "/".join((EXPORTS, f"week={week.isoformat()}", *parts))


def current(lake: Lake, week: date) -> Manifest | None:
    """The manifest of the week's export; `folder` names the folder of its files. None when there is none."""
    path = lake.path(place(week, MANIFEST))
    if lake.filesystem.get_file_info(path).type == pyarrow.fs.FileType.NotFound:
        return None
    with lake.filesystem.open_input_stream(path) as stream:
        manifest: Manifest = json.loads(stream.read())
    return manifest


def tidy_exports(lake: Lake, week: date, running: Collection[str]) -> None:
    """Remove what killed runs left of a week's exports."""
    manifest = current(lake, week)
    collect_exports(lake, place(week), manifest["folder"] if manifest else None, running)


def replace_export(lake: Lake, week: date, run_id: str, write: Callable[[Path], Manifest]) -> Manifest:
    """Write a week's export into a fresh folder, make it the one that counts, and remove the one it replaces.

    Args:
        lake: the lake.
        week: its Monday.
        run_id: the run that writes.
        write: fills a local folder and gives its manifest.
    """
    before, name = current(lake, week), new_name(run_id)
    with fresh_model(lake, place(week, name)), new_folder(lake, place(week, name)) as folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        manifest = write(Path(folder))
    named = {"folder": name, **manifest}
    lake.storage.put(lake.path(place(week, MANIFEST)), (json.dumps(named, indent=1) + "\n").encode())
    if before:
        with suppress(FileNotFoundError):  # somebody else removed it
            lake.filesystem.delete_dir(lake.path(place(week, before["folder"])))
    return manifest


def stage_rows(lake: Lake, staged: str, week: date, manifest: Manifest) -> None:
    """The rows of the table `score_exports`: one per file of the manifest."""
    write_rows(lake, TABLE, staged, week, manifest["files"])
