"""Packed folders by hand: who is train, val or test, and who bought what, small enough to check by eye."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nextbasket_tests import shops

Baskets = list[list[int]]


def write(
    folder: Path, shop: Sequence[Baskets], folds: Sequence[Sequence[str]], days: list[list[int]] | None = None
) -> Path:
    """A packed folder of users 0, 1, ... with these baskets, their last one the target.

    Args:
        folder: is made.
        shop: each user's baskets.
        folds: of each fold, each user's part.
        days: of each user's baskets; none without it.
    """
    rows = [
        {"user": user, "basket": number, "item": item, "is_target": number == len(baskets) - 1}
        | ({"day": days[user][number]} if days else {})
        for user, baskets in enumerate(shop)
        for number, basket in enumerate(baskets)
        for item in basket
    ]
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "baskets.parquet")
    parts = {f"fold{number}": list(fold) for number, fold in enumerate(folds)}
    pq.write_table(pa.table({"user": list(range(len(shop))), **parts}), folder / "splits.parquet")
    return folder


def habits(folder: Path, dated: bool, parts: Sequence[str]) -> Path:
    """A shop of habits as a packed folder, its thirty users dealt into `parts` in turn."""
    shop = [[[int(item[1:]) for item in basket] for basket in user] for user in shops.habits(30, 8).values()]
    days = [[7 * number + user % 5 for number in range(8)] for user in range(30)] if dated else None
    return write(folder, shop, [[parts[user % len(parts)] for user in range(30)]], days)


def change(folder: Path, name: str, how: Callable[[pa.Table], pa.Table]) -> None:
    """Writes one of the folder's files anew."""
    table = pq.read_table(folder / name)
    pq.write_table(how(table), folder / name)


def with_targets(folder: Path, parts: Sequence[str], item: int) -> None:
    """Every target of these parts is this one item from now on."""
    part = pq.read_table(folder / "splits.parquet")["fold0"].to_pylist()

    def turned(table: pa.Table) -> pa.Table:
        touched = np.isin(np.array(part)[table["user"].to_numpy()], parts)
        target = touched & table["is_target"].to_numpy(zero_copy_only=False)
        return table.set_column(2, "item", pa.array(np.where(target, item, table["item"].to_numpy())))

    change(folder, "baskets.parquet", turned)
