"""Changing the lake: files that an engine wrote become part of a table in one atomic commit.

A stage writes into a fresh folder (`stage`), the caller audits it, and `publish` commits exactly those files: all weeks
of the call or none. Readers see the old weeks or the new ones, never a mix.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.fs
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.crash_points import reach
from nextbasket_assets.lake.claims import CHECKPOINTS, KEEP_THE_LOG, claim, is_claimed
from nextbasket_assets.lake.damage import damaged
from nextbasket_assets.lake.housekeeping import new_name
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.staged_files import rows_by_week, staged_files, week_of, write_staged
from nextbasket_assets.lake.tables import Lake, LakeError, Snapshot, arrow_schema, delta_schema
from nextbasket_assets.parquet import undamaged

MADE, ERASED = "made", "erased"


@dataclass(frozen=True)
class Provenance:
    """What a commit says about its making.

    Attributes:
        run_id: the orchestrator's run.
        code_version: digest of the code that made the files.
        inputs: version of every table that was read.
        kind: what the commit is: rows that were made anew, or rows that a person's erasure left.
        pseudonyms: fingerprint of the key that customer codes went under, of rows from landing files; None of others.
    """

    run_id: str
    code_version: str
    inputs: Mapping[str, int]
    kind: str = MADE
    pseudonyms: str | None = None

    def as_metadata(self) -> dict[str, str]:
        """Commit metadata, strings only."""
        inputs = json.dumps(dict(sorted(self.inputs.items())))
        made = {"run_id": self.run_id, "code_version": self.code_version, "inputs": inputs, "kind": self.kind}
        return made | ({"pseudonyms": self.pseudonyms} if self.pseudonyms else {})


@contextmanager
def stage(lake: Lake, table: str, run_id: str) -> Iterator[str]:
    """A fresh folder below the table for an engine to write into; its URI.

    Whatever is not published when the block fails is removed again.
    """
    folder = new_name(run_id)
    try:
        with room(lake.uri(table, folder), _usual_size(lake, table)), undamaged(f"what {table} is made of"):
            yield lake.uri(table, folder)
    except BaseException:
        if not _is_published(lake, table, folder):
            _remove(lake, lake.path(table, folder))
        raise


@contextmanager
def scratch(lake: Lake, run_id: str) -> Iterator[str]:
    """A fresh folder outside every table, relative to the lake, for what one step hands to the next; removed at the end."""
    folder = f"scratch/{new_name(run_id)}"
    try:
        yield folder
    finally:
        _remove(lake, lake.path(folder))


def publish(
    lake: Lake,
    table: str,
    staged: str,
    weeks: Iterable[date],
    provenance: Provenance,
    audited: Mapping[date, int] | None = None,
    clock: Callable[[], float] = time.time,
    seen: Snapshot | None = None,
) -> int:
    """Replace `weeks` of the table by the staged files; the new version.

    A week without a staged file becomes an empty week. Files of other weeks are refused, and so are files that hold
    another number of rows than `audited`, where that is given. By the clock, in seconds since 1970, the log says when the
    files of the former weeks went out of use. Rows that were made from the table's own name the state that they are of as
    `seen`: what was published since would be lost.

    Raises:
        LakeError: the staged folder is not what was audited, was removed meanwhile, or another run published one of these weeks.
    """
    weeks = sorted(set(weeks))
    before = seen or lake.snapshot(table)
    _write_empty_weeks(lake, table, staged, weeks)
    added = staged_files(lake, table, staged)
    _refuse_strangers(table, added, weeks)
    _refuse_changes(table, added, audited or {})
    if before is None:
        return _create(lake, table, added, _properties(staged, weeks, provenance))
    return _replace(lake, table, before, added, weeks, _properties(staged, weeks, provenance), clock)


def _refuse_strangers(table: str, added: list[AddAction], weeks: list[date]) -> None:
    strangers = {week_of(action) for action in added} - {week.isoformat() for week in weeks}
    if strangers:
        raise LakeError(
            f"{table}: the staged files hold the week(s) {', '.join(sorted(strangers))}, which were not asked for. "
            "Nothing was published. Materialise those weeks as well, or correct the input."
        )


def _refuse_changes(table: str, added: list[AddAction], audited: Mapping[date, int]) -> None:
    found = rows_by_week(added)
    for week, rows in sorted(audited.items()):
        if found.get(week, 0) != rows:
            raise LakeError(
                f"{table}: week {week} has {found.get(week, 0)} staged rows and had {rows} when it was audited. "
                "Nothing was published. Something else changes the lake's folders: stop it, and run again."
            )


def _refuse_lost(lake: Lake, table: str, seen: Snapshot | None, added: list[AddAction], folder: str) -> None:
    sizes = {action.path.removeprefix(f"{folder}/"): action.size for action in added}
    lost = damaged(lake.filesystem, lake.path(table, folder), sizes)
    if seen and is_claimed(seen.delta, folder):
        lost = lost or ["its folder is to be removed"]
    if lost:
        raise LakeError(
            f"{table}: what this run staged in {folder} was removed before it was published ({lost[0]}), by an erasure, a "
            "vacuum or another run. Nothing was published. Run it again."
        )


def _properties(staged: str, weeks: list[date], provenance: Provenance) -> dict[str, str]:
    """The commit's metadata: who made it, the folder it takes, and the weeks it replaces."""
    listed = ",".join(week.isoformat() for week in weeks)
    return {**provenance.as_metadata(), "staged": staged.rsplit("/", 1)[-1], "weeks": listed}


def _create(lake: Lake, table: str, added: list[AddAction], metadata: dict[str, str]) -> int:
    _refuse_lost(lake, table, None, added, metadata["staged"])
    reach("commit")
    try:
        create_table_with_add_actions(
            lake.uri(table),
            delta_schema(TABLES[table]),
            added,
            mode="error",
            partition_by=[WEEK],
            configuration=CHECKPOINTS,
            storage_options=lake.storage_options,
            # A retried creation would be committed on top of the other one: the week's rows twice.
            commit_properties=CommitProperties(custom_metadata=metadata, max_commit_retries=0),
            post_commithook_properties=KEEP_THE_LOG,
        )
    except Exception as error:
        if lake.snapshot(table) is None:
            raise
        raise LakeError(
            f"{table}: another run created the table at the same moment. "
            "Nothing of this run was published. Run it again."
        ) from error
    reach("committed")
    return 0


def _replace(
    lake: Lake,
    table: str,
    before: Snapshot,
    added: list[AddAction],
    weeks: list[date],
    metadata: dict[str, str],
    clock: Callable[[], float],
) -> int:
    """Commit against the state that this run saw; other weeks may move under it, these weeks may not.

    A commit that others were faster than is tried again, however often: each time one of theirs went in.
    """
    read = _week_versions(before.delta, weeks)
    snapshot = _newest(lake, table)
    while _week_versions(snapshot.delta, weeks) == read:
        _refuse_lost(lake, table, snapshot, added, metadata["staged"])
        reach("commit")
        try:
            snapshot.delta.create_write_transaction(
                [*_removals(snapshot, weeks, clock()), *added],
                mode="append",
                schema=delta_schema(TABLES[table]),
                partition_by=[WEEK],
                commit_properties=_commit_properties(read, metadata),
                post_commithook_properties=KEEP_THE_LOG,
            )
        except CommitFailedError:
            overtaken, snapshot = snapshot, _newest(lake, table)
            if snapshot.version == overtaken.version:
                raise  # nobody was faster: it would fail again
            continue
        reach("committed")
        return lake.version(table)
    raise LakeError(
        f"{table}: another run published {', '.join(map(str, weeks[:5]))} while this one was writing. "
        "The other run's rows stay. Run this again if its input is the newer one."
    )


def _newest(lake: Lake, table: str) -> Snapshot:
    snapshot = lake.snapshot(table)
    assert snapshot is not None, "a published table does not vanish"
    return snapshot


def _week_versions(table: DeltaTable, weeks: list[date]) -> dict[str, int]:
    """How often each week was replaced; the commit fails when another one raised it in between."""
    keys = (f"{WEEK}={week.isoformat()}" for week in weeks)
    return {key: table.transaction_version(key) or 0 for key in keys}


def _commit_properties(read: dict[str, int], metadata: dict[str, str]) -> CommitProperties:
    raised = [Transaction(key, version + 1) for key, version in read.items()] + [claim(metadata["staged"])]
    return CommitProperties(custom_metadata=metadata, app_transactions=raised)


def _removals(snapshot: Snapshot, weeks: list[date], now: float) -> list[RemoveAction]:
    """The files of the former weeks, with the moment from which a vacuum counts how long they are kept."""
    return [
        RemoveAction(
            path=file.path,
            data_change=True,
            deletion_timestamp=int(now * 1000),
            partition_values={WEEK: file.week.isoformat()},
            size=file.size,
        )
        for file in snapshot.published
        if file.week in weeks
    ]


def _is_published(lake: Lake, table: str, folder: str) -> bool:
    snapshot = lake.snapshot(table)
    return snapshot is not None and any(file.path.startswith(f"{folder}/") for file in snapshot.published)


def _remove(lake: Lake, path: str) -> None:
    if lake.filesystem.get_file_info(path).type != pa.fs.FileType.NotFound:
        with suppress(FileNotFoundError):  # somebody else removed it
            lake.filesystem.delete_dir(path)


def _write_empty_weeks(lake: Lake, table: str, staged: str, weeks: list[date]) -> None:
    present = {week_of(action) for action in staged_files(lake, table, staged)}
    for week in weeks:
        if week.isoformat() not in present:
            write_staged(lake, table, staged, week, arrow_schema(TABLES[table]).empty_table())


def _usual_size(lake: Lake, table: str) -> int:
    """Bytes of the newest week; 0 before the first one."""
    snapshot = lake.snapshot(table)
    published = snapshot.published if snapshot else ()
    return sum(file.size for file in published if file.week == published[-1].week)
