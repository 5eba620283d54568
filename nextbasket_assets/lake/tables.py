"""Reading the lake: which weeks a table has, which files hold them, at which version.

Belongs here: everything that looks. What changes a table is in `publish.py`.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError

from nextbasket_assets import parquet
from nextbasket_assets.columns import REGISTRY, TABLES, WEEK, Column, spark_schema
from nextbasket_assets.errors import NOTHING_THERE, NextbasketError
from nextbasket_assets.lake.damage import DamageError, damaged, newest_commit
from nextbasket_assets.lake.storage import is_no_answer, storage_of

_NEVER = (-1, 0)  # the mark of a table that nothing was ever published to


class LakeError(NextbasketError):
    """The lake cannot do what was asked; the message says what, why, and what to do."""


class NotThereError(LakeError):
    """The lake does not have it, or not yet."""

    exit_code = NOTHING_THERE


@dataclass(frozen=True)
class PublishedFile:
    """One data file of a table version."""

    path: str
    week: date
    rows: int
    size: int


def delta_schema(columns: tuple[Column, ...]) -> Schema:
    """The Delta Lake schema of these columns."""
    return Schema.from_json(json.dumps(spark_schema(columns)))


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of these columns."""
    return pa.schema(delta_schema(columns).to_arrow())


class Snapshot:
    """One version of one table. Whatever is published later, a snapshot keeps answering the same."""

    def __init__(self, table: DeltaTable) -> None:
        self.delta = table
        self.version: int = table.version()

    @cached_property
    def published(self) -> tuple[PublishedFile, ...]:
        """The files of this version, by week and path."""
        rows = pa.table(self.delta.get_add_actions(flatten=True)).to_pylist()
        files = (
            PublishedFile(row["path"], row[f"partition.{WEEK}"], row["num_records"], row["size_bytes"]) for row in rows
        )
        return tuple(sorted(files, key=lambda file: (file.week, file.path)))

    @cached_property
    def commits(self) -> list[dict[str, Any]]:
        """What every commit up to this version says of itself, the newest first."""
        return [commit for commit in self.delta.history() if commit["version"] <= self.version]


class Lake:
    """The tables below one root, a local folder or an object store prefix.

    A table is opened once for each of its versions: on S3 that costs a request for every commit since the last checkpoint, to
    see that nothing changed costs one listing.

    Args:
        root: absolute path or URI.
        kms_key: key that encrypts what is written to a bucket; None leaves it to the bucket's default.
    """

    def __init__(self, root: str, kms_key: str | None = None) -> None:
        self.root = root.rstrip("/")
        self.storage, self._base = storage_of(self.root, kms_key)
        self.storage_options = self.storage.options
        self.filesystem = self.storage.filesystem
        self._newest: dict[str, tuple[tuple[int, int], Snapshot]] = {}
        self._registry: tuple[Snapshot, pa.Table] | None = None

    def uri(self, *parts: str) -> str:
        """Where `parts` are, as engines take it: a path or a URI."""
        return "/".join((self.root, *parts))

    def path(self, *parts: str) -> str:
        """Where `parts` are, as `filesystem` takes it."""
        return "/".join((self._base, *parts))

    def snapshot(self, table: str, version: int | None = None) -> Snapshot | None:
        """The newest version of the table, opened once for all who ask, or a version of its own for who names one.

        None when nothing was ever published.
        """
        mark = self.mark(table)
        if mark == _NEVER:
            return None
        if version is not None:
            return self._open(table, version)
        if table not in self._newest or self._newest[table][0] != mark:
            self._newest[table] = mark, self._open(table)
        return self._newest[table][1]

    def version(self, table: str) -> int:
        """Newest version of the table; -1 when nothing was ever published."""
        return self.mark(table)[0]

    def mark(self, table: str) -> tuple[int, int]:
        """The newest version, as `version`, and when it was written: by one listing, and another one after every change."""
        with self._log_of(table) as log:
            commit = newest_commit(self.filesystem, log)
        return _NEVER if commit is None else (int(commit.base_name.removesuffix(".json")), commit.mtime_ns or 0)

    def _open(self, table: str, version: int | None = None) -> Snapshot:
        with self._log_of(table):
            return Snapshot(DeltaTable(self.uri(table), version=version, storage_options=self.storage_options))

    @contextmanager
    def _log_of(self, table: str) -> Iterator[str]:
        """The path of the table's log; what cannot be read in the block is explained."""
        if table not in TABLES and table != "model_registry":
            raise LakeError(f"{table}: no such table. Choose from {', '.join([*TABLES, 'model_registry'])}.")
        try:
            yield self.path(table, "_delta_log")
        except (DeltaError, DamageError, OSError) as error:
            said = str(error).splitlines()[0][:200]
            if is_no_answer(error):
                raise LakeError(f"{table}: S3 does not answer ({said}). Nothing was changed. Run again.") from error
            raise LakeError(
                f"{table}: its log cannot be read ({said}). Nothing was changed. Restore "
                f"{self.uri(table, '_delta_log')} from a copy of the lake, or let this process read it."
            ) from error

    def weeks(self, table: str) -> list[date]:
        """Weeks that were published, in order. A week that was published empty counts."""
        snapshot = self.snapshot(table)
        return [] if snapshot is None else sorted({file.week for file in snapshot.published})

    def rows(self, table: str) -> dict[date, int]:
        """Rows of every published week."""
        snapshot = self.snapshot(table)
        counts: dict[date, int] = {}
        for file in snapshot.published if snapshot else ():
            counts[file.week] = counts.get(file.week, 0) + file.rows
        return counts

    def published(self, week: date, *tables: str) -> list[PublishedFile]:
        """The data files of a week in these tables: others after every change, an erasure's too."""
        snapshots = (self.snapshot(table) for table in tables)
        return [file for snapshot in snapshots if snapshot for file in snapshot.published if file.week == week]

    def files(self, table: str, weeks: Collection[date], version: int | None = None) -> list[str]:
        """URIs of the data files of these weeks, in week order; weeks that were never published give none.

        Raises:
            LakeError: a file is missing or not whole.
        """
        snapshot = self.snapshot(table, version)
        return [self.uri(table, file.path) for file in self._whole(table, snapshot, weeks)]

    def require(self, table: str, weeks: Collection[date]) -> list[str]:
        """Like `files`, for weeks that must be there.

        Raises:
            NotThereError: weeks are missing; names them and the asset to materialise.
        """
        missing = sorted(set(weeks) - set(self.weeks(table)))
        if missing:
            listed = ", ".join(week.isoformat() for week in missing[:10]) + (" ..." if len(missing) > 10 else "")
            raise NotThereError(
                f"{table}: {len(missing)} week(s) are not in the lake: {listed}. "
                f"This stage reads them. Materialise {table} for those weeks first."
            )
        return self.files(table, weeks)

    def read(self, table: str, weeks: Collection[date], columns: Collection[str] | None = None) -> pa.Table:
        """Rows of these weeks with their `week` column, by week and file order.

        Args:
            table: its name.
            weeks: weeks that were never published give no rows.
            columns: those to read beside the week; None for all.
        """
        parts = list(self.batches(table, weeks, columns))
        return pa.concat_tables(parts) if parts else _schema(table, columns).empty_table()

    def batches(
        self, table: str, weeks: Collection[date], columns: Collection[str] | None = None
    ) -> Iterator[pa.Table]:
        """The same, one file at a time."""
        schema = _schema(table, columns)
        stored = [name for name in schema.names if name != WEEK]
        snapshot = self.snapshot(table)
        for file in self._whole(table, snapshot, weeks):
            path = self.path(table, file.path)
            rows = parquet.read(path, stored, self.filesystem)
            week = pa.array([file.week] * rows.num_rows, pa.date32())
            yield rows.append_column(WEEK, week).select(schema.names).cast(schema)

    def _whole(self, table: str, snapshot: Snapshot | None, weeks: Collection[date]) -> list[PublishedFile]:
        """The snapshot's files of these weeks, once each is known to be there with the size that was committed."""
        wanted = set(weeks)
        files = [file for file in snapshot.published if file.week in wanted] if snapshot else []
        self._refuse_damaged(table, {file.path: file.size for file in files})
        return files

    def _refuse_damaged(self, table: str, sizes: dict[str, int]) -> None:
        found = damaged(self.filesystem, self.path(table), sizes)
        if found:
            raise LakeError(
                f"{table}: {len(found)} data file(s) are not what was published: {'; '.join(found[:3])}. Restore them from a "
                f"copy of the lake, or materialise {table} for those weeks again."
            )

    def read_folder(self, folder: str) -> pa.Table:
        """Rows of all parquet files of a folder that is no table, by file name."""
        return parquet.read(self.path(folder), filesystem=self.filesystem)

    def registry(self) -> pa.Table:
        """Every decision about a model, oldest first."""
        snapshot = self.snapshot("model_registry")
        if snapshot is None:
            return arrow_schema(REGISTRY).empty_table()
        if self._registry is None or self._registry[0] is not snapshot:
            self._registry = snapshot, self._decisions(snapshot)
        return self._registry[1]

    def _decisions(self, snapshot: Snapshot) -> pa.Table:
        files = pa.table(snapshot.delta.get_add_actions(flatten=True)).to_pylist()
        self._refuse_damaged("model_registry", {file["path"]: file["size_bytes"] for file in files})
        # by Arrow's own file system: through deltalake's, written in Python, Arrow's threads may end in the interpreter's end
        paths = [self.path("model_registry", file["path"]) for file in files]
        return parquet.read(paths, filesystem=self.filesystem).cast(arrow_schema(REGISTRY)).sort_by("number")


def _schema(table: str, columns: Collection[str] | None) -> pa.Schema:
    """The Arrow schema of a table, or of the week and some of its columns."""
    wanted = (column for column in TABLES[table] if columns is None or column.name in (WEEK, *columns))
    return arrow_schema(tuple(wanted))
