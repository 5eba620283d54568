"""Exports in the lake: a folder of files per week, and the week's manifest, which names the folder that counts.

`exports/week=2006-04-10/manifest.json` is replaced in one step, after all files of the new folder are there; a reader that
starts from it never mixes two exports. The folder before it is removed then.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.fs

from nextbasket_assets import parquet
from nextbasket_assets.exports.folder import MANIFEST
from nextbasket_assets.exports.settings import ExportSettings
from nextbasket_assets.exports.week import WeekOfScores, export_week
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.copies import new_folder
from nextbasket_assets.lake.housekeeping import collect_exports, fresh_model, new_name
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake, LakeError, PublishedFile

EXPORTS, TABLE = "exports", "score_exports"
_SCORES, _OUTLOOK, _MODEL = "next_basket_scores", "next_trip_outlook", "rnn_model"

Manifest = dict[str, Any]


class MovedError(LakeError):
    """Somebody replaced a week's lists or its export while the export was written."""


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


def export_scores(lake: Lake, week: date, run_id: str, names: Mapping[str, str], settings: ExportSettings) -> Manifest:
    """Replace a week's export by one of its newest lists, again as often as those move meanwhile; its manifest.

    Raises:
        LakeError: the week has no scores or no outlooks.
        ExportError: its scores and outlooks do not belong together.
    """
    while True:
        seen = _lists(lake, week)
        try:
            write = partial(export_week, made=week_of_scores(lake, week, names), settings=settings)
            manifest = replace_export(lake, week, run_id, write, seen=seen)
        except MovedError:
            continue
        except FileNotFoundError:  # an erasure deletes what is half written
            if _lists(lake, week) == seen:
                raise
            continue
        if _lists(lake, week) == seen:  # otherwise an erasure may have deleted some of its files
            return manifest


def replace_export(
    lake: Lake,
    week: date,
    run_id: str,
    write: Callable[[Path], Manifest],
    *,
    seen: Sequence[PublishedFile] | None = None,
    former: Manifest | None = None,
) -> Manifest:
    """Write a week's export into a fresh folder, make it the one that counts, and remove the one it replaces.

    An erasure replaces lists before it looks for exports. So it finds the files of an export whose lists have not moved
    when all of them are there.

    Args:
        lake: the lake.
        week: its Monday.
        run_id: the run that writes.
        write: fills a local folder and gives its manifest.
        seen: files of the lists that it is made from; None for one that is made from the former export.
        former: that export; the one that counts by default.

    Raises:
        MovedError: the lists, or the export, are others now; nothing was replaced.
    """
    before, name = former or current(lake, week), new_name(run_id)
    with fresh_model(lake, place(week, name)):
        with new_folder(lake, place(week, name)) as folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            manifest = write(Path(folder))
        if current(lake, week) != before or (seen is not None and seen != _lists(lake, week)):
            raise MovedError(
                f"exports: another run, or an erasure, replaced the lists or the export of {week} while this one was "
                "writing. Nothing of this one counts. Run it again."
            )
    named = {"folder": name, **manifest}
    lake.storage.put(lake.path(place(week, MANIFEST)), (json.dumps(named, indent=1) + "\n").encode())
    if before:
        with suppress(FileNotFoundError):  # somebody else removed it
            lake.filesystem.delete_dir(lake.path(place(week, before["folder"])))
    return manifest


def _lists(lake: Lake, week: date) -> list[PublishedFile]:
    return lake.published(week, _SCORES, _OUTLOOK)


def stage_rows(lake: Lake, staged: str, week: date) -> None:
    """The rows of the table `score_exports`: one per file of the week's manifest."""
    manifest = current(lake, week)
    assert manifest is not None, "the week was exported"
    write_rows(lake, TABLE, staged, week, manifest["files"])
