"""The files of a staged folder as the additions of a commit: path, size, week, and statistics for readers that skip files."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from nextbasket_assets.columns import PERSONAL, TABLES, WEEK
from nextbasket_assets.lake.tables import Lake, arrow_schema
from nextbasket_assets.parquet import WRITTEN


def staged_files(lake: Lake, table: str, staged: str) -> list[AddAction]:
    """The parquet files below a staged folder, by path."""
    base = lake.path(table) + "/"
    selector = pa.fs.FileSelector(path_of(lake, staged), recursive=True, allow_not_found=True)
    parquet = [info for info in lake.filesystem.get_file_info(selector) if info.path.endswith(".parquet")]
    return [_add_action(lake, info, base) for info in sorted(parquet, key=lambda info: info.path)]


def staged_uris(lake: Lake, table: str, staged: str) -> list[str]:
    """URIs of the files that were staged, for a look at them before they are published."""
    return [lake.uri(table, action.path) for action in staged_files(lake, table, staged)]


def write_staged(lake: Lake, table: str, staged: str, week: date, rows: pa.Table, name: str = "part-00000") -> None:
    """Write small rows that no engine made (an evaluation, a manifest) as one staged file of a week."""
    columns = [column for column in TABLES[table] if column.name != WEEK]
    schema = arrow_schema(tuple(columns))
    buffer = pa.BufferOutputStream()
    pq.write_table(rows.select(schema.names).cast(schema), buffer, compression="zstd", **WRITTEN)
    path = f"{path_of(lake, staged)}/{WEEK}={week.isoformat()}/{name}.parquet"
    lake.storage.put(path, buffer.getvalue().to_pybytes())


def write_rows(lake: Lake, table: str, staged: str, week: date, rows: list[dict[str, Any]]) -> None:
    """The same for rows given one by one; the week's column may be left out."""
    columns = tuple(column for column in TABLES[table] if column.name != WEEK)
    write_staged(lake, table, staged, week, pa.Table.from_pylist(rows, schema=arrow_schema(columns)))


def week_of(action: AddAction) -> str:
    """The week of a staged file, as its folder's name has it."""
    week = action.partition_values[WEEK]
    assert week is not None, "every staged file has a week"
    return week


def rows_by_week(actions: Iterable[AddAction]) -> dict[date, int]:
    """Rows of every week in the staged files, by their footers."""
    rows: dict[date, int] = {}
    for action in actions:
        week = date.fromisoformat(week_of(action))
        rows[week] = rows.get(week, 0) + int(json.loads(action.stats)["numRecords"])
    return rows


def path_of(lake: Lake, uri: str) -> str:
    """A URI below the lake's root as the lake's filesystem takes it."""
    return lake.path(uri.removeprefix(lake.root + "/"))


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
    """Row count, and minimum and maximum of the top-level strings and integers, from the parquet footer.

    Columns that tell a person have none: the log of a table outlives its files, and an erased customer's code must not
    stay there as the minimum of a week.
    """
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    for group in range(footer.num_row_groups):
        for index in range(footer.num_columns):
            column = footer.row_group(group).column(index)
            name = column.path_in_schema
            plain = column.is_stats_set and "." not in name and name not in PERSONAL
            found = column.statistics if plain else None
            if found is not None and found.has_min_max and isinstance(found.min, str | int):
                lowest[name] = min(lowest.get(name, found.min), found.min)
                highest[name] = max(highest.get(name, found.max), found.max)
    return {"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest}
