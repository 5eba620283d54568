"""The replayed tail: the last weeks hold copies of earlier baskets, as the published files do from 200807 on."""

from pathlib import Path

import numpy as np

from nextbasket_assets.shop.landing_files import COLUMN, number_baskets, packed, read_text, write_whole
from nextbasket_assets.shop.weeks import retail_week

_WEEK, _DATE, _WEEKDAY, _PRODUCT, _CUSTOMER, _BASKET, _STORE = (
    COLUMN[name]
    for name in ("SHOP_WEEK", "SHOP_DATE", "SHOP_WEEKDAY", "PROD_CODE", "CUST_CODE", "BASKET_ID", "STORE_CODE")
)
_SERIAL_DIGITS = 8
_NEVER_SOURCES = 2  # weeks before the tail

Basket = list[list[str]]  # the split rows of a basket


def replay_tail(out: Path, files: list[str], tail: int, rng: np.random.Generator) -> None:
    """Replace the identified baskets of the last `tail` weeks by copies of earlier baskets.

    A copy keeps customer, products, quantities, spend, store, hour and labels; it gets a new basket id and a day
    drawn within its new week. Every source is copied once at most; the volume is tail/sources of each history.
    """
    sources = len(files) - tail - _NEVER_SOURCES
    arrivals: list[list[Basket]] = [[] for _ in range(tail)]
    for name in files[:sources]:
        for basket in _identified(read_text(out / name)):
            if rng.random() < tail / sources:
                arrivals[int(rng.integers(tail))].append(basket)
    for number, baskets in enumerate(arrivals):
        index = len(files) - tail + number + 1
        name = files[index - 1]
        path = out / name
        write_whole(path, packed(name, _replayed(read_text(path), baskets, index, rng)))


def _identified(text: str) -> list[Basket]:
    baskets: dict[str, Basket] = {}
    for row in text.splitlines()[1:]:
        fields = row.split(",")
        if fields[_CUSTOMER].startswith("CUST"):
            baskets.setdefault(fields[_BASKET], []).append(fields)
    return [baskets[number] for number in sorted(baskets)]


def _replayed(text: str, baskets: list[Basket], index: int, rng: np.random.Generator) -> str:
    """The text of a week that keeps its anonymous rows and takes these baskets for the rest."""
    week = retail_week(index)
    header, *old = text.splitlines()
    rows = [row.split(",") for row in old]
    rows = [row for row in rows if not row[_CUSTOMER].startswith("CUST")]
    taken = max((int(row[_BASKET][-_SERIAL_DIGITS:]) for row in rows), default=0)
    _, customer = np.unique([basket[0][_CUSTOMER] for basket in baskets], return_inverse=True)
    for basket, number in zip(baskets, number_baskets(week, customer, rng, above=taken), strict=True):
        offset = int(rng.integers(7))
        moved = {_WEEK: week.code, _DATE: week.day(offset), _WEEKDAY: str((offset + 1) % 7 + 1), _BASKET: number}
        rows += [[moved.get(column, field) for column, field in enumerate(row)] for row in basket]
    rows.sort(key=lambda row: (row[_STORE], row[_PRODUCT], row[_BASKET]))
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"
