"""Changing the lake: files that an engine wrote become part of a table in one atomic commit.

A stage writes into a fresh folder (`stage`), the caller audits it, and `publish` commits exactly those files: all weeks
of the call or none. Readers see the old weeks or the new ones, never a mix.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake.tables import Lake, LakeError, Snapshot, arrow_schema, delta_schema

_ATTEMPTS = 5


@dataclass(frozen=True)
class Provenance:
    """What a commit says about its making.

    Attributes:
        run_id: the orchestrator's run.
        code_version: digest of the code that made the files.
        inputs: version of every table that was read.
    """

    run_id: str
    code_version: str
    inputs: Mapping[str, int]

    def as_metadata(self) -> dict[str, str]:
        """Commit metadata, strings only."""
        inputs = json.dumps(dict(sorted(self.inputs.items())))
        return {"run_id": self.run_id, "code_version": self.code_version, "inputs": inputs}


@contextmanager
def stage(lake: Lake, table: str, run_id: str) -> Iterator[str]:
    """A fresh folder below the table for an engine to write into; its URI.

    Whatever is not published when the block fails is removed again.
    """
    folder = f"{run_id[:8]}-{uuid.uuid4().hex[:8]}"
    try:
        yield lake.uri(table, folder)
    except BaseException:
        if not _is_published(lake, table, folder):
            _remove(lake, lake.path(table, folder))
        raise


@contextmanager
def scratch(lake: Lake, run_id: str) -> Iterator[str]:
    """A fresh folder outside every table, relative to the lake, for what one step hands to the next; removed at the end."""
    folder = f"scratch/{run_id[:8]}-{uuid.uuid4().hex[:8]}"
    try:
        yield folder
    finally:
        _remove(lake, lake.path(folder))


def publish(lake: Lake, table: str, staged: str, weeks: Iterable[date], provenance: Provenance) -> int:
    """Replace `weeks` of the table by the staged files; the new version.

    A week without a staged file becomes an empty week. Files of other weeks are refused.

    Raises:
        LakeError: the staged folder holds other weeks, or another run published one of these weeks at the same time.
    """
    weeks = sorted(set(weeks))
    before = lake.snapshot(table)
    _write_empty_weeks(lake, table, staged, weeks)
    added = _staged_files(lake, table, staged)
    strangers = {_week_of(action) for action in added} - {week.isoformat() for week in weeks}
    if strangers:
        raise LakeError(
            f"{table}: the staged files hold the week(s) {', '.join(sorted(strangers))}, which were not asked for. "
            "Nothing was published. Materialise those weeks as well, or correct the input."
        )
    if before is None:
        return _create(lake, table, added, provenance)
    return _replace(lake, table, before, added, weeks, provenance)


def staged_uris(lake: Lake, table: str, staged: str) -> list[str]:
    """URIs of the files that were staged, for a look at them before they are published."""
    return [lake.uri(table, action.path) for action in _staged_files(lake, table, staged)]


def write_staged(lake: Lake, table: str, staged: str, week: date, rows: pa.Table) -> None:
    """Write small rows that no engine made (an evaluation, a manifest) as one staged file of a week."""
    columns = [column for column in TABLES[table] if column.name != WEEK]
    schema = arrow_schema(tuple(columns))
    buffer = pa.BufferOutputStream()
    pq.write_table(rows.select(schema.names).cast(schema), buffer)
    path = f"{_path(lake, staged)}/{WEEK}={week.isoformat()}/part-00000.parquet"
    lake.storage.put(path, buffer.getvalue().to_pybytes())


def write_rows(lake: Lake, table: str, staged: str, week: date, rows: list[dict[str, Any]]) -> None:
    """The same for rows given one by one; the week's column may be left out."""
    columns = tuple(column for column in TABLES[table] if column.name != WEEK)
    write_staged(lake, table, staged, week, pa.Table.from_pylist(rows, schema=arrow_schema(columns)))


def _create(lake: Lake, table: str, added: list[AddAction], provenance: Provenance) -> int:
    try:
        create_table_with_add_actions(
            lake.uri(table),
            delta_schema(TABLES[table]),
            added,
            mode="error",
            partition_by=[WEEK],
            storage_options=lake.storage_options,
            # A retried creation would be committed on top of the other one: the week's rows twice.
            commit_properties=CommitProperties(custom_metadata=provenance.as_metadata(), max_commit_retries=0),
        )
    except Exception as error:
        if lake.snapshot(table) is None:
            raise
        raise LakeError(
            f"{table}: another run created the table at the same moment. "
            "Nothing of this run was published. Run it again."
        ) from error
    return 0


def _replace(
    lake: Lake, table: str, before: Snapshot, added: list[AddAction], weeks: list[date], provenance: Provenance
) -> int:
    """Commit against the state that this run saw; other weeks may move under it, these weeks may not."""
    read = _week_versions(before.delta, weeks)
    for _ in range(_ATTEMPTS):
        snapshot = lake.snapshot(table)
        assert snapshot is not None, "a published table does not vanish"
        if _week_versions(snapshot.delta, weeks) != read:
            break
        try:
            snapshot.delta.create_write_transaction(
                [*_removals(snapshot, weeks), *added],
                mode="append",
                schema=delta_schema(TABLES[table]),
                partition_by=[WEEK],
                commit_properties=_commit_properties(read, provenance),
            )
        except CommitFailedError:
            continue
        return lake.version(table)
    raise LakeError(
        f"{table}: another run published {', '.join(map(str, weeks[:5]))} while this one was writing. "
        "The other run's rows stay. Run this again if its input is the newer one."
    )


def _week_versions(table: DeltaTable, weeks: list[date]) -> dict[str, int]:
    """How often each week was replaced; the commit fails when another one raised it in between."""
    keys = (f"{WEEK}={week.isoformat()}" for week in weeks)
    return {key: table.transaction_version(key) or 0 for key in keys}


def _commit_properties(read: dict[str, int], provenance: Provenance) -> CommitProperties:
    raised = [Transaction(key, version + 1) for key, version in read.items()]
    return CommitProperties(custom_metadata=provenance.as_metadata(), app_transactions=raised)


def _removals(snapshot: Snapshot, weeks: list[date]) -> list[RemoveAction]:
    return [
        RemoveAction(
            path=file.path,
            data_change=True,
            deletion_timestamp=0,
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
        lake.filesystem.delete_dir(path)


def _write_empty_weeks(lake: Lake, table: str, staged: str, weeks: list[date]) -> None:
    present = {_week_of(action) for action in _staged_files(lake, table, staged)}
    for week in weeks:
        if week.isoformat() not in present:
            write_staged(lake, table, staged, week, arrow_schema(TABLES[table]).empty_table())


def _staged_files(lake: Lake, table: str, staged: str) -> list[AddAction]:
    base = lake.path(table) + "/"
    selector = pa.fs.FileSelector(_path(lake, staged), recursive=True, allow_not_found=True)
    parquet = [info for info in lake.filesystem.get_file_info(selector) if info.path.endswith(".parquet")]
    return [_add_action(lake, info, base) for info in sorted(parquet, key=lambda info: info.path)]


def _add_action(lake: Lake, info: pa.fs.FileInfo, base: str) -> AddAction:
    path = info.path.removeprefix(base)
    week = next(part.removeprefix(f"{WEEK}=") for part in path.split("/") if part.startswith(f"{WEEK}="))
    footer = pq.read_metadata(info.path, filesystem=lake.filesystem)
    return AddAction(
        path=path,
        size=info.size,
        partition_values={WEEK: week},
        modification_time=0,
        data_change=True,
        stats=json.dumps(_statistics(footer)),
    )


def _statistics(footer: pq.FileMetaData) -> dict[str, Any]:
    """Row count, and minimum and maximum of the top-level strings and integers, from the parquet footer."""
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    for group in range(footer.num_row_groups):
        for index in range(footer.num_columns):
            column = footer.row_group(group).column(index)
            found = column.statistics if column.is_stats_set and "." not in column.path_in_schema else None
            if found is not None and found.has_min_max and isinstance(found.min, str | int):
                name = column.path_in_schema
                lowest[name] = min(lowest.get(name, found.min), found.min)
                highest[name] = max(highest.get(name, found.max), found.max)
    return {"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest}


def _week_of(action: AddAction) -> str:
    week = action.partition_values[WEEK]
    assert week is not None, "every staged file has a week"
    return week


def _path(lake: Lake, uri: str) -> str:
    return lake.path(uri.removeprefix(lake.root + "/"))
