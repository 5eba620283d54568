"""The packed benchmark folders as the recommender's own sequences.

A folder holds baskets.parquet (user, basket 0..n-1, item, is_target; `day` where dates exist) and splits.parquet (user,
columns fold0, fold1, ... with train, val, test). Users and items are whole numbers or text, days whole numbers or dates. A
user's target is the last basket; who has no other is not judged. Users of `train` may be learned from with their target; of
the others only histories are learned from, and in strict runs nothing of the test users. A folder without `train` users,
such as lgsr_dev, has nobody else: everyone's history is learned from.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nextbasket_assets.recommender.histories import Sequences, among_first
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.trends import week_number

JUDGED = ("val", "test")
END = 4 + 7 * 2000  # a Monday; where targets lie when the folder has no common cut in time


class FolderError(ValueError):
    """A folder that is not as this module's first lines say; the message says what to do."""


@dataclass(frozen=True)
class Packed:
    """A folder: (C,) users in the order of their numbers, their sequences with the target as last basket, the folds."""

    name: str
    sequences: Sequences
    folds: dict[int, np.ndarray]
    cut: int

    @property
    def lengths(self) -> np.ndarray:
        """(C,) baskets of each user, the target included."""
        return np.diff(self.sequences.basket_offsets)

    def split(self, fold: int, strict: bool) -> Split:
        """The fold as the recommender's split; `strict` learns nothing from test users' histories, where others are there."""
        part, history = self.folds[fold], self.lengths - 1
        trained = np.where(part == "train", history + 1, history)
        if strict and self.has_train_users(fold):
            trained = np.where(part == "test", 0, trained)
        judged = [(part == name) & (history > 0) for name in ("val", "test")]
        rows = [Rows(np.flatnonzero(chosen), history[chosen]) for chosen in judged]
        return Split(trained, *rows, *rows, int(week_number(self.cut)), self.cut)

    def has_train_users(self, fold: int) -> bool:
        """Whether some users may be learned from with their target; without them a strict run is like any other."""
        return bool((self.folds[fold] == "train").any())

    def learned_baskets(self, split: Split) -> np.ndarray:
        """(N,) whether each basket may be learned from."""
        return among_first(self.sequences, split.trained)

    def histories(self) -> np.ndarray:
        """(N,) whether each basket is before its user's target."""
        before = np.ones(len(self.sequences.days), bool)
        before[self.sequences.basket_offsets[1:] - 1] = False
        return before


def load(folder: Path) -> Packed:
    """Reads a folder; item codes are the item numbers, padded with zeros. An item twice in a basket is there once.

    Raises:
        FolderError: it is no such folder.
    """
    table, splits = _tables(folder)
    users = splits["user"].to_numpy().astype(np.int64)
    by_user = np.argsort(users, kind="stable")
    place = np.searchsorted(users[by_user], table["user"].to_numpy())
    basket, item = (table[c].to_numpy().astype(np.int64) for c in ("basket", "item"))
    order = np.lexsort((item, basket, place))
    again = np.all([np.diff(column[order]) == 0 for column in (place, basket, item)], axis=0)
    order = order[np.concatenate([[True], ~again])]
    place, basket, item = place[order], basket[order], item[order]
    first = np.concatenate([[True], (np.diff(place) != 0) | (np.diff(basket) != 0)])
    owner = place[first]
    offsets = np.searchsorted(owner, np.arange(len(users) + 1))
    if "is_target" in table.column_names:
        _refuse_other_targets(
            folder, place, basket, table["is_target"].to_numpy(zero_copy_only=False)[order].astype(bool)
        )
    given = table["day"].to_numpy().astype(np.int64)[order][first] if "day" in table.column_names else None
    if given is not None and (np.diff(given)[np.diff(owner) == 0] < 0).any():
        raise FolderError(f"{folder}: the days of a user's baskets fall: number the baskets in the order of their days")
    lengths = np.diff(offsets)
    if not (lengths > 1).any():
        raise FolderError(f"{folder}: nobody has a basket before the target: there is no history to learn from")
    days, cut = _days(given, offsets)
    sequences = Sequences(
        pa.array([f"{user:09d}" for user in users[by_user]]),
        offsets,
        days,
        np.concatenate([np.flatnonzero(first), [len(item)]]),
        _codes(item),
        np.zeros((len(owner), 0), np.float32),
    )
    folds = {int(name.removeprefix("fold")): np.array(splits[name].to_pylist())[by_user] for name in _folds(splits)}
    for fold, part in folds.items():
        if lacking := [name for name in JUDGED if not ((part == name) & (lengths > 1)).any()]:
            raise FolderError(
                f"{folder}: no user of {' and none of '.join(lacking)} in fold{fold} has a basket before the target"
            )
    return Packed(folder.resolve().name, sequences, folds, cut)


def _codes(item: np.ndarray) -> pa.Array:
    """Item numbers as codes; each is written once, and the codes of millions of purchases stay one array."""
    numbers, place = np.unique(item, return_inverse=True)
    return pa.array([f"{number:06d}" for number in numbers]).take(pa.array(place))


def _refuse_other_targets(folder: Path, place: np.ndarray, basket: np.ndarray, flagged: np.ndarray) -> None:
    """The targets that the folder names are the ones that are taken: each user's last basket."""
    last = np.concatenate([np.flatnonzero(np.diff(place)), [len(place) - 1]])
    is_last = basket == basket[last][np.cumsum(np.concatenate([[0], np.diff(place) != 0]))]
    if (is_last != flagged).any():
        raise FolderError(f"{folder}: is_target is to be true for the last basket of every user, and for no other")


def _tables(folder: Path) -> tuple[pa.Table, pa.Table]:
    """baskets.parquet and splits.parquet, once they are known to fit together."""
    paths = [folder / name for name in ("baskets.parquet", "splits.parquet")]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise FolderError(f"{folder}: no {' and no '.join(missing)} there")
    baskets, splits = (pq.read_table(path) for path in paths)
    if _is_text(baskets, "user") != _is_text(splits, "user"):
        raise FolderError(
            f"{folder}: the users are text in one of the files and numbers in the other: write them alike"
        )
    baskets, splits = _numbered(baskets, splits)
    for table, names in ((baskets, ("user", "basket", "item")), (splits, ("user",))):
        for name in (*names, *({"day"} & set(table.column_names))):
            if name not in table.column_names:
                raise FolderError(f"{folder}: a column {name} is missing")
            if not pa.types.is_integer(table.schema.field(name).type) or table[name].null_count:
                raise FolderError(
                    f"{folder}: the column {name} is to hold whole numbers, text or, as day, dates, and no empty cells"
                )
    listed, shopping = (set(table["user"].to_pylist()) for table in (splits, baskets))
    if len(listed) != splits.num_rows or listed != shopping:
        raise FolderError(f"{folder}: splits.parquet is to have one row for each user of baskets.parquet, and no other")
    if not (folds := _folds(splits)):
        raise FolderError(f"{folder}: splits.parquet has no column fold0: name its columns user, fold0, fold1, ...")
    for name in folds:
        parts = set(splits[name].to_pylist())
        if unknown := sorted(map(str, parts - {"train", *JUDGED})):
            raise FolderError(f"{folder}: {name} says {unknown[0]!r}: every user is train, val or test")
        if lacking := set(JUDGED) - parts:
            raise FolderError(
                f"{folder}: nobody is {' or '.join(sorted(lacking))} in {name}: peers and epochs are chosen by val"
            )
    return baskets, splits


def _folds(splits: pa.Table) -> list[str]:
    return [name for name in splits.column_names if re.fullmatch(r"fold\d+", name)]


def _numbered(baskets: pa.Table, splits: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Both tables with text as its place among all texts in order, and dates as days since 1970-01-01."""
    for name in ("user", "item"):
        texts = [table[name].cast(pa.string()) for table in (baskets, splits) if _is_text(table, name)]
        if texts:
            said = pc.unique(pa.concat_arrays([chunk for text in texts for chunk in text.chunks])).drop_null()
            order = said.take(pc.array_sort_indices(said))
            baskets, splits = (_placed(table, name, order) for table in (baskets, splits))
    if "day" in baskets.column_names and pa.types.is_temporal(baskets.schema.field("day").type):
        baskets = _with(baskets, "day", baskets["day"].cast(pa.date32(), safe=False).cast(pa.int32()))
    return baskets, splits


def _placed(table: pa.Table, name: str, order: pa.Array) -> pa.Table:
    if not _is_text(table, name):
        return table
    return _with(table, name, pc.index_in(table[name].cast(pa.string()), order).cast(pa.int64()))


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _is_text(table: pa.Table, name: str) -> bool:
    if name not in table.column_names:
        return False
    kind = table.schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _days(given: np.ndarray | None, offsets: np.ndarray) -> tuple[np.ndarray, int]:
    """(N,) days, and the Monday of the week in which the first target lies.

    Where all targets lie after all histories, the folder's own days stand. Otherwise each user's history is moved to end
    a week before a common day, weekly where there are no dates at all, so that no target can be seen in what others bought
    before it.
    """
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    is_target = np.zeros(len(owner), bool)
    is_target[offsets[1:] - 1] = True
    if given is not None and given[is_target].min() > given[~is_target].max():
        shifted = given + END - week_start(int(given[is_target].min()))
        return shifted, END
    days = given if given is not None else 7 * np.arange(len(owner))
    last_history = days[offsets[1:] - np.minimum(lengths, 2)]
    moved = days - last_history[owner] + END - 7
    return np.where(is_target, END, moved), END


def week_start(day: int) -> int:
    """The first day of the given day's week, when weeks begin on day 0."""
    return day - day % 7


def write(data: Packed, path: Path, copies: int) -> None:
    """The histories, targets left out, as a file of customer_sequences; each user `copies` times under other codes."""
    sequences = data.sequences
    kept = data.histories()
    sizes = np.diff(sequences.item_offsets)
    items = pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.int32)),
        sequences.items.filter(pa.array(np.repeat(kept, sizes))),
    )
    count = int(kept.sum())
    missions = pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], pa.float32()))
    dates = pa.array(sequences.days[kept].astype(np.int32)).cast(pa.date32())
    baskets = pa.StructArray.from_arrays(
        [dates, pa.array(np.zeros(count, np.int32)), items, missions], ["date", "hour", "items", "mission_weights"]
    )
    offsets = sequences.basket_offsets - np.arange(len(sequences.basket_offsets))
    lists = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), baskets)
    seen = pa.array(np.diff(offsets).astype(np.int32))
    schema = pa.schema([("customer", pa.string()), ("baskets_seen", pa.int32()), ("baskets", lists.type)])
    with pq.ParquetWriter(path, schema) as writer:
        for copy in range(copies):
            codes = pa.array([f"{code}-{copy}" for code in sequences.customers.to_pylist()])
            writer.write_table(pa.table([codes, seen, lists], schema=schema))


def lay_down(folder: Path, rows: list[tuple[int, int, int]], parts: np.ndarray) -> None:
    """Writes a packed folder of rows of user, basket and item; (C,) the part of each user in its one fold."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(dict(zip(("user", "basket", "item"), np.array(rows).T, strict=True)))
    pq.write_table(table, folder / "baskets.parquet")
    pq.write_table(pa.table({"user": np.arange(len(parts)), "fold0": parts}), folder / "splits.parquet")


def lay_down_judged(
    folder: Path, users: Iterable[tuple[list[list[int]], np.ndarray]], parts: np.ndarray, k: int
) -> float:
    """Lays down the users' baskets; recall@k of the test users' last ones by the (V,) chances that come with each user."""
    rows, found = [], []
    for user, (baskets, wanted) in enumerate(users):
        rows += [(user, number, item) for number, basket in enumerate(baskets) for item in basket]
        if parts[user] == "test":
            found.append(np.isin(baskets[-1], np.argsort(-wanted)[:k]).mean())
    lay_down(folder, rows, parts)
    return float(np.mean(found))


def planted(folder: Path, users: int = 300, baskets: int = 8, items: int = 60, seed: int = 0) -> None:
    """Writes a packed folder of users with habits: four favourites of their own, and what everybody buys now and then."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        favourites = random.choice(items, 4, replace=False)
        for basket in range(baskets):
            bought = {*favourites[random.random(4) < 0.7].tolist(), int(random.integers(items))}
            rows += [(user, basket, int(item), basket == baskets - 1) for item in sorted(bought)]
    folder.mkdir(parents=True)
    columns = dict(zip(("user", "basket", "item", "is_target"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "baskets.parquet")
    parts = ["train", "train", "train", "val", "test"]
    splits = {"user": list(range(users)), "fold0": [parts[user % len(parts)] for user in range(users)]}
    pq.write_table(pa.table(splits), folder / "splits.parquet")
