"""What killed runs leave behind: staged folders that no commit took, models that no decision names.

A folder carries the first characters of its run's id. It is nobody's when that run has ended, and no version of the table,
old ones included, was committed from it. An erasure is no run of the orchestrator: its folders look like those of an ended
run, and are claimed (`lake.claims`) before they are removed, so that it cannot publish them any more.
"""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa
import pyarrow.fs

from nextbasket_assets.crash_points import reach
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.claims import settle
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake

_RUN_DIGITS = 8


def run_prefix(run_id: str) -> str:
    """The part of a run's id that names of folders carry."""
    return run_id[:_RUN_DIGITS]


def new_name(run_id: str) -> str:
    """A name for a folder of this run that no other folder has."""
    return f"{run_prefix(run_id)}-{uuid.uuid4().hex[:8]}"


def collect_staged(lake: Lake, table: str, running: Collection[str]) -> list[str]:
    """Remove the staged folders of a table that are nobody's; their names.

    Args:
        running: ids of the runs that have not ended, this one included.
    """
    alive = {run_prefix(run_id) for run_id in running}
    found = [name for name in _folders(lake, table) if "-" in name and name.split("-")[0] not in alive]
    return _remove(lake, [(table, name) for name in sorted(settle(lake, table, found).free)])


def collect_models(lake: Lake, name: str, running: Collection[str]) -> list[str]:
    """Remove the folders of a kind of model that no decision names and no running run writes; their names.

    Nothing, when the registry has lost decisions: what looks like nobody's may be the champion.
    """
    if registry.lost(lake, name):
        return []
    alive = tuple(run_prefix(run_id) for run_id in running)
    known = {decision.artifact.rsplit("/", 1)[-1] for decision in registry.decisions(lake, name)}
    folders = _folders(lake, f"models/{name}")
    return _remove(
        lake, [(f"models/{name}", folder) for folder in folders if folder not in known and not folder.endswith(alive)]
    )


def collect_exports(lake: Lake, week: str, keep: str | None, running: Collection[str]) -> list[str]:
    """Remove the folders of a week's exports that its manifest does not name and no running run writes; their names."""
    alive = {run_prefix(run_id) for run_id in running}
    found = [name for name in _folders(lake, week) if name != keep and name.split("-")[0] not in alive]
    return _remove(lake, [(week, name) for name in found])


def collect_scratch(lake: Lake, running: Collection[str]) -> list[str]:
    """Remove what killed runs were about to hand from one step to the next; names of the folders."""
    alive = {run_prefix(run_id) for run_id in running}
    found = [name for name in _folders(lake, "scratch") if name.split("-")[0] not in alive]
    return _remove(lake, [("scratch", name) for name in found])


@contextmanager
def fresh_model(lake: Lake, folder: str) -> Iterator[None]:
    """A folder of a model to be: it goes again when the block fails."""
    try:
        with room(lake.uri(folder), 0):
            yield
    except BaseException:
        _remove(lake, [tuple(folder.rsplit("/", 1))])
        raise


def _folders(lake: Lake, place: str) -> list[str]:
    selector = pa.fs.FileSelector(lake.path(place), allow_not_found=True)
    infos = lake.filesystem.get_file_info(selector)
    names = (info.base_name for info in infos if info.type == pa.fs.FileType.Directory)
    return sorted(name for name in names if name[0] not in "_.")


def _remove(lake: Lake, folders: list[tuple[str, ...]]) -> list[str]:
    for parts in folders:
        path = lake.path(*parts)
        if lake.filesystem.get_file_info(path).type != pa.fs.FileType.NotFound:
            reach("collect")
            with suppress(FileNotFoundError):  # whoever wrote it removed it
                lake.filesystem.delete_dir(path)
    return [parts[-1] for parts in folders]
