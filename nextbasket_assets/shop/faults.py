"""Faults to put into a finished shop, each by its own flag, all drawn from one seed.

A fault changes the landing files only: the ground truth stays that of the clean shop. They are applied in the
order of the fields, so that for example a late row keeps a spreadsheet's damaged basket id.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextbasket_assets.shop.landing_files import COLUMN, packed, read_text, write_whole
from nextbasket_assets.shop.replay import replay_tail

_QUANTITY, _SPEND, _HOUR, _CLASS, _BASKET = (
    COLUMN[name] for name in ("QUANTITY", "SPEND", "SHOP_HOUR", "PROD_CODE_10", "BASKET_ID")
)
_OF_BASKET = [COLUMN[name] for name in ("BASKET_ID", "CUST_CODE", "SHOP_DATE", "SHOP_HOUR", "STORE_CODE")]
_HUGE_QUANTITY, _HUGE_SPEND = "1685", "2594.9"
_NULLABLE = [COLUMN[name] for name in ("CUST_CODE", "seg_1", "seg_2")]  # what an anonymous line lacks
_LOCK_FILE = ".~lock.transactions_200607.csv#"

Rows = list[str]


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong. The clean shop has none of it; weeks count from 1, 0 or empty means no such fault."""

    seed: int = 0
    replay_tail: int = 0  # last weeks whose identified baskets are copies of earlier ones
    damaged_ids: int = 0  # week whose basket ids a spreadsheet turned into 9.94E+14
    swapped_nulls: int = 0  # week that writes nulls the other way: empty for "", and "" for empty
    duplicate_rows: int = 0  # rows repeated, each in its own file, anywhere in the shop
    late_rows: int = 0  # rows moved to the file of the next week
    zero_spend_rows: int = 0  # rows with spend 0.0
    huge_quantity: bool = False  # one row with quantity 1,685 for 2,594.90
    late_hour: bool = False  # one basket at hour 22
    unknown_category: int = 0  # rows whose class is not in the hierarchy
    missing_weeks: tuple[int, ...] = ()  # weeks whose file never arrives
    truncated_week: int = 0  # week whose file ends inside its last field
    lock_file: bool = False  # a spreadsheet's `.~lock.transactions_200607.csv#` in the folder

    def check(self, weeks: int) -> None:
        """That a shop of so many weeks can have these faults; whether it has the rows shows when it is written.

        Raises:
            ValueError: a fault needs other weeks, or is a number below 0.
        """
        for name in ("replay_tail", "duplicate_rows", "late_rows", "zero_spend_rows", "unknown_category"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        one_week = [week for week in (self.damaged_ids, self.swapped_nulls, self.truncated_week) if week]
        for week in (*one_week, *self.missing_weeks):
            if not 1 <= week <= weeks:
                raise ValueError(f"a fault names week {week}, but the shop has weeks 1 to {weeks}")
        if len(set(self.missing_weeks)) < len(self.missing_weeks):
            raise ValueError(f"missing_weeks={self.missing_weeks} names a week twice")
        if self.replay_tail and self.replay_tail + 3 > weeks:
            raise ValueError(f"replay_tail={self.replay_tail} needs at least {self.replay_tail + 3} weeks, got {weeks}")
        if self.late_rows and weeks < 2:
            raise ValueError("late_rows needs at least 2 weeks: a row of one in the file of the next")


def inject(out: Path, files: list[str], faults: Faults) -> list[str]:
    """Damage the files of a shop; returns the names of the weekly files that are left.

    Raises:
        ValueError: the faults ask for more rows than the shop has.
    """
    if faults.replay_tail:
        replay_tail(out, files, faults.replay_tail, np.random.default_rng([faults.seed, 0]))
    if faults.damaged_ids:
        _rewrite(out / files[faults.damaged_ids - 1], _damage_ids)
    if faults.swapped_nulls:
        _rewrite(out / files[faults.swapped_nulls - 1], _swap_nulls)
    _scatter(out, files, faults)
    if faults.truncated_week:
        path = out / files[faults.truncated_week - 1]
        write_whole(path, packed(path.name, read_text(path)[:-2]))
    if faults.lock_file:
        (out / _LOCK_FILE).write_text(",till,till,16.04.2006 12:00;", encoding="ascii")
    for week in faults.missing_weeks:
        (out / files[week - 1]).unlink()
    return [name for number, name in enumerate(files, start=1) if number not in faults.missing_weeks]


def _rewrite(path: Path, change: Callable[[Rows], Rows]) -> None:
    """Replace the rows below the header of a file."""
    header, *rows = read_text(path).splitlines()
    write_whole(path, packed(path.name, "\n".join([header, *change(rows)]) + "\n"))


def _set_field(row: str, column: int, value: str) -> str:
    fields = row.split(",")
    fields[column] = value
    return ",".join(fields)


def _basket_of(row: str) -> tuple[str, ...]:
    """What the lines of a basket have in common, also where a spreadsheet made all ids the same."""
    fields = row.split(",")
    return tuple(fields[column] for column in _OF_BASKET)


def _damage_ids(rows: Rows) -> Rows:
    return [_set_field(row, _BASKET, "9.94E+14") for row in rows]


def _swap_nulls(rows: Rows) -> Rows:
    other = {'""': "", "": '""'}
    changed = []
    for row in rows:
        fields = row.split(",")
        for column in _NULLABLE:
            fields[column] = other.get(fields[column], fields[column])
        changed.append(",".join(fields))
    return changed


def _scatter(out: Path, files: list[str], faults: Faults) -> None:
    """The faults that hit single rows: each row is drawn at random and hit by one of them at most."""
    rng = np.random.default_rng([faults.seed, 1])
    hits = _draw_rows(out, files, faults, rng)
    late: dict[int, Rows] = {}
    for number, name in enumerate(files):
        here = {row: kind for (file, row), kind in hits.items() if file == number}
        arriving = late.pop(number, [])
        if here or arriving:
            _rewrite(out / name, _hit_rows(here, arriving, late.setdefault(number + 1, [])))


def _draw_rows(out: Path, files: list[str], faults: Faults, rng: np.random.Generator) -> dict[tuple[int, int], str]:
    """Which row of which file meets which fault."""
    wanted = {
        "late": faults.late_rows,
        "duplicate": faults.duplicate_rows,
        "zero": faults.zero_spend_rows,
        "huge": int(faults.huge_quantity),
        "hour": int(faults.late_hour),
        "category": faults.unknown_category,
    }
    if not any(wanted.values()):
        return {}
    sizes = [read_text(out / name).count("\n") - 1 for name in files]
    starts = np.cumsum([0, *sizes])
    movable = int(starts[-2])  # a row of the last week has no next file
    if faults.late_rows > movable or sum(wanted.values()) > starts[-1]:
        raise ValueError(f"the faults ask for {sum(wanted.values())} rows, the shop has {starts[-1]}")
    late = rng.permutation(movable)[: faults.late_rows]
    rest = rng.permutation(int(starts[-1]))
    rows = np.concatenate([late, rest[~np.isin(rest, late)]])[: sum(wanted.values())]
    kinds = [kind for kind, count in wanted.items() for _ in range(count)]
    file = np.searchsorted(starts, rows, side="right") - 1
    return {(int(f), int(row - starts[f])): kind for f, row, kind in zip(file, rows, kinds, strict=True)}


def _hit_rows(here: dict[int, str], arriving: Rows, leaving: Rows) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        kept: Rows = []
        for number, row in enumerate(rows):
            kind = here.get(number, "")
            if kind == "late":
                leaving.append(row)
            else:
                kept += _hit(row, kind)
        baskets = {_basket_of(rows[number]) for number, kind in here.items() if kind == "hour"}
        kept = [_set_field(row, _HOUR, "22") if _basket_of(row) in baskets else row for row in kept]
        return kept + arriving

    return change


def _hit(row: str, kind: str) -> Rows:
    if kind == "duplicate":
        return [row, row]
    if kind == "zero":
        return [_set_field(row, _SPEND, "0.0")]
    if kind == "huge":
        return [_set_field(_set_field(row, _QUANTITY, _HUGE_QUANTITY), _SPEND, _HUGE_SPEND)]
    if kind == "category":
        return [_set_field(row, _CLASS, "CL99999")]
    return [row]
