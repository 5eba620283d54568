"""Erasing a person: out of every table, every version that is kept, the rejected lines and the weekly reports.

The receipt says what went.

Files are never changed: those that hold the person are written again without them and committed, then every file that still
holds them is deleted. An older version of a table that needs a deleted file can no longer be read, which is the point.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs

from nextbasket_assets import parquet
from nextbasket_assets.code_version import code_version
from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.crash_points import reach
from nextbasket_assets.errors import BAD_INPUT
from nextbasket_assets.lake import registry, reports
from nextbasket_assets.lake.claims import settle
from nextbasket_assets.lake.export_erasure import erase_from_exports, exported_files_with, search_exports
from nextbasket_assets.lake.exports import EXPORTS
from nextbasket_assets.lake.publish import ERASED, Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.storage import PARTIAL
from nextbasket_assets.lake.tables import Lake, LakeError, PublishedFile
from nextbasket_assets.mentions import field_pattern

_CUSTOMER, _RAW_TEXT = "customer", "raw_text"
_BASKETS = "staged_baskets"  # they tell which models learned from somebody, so they are the last table to forget them
_IN_A_WEEK = re.compile(rf"/{WEEK}=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/[^/]+\Z")
_CODE = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True)
class Receipt:
    """What an erasure did; it does not say of whom.

    Attributes:
        rows: table -> rows erased from its newest version; `exports` are the files that other systems read.
        rewritten: table -> files that were written again without the person.
        deleted: table -> files that held the person, in any version, and are gone; under `reports` the weekly reports that
            showed them. Materialise `weekly_report` for such a week to have its report again, without the person.
        models: versions that were trained on weeks with the person. Their weights hold no code; the next training, by the
            retraining policy or by the job train_models, is on data without them.
        remaining: files that still hold the person; empty unless something was published meanwhile.
        not_searched: files below exports and reports that somebody else put there, and of which nobody can tell.
    """

    rows: dict[str, int]
    rewritten: dict[str, int]
    deleted: dict[str, list[str]]
    models: list[str]
    remaining: list[str]
    not_searched: list[str]

    def as_json(self) -> dict[str, Any]:
        """The receipt as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class _Person:
    """Whom to look for: by the code that the lake has in a column, and by all that may stand for it in a rejected line."""

    code: str
    written: tuple[str, ...]

    @classmethod
    def of(cls, code: str, written: Sequence[str]) -> "_Person":
        return cls(code, tuple(dict.fromkeys((code, *written))))


class CodeError(LakeError):
    """A customer code that nobody can have."""

    exit_code = BAD_INPUT


def is_code(text: str) -> bool:
    """Whether somebody could have this as their code."""
    return _CODE.fullmatch(text) is not None


def require_code(customer: str) -> None:
    """Check that somebody could have the code; of a hashed one it can no longer be told.

    Raises:
        CodeError: nobody can.
    """
    if not is_code(customer):
        raise CodeError(
            "the customer code is none: expected up to 64 visible characters. Nothing was erased. "
            "Give the code as it stands in the files."
        )


def erase_customer(lake: Lake, customer: str, run_id: str, written: Sequence[str] = ()) -> Receipt:
    """Erase a customer from the lake. Run it again after a failure: it goes on where it stopped.

    Args:
        lake: the tables.
        customer: the code that the lake has.
        run_id: of the commits.
        written: what else may stand for the code in a line that was rejected.

    Raises:
        CodeError: nobody can have the code.
        LakeError: another run published one of the weeks at the same time.
    """
    require_code(customer)
    person = _Person.of(customer, written)
    models = _models(lake, person)
    rows, rewritten, deleted = {}, {}, {}
    for table in sorted(personal_tables(), key=_BASKETS.__eq__):
        rows[table], rewritten[table] = _erase_rows(lake, table, person, run_id)
        deleted[table] = _purge(lake, table, person)
    rows[EXPORTS], rewritten[EXPORTS], deleted[EXPORTS] = erase_from_exports(lake, customer, run_id)
    deleted[reports.FOLDER] = _purge_reports(lake, customer)
    return Receipt(rows, rewritten, deleted, models, holding(lake, customer, written), _not_searched(lake, customer))


def personal_tables() -> list[str]:
    """Tables with a column that may hold a customer code."""
    return [table for table in TABLES if personal_column(table)]


def personal_column(table: str) -> str | None:
    """The column that may hold a customer code; None where there is none."""
    names = {column.name for column in TABLES[table]}
    return next((name for name in (_CUSTOMER, _RAW_TEXT) if name in names), None)


def holding(lake: Lake, customer: str, written: Sequence[str] = ()) -> list[str]:
    """Files of any version, staged ones included, and reports that hold the customer."""
    person = _Person.of(customer, written)
    rows = [
        f"{table}/{path.removeprefix(lake.path(table) + '/')}"
        for table in personal_tables()
        for path in _parquet(lake, table)
        if _count(lake, path, table, person)
    ]
    shown = [f"{reports.FOLDER}/{name}" for name in _reports_with(lake, customer)]
    return rows + exported_files_with(lake, customer) + shown


def knows(lake: Lake, customer: str, written: Sequence[str] = ()) -> bool:
    """Whether a file of any version, an export or a report holds the customer; a stump says nothing."""
    person = _Person.of(customer, written)
    paths = ((table, path) for table in personal_tables() for path in _parquet(lake, table))
    return (
        any(_count(lake, path, table, person, of_a_stump=0) for table, path in paths)
        or bool(exported_files_with(lake, customer, stumps=False))
        or bool(_reports_with(lake, customer))
    )


def _erase_rows(lake: Lake, table: str, person: _Person, run_id: str) -> tuple[int, int]:
    """Publish the weeks that hold the customer without them: rows erased, files written."""
    snapshot = lake.snapshot(table)
    published = snapshot.published if snapshot else ()
    lake.files(table, [file.week for file in published])  # says which one is damaged
    counts = {file: _count(lake, lake.path(table, file.path), table, person) for file in published}
    weeks = sorted({file.week for file, count in counts.items() if count})
    if not weeks:
        return 0, 0
    files = [file for file in published if file.week in weeks]
    with stage(lake, table, run_id) as folder:
        for number, file in enumerate(files):
            write_staged(lake, table, folder, file.week, _without(lake, table, file, person), f"part-{number:05d}")
        kept = _kept(files, counts, weeks)
        publish(lake, table, folder, weeks, Provenance(run_id, code_version(), {}, ERASED), kept, seen=snapshot)
    return sum(counts.values()), len(files)


def _kept(files: Sequence[PublishedFile], counts: dict[PublishedFile, int], weeks: Sequence[date]) -> dict[date, int]:
    return {week: sum(file.rows - counts[file] for file in files if file.week == week) for week in weeks}


def _without(lake: Lake, table: str, file: PublishedFile, person: _Person) -> pa.Table:
    rows = parquet.read(lake.path(table, file.path), filesystem=lake.filesystem)
    names = [column.name for column in TABLES[table] if column.name != WEEK]
    return rows.select(names).filter(pc.invert(_mask(rows, table, person)))


def _purge(lake: Lake, table: str, person: _Person) -> list[str]:
    """Delete the files that hold the customer and that the newest version does not need; a run that staged one cannot publish."""
    base = lake.path(table) + "/"
    held = [path.removeprefix(base) for path in _parquet(lake, table) if _count(lake, path, table, person)]
    fates = settle(lake, table, {path.split("/")[0] for path in held})
    gone = []
    for path in held:
        if path not in fates.needed and path.split("/")[0] in fates.published | fates.free:
            reach("purge")
            with suppress(FileNotFoundError):  # its run failed, and removed what it had staged
                lake.filesystem.delete_file(base + path)
            gone.append(path)
    return gone


def _purge_reports(lake: Lake, customer: str) -> list[str]:
    """Delete the reports that show the customer."""
    gone = _reports_with(lake, customer)
    for name in gone:
        reach("purge")
        reports.remove(lake, name)
    return gone


def _reports_with(lake: Lake, customer: str) -> list[str]:
    return [name for name in reports.files(lake) if reports.shows(lake, name, customer)]


def _not_searched(lake: Lake, customer: str) -> list[str]:
    pages = [f"{reports.FOLDER}/{name}" for name in reports.files(lake) if reports.shows(lake, name, customer) is None]
    return search_exports(lake, customer)[1] + pages


def _parquet(lake: Lake, table: str) -> list[str]:
    selector = pa.fs.FileSelector(lake.path(table), recursive=True, allow_not_found=True)
    infos = lake.filesystem.get_file_info(selector)
    data = (info for info in infos if info.path.removesuffix(PARTIAL).endswith(".parquet"))
    return sorted(info.path for info in data if "/_delta_log/" not in info.path)


def _count(lake: Lake, path: str, table: str, person: _Person, of_a_stump: int = 1) -> int:
    """Rows of a file that hold the customer: one of a stump, which a killed run left, and none of a file that went meanwhile."""
    try:
        rows = parquet.read(path, [str(personal_column(table))], lake.filesystem)
    except FileNotFoundError:
        return 0
    except parquet.DamagedFileError:
        return of_a_stump
    return int(pc.sum(_mask(rows, table, person)).as_py() or 0)


def _mask(rows: pa.Table, table: str, person: _Person) -> pa.ChunkedArray:
    """Which rows hold the customer: their own rows, or rejected lines of which the code is a field."""
    column = personal_column(table)
    assert column is not None, f"{table} holds no customer"
    if column == _CUSTOMER:
        found = pc.equal(rows[column], person.code)
    else:
        lines = pc.binary_join_element_wise("\n", rows[column], "\n", "")
        found = pc.match_substring_regex(lines, "|".join(map(field_pattern, person.written)))
    return pc.fill_null(found, False)


def _models(lake: Lake, person: _Person) -> list[str]:
    """Versions of models whose training weeks hold the customer, or held them until an erasure that did not end."""
    weeks = [
        date.fromisoformat(folder[1])
        for path in _parquet(lake, _BASKETS)
        if (folder := _IN_A_WEEK.search(path)) and _count(lake, path, _BASKETS, person, of_a_stump=0)
    ]
    if not weeks:
        return []
    decisions = [decision for name in ("mission_model", "rnn_model") for decision in registry.decisions(lake, name)]
    return sorted({f"{decision.name} {decision.version}" for decision in decisions if decision.week >= min(weeks)})
