"""A packed folder becomes sequences from which no target can be seen, and what is no such folder says why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import packed
from benchmarks.packed import END
from nextbasket_assets.recommender import histories
from nextbasket_assets.recommender.trends import week_number
from nextbasket_tests.benchmarks import folders


def of(table: pa.Table, part: int, *, last_only: bool) -> pa.ChunkedArray:
    """Rows of the users that are not of this third, and of the others the last basket."""
    other = pc.not_equal(pa.array(np.asarray(table["user"]) % 3), part)
    return pc.or_(other, table["is_target"]) if last_only else other


def said(table: pa.Table, word: str | None) -> pa.Table:
    """The users of train under another word."""
    words = [word if part == "train" else part for part in table["fold0"].to_pylist()]
    return table.set_column(1, "fold0", pa.array(words, pa.string()))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("splits.parquet", lambda t: t.slice(1), "one row for each user"),
        ("splits.parquet", lambda t: t.rename_columns(["user", "part"]), "no column fold0"),
        ("splits.parquet", lambda t: t.filter(pc.equal(t["fold0"], "val")), "one row for each user"),
        ("baskets.parquet", lambda t: t.drop_columns(["item"]), "a column item is missing"),
        ("baskets.parquet", lambda t: t.set_column(2, "item", t["item"].cast(pa.float64())), "whole numbers"),
        ("baskets.parquet", lambda t: t.set_column(0, "user", t["user"].cast(pa.string())), "text in one of the files"),
        (
            "baskets.parquet",
            lambda t: t.set_column(3, "is_target", pc.invert(t["is_target"])),
            "last basket of every user",
        ),
        ("baskets.parquet", lambda t: t.filter(t["is_target"]), "nobody has a basket before the target"),
        (
            "baskets.parquet",
            lambda t: t.filter(of(t, 1, last_only=True)),
            "no user of val in fold0 has a basket before",
        ),
        ("splits.parquet", lambda t: t.rename_columns(["user", "fold"]), "no column fold0"),
        ("splits.parquet", lambda t: said(t, "Train"), "fold0 says 'Train': every user is train, val or test"),
        ("splits.parquet", lambda t: said(t, None), "fold0 says 'None'"),
        ("baskets.parquet", lambda t: t.set_column(4, "day", pa.array([None] * len(t), pa.int64())), "whole numbers"),
        (
            "baskets.parquet",
            lambda t: t.set_column(4, "day", pc.negate(t["day"])),
            "days of a user's baskets fall",
        ),
    ],
)
def test_a_folder_that_is_no_such_folder_says_why(
    tmp_path: Path, name: str, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    """Users that do not match, columns that are missing, text, nulls, days that run backwards: what is wrong is said."""
    folder = folders.habits(tmp_path / "habits", True, ("train", "val", "test"))
    folders.change(folder, name, change)
    with pytest.raises(packed.FolderError, match=message):
        packed.load(folder)


def test_text_and_dates_are_numbered(tmp_path: Path) -> None:
    """Users and items under text, and days as dates, give the sequences of the same folder in numbers."""
    folder = folders.habits(tmp_path / "habits", True, ("train", "val", "test"))
    numbered = packed.load(folder)
    for name in ("baskets.parquet", "splits.parquet"):
        folders.change(
            folder, name, lambda t: t.set_column(0, "user", pc.utf8_lpad(t["user"].cast(pa.string()), 4, "0"))
        )
    folders.change(
        folder, "baskets.parquet", lambda t: t.set_column(2, "item", pc.utf8_lpad(t["item"].cast(pa.string()), 9, "0"))
    )
    folders.change(
        folder, "baskets.parquet", lambda t: t.set_column(4, "day", t["day"].cast(pa.int32()).cast(pa.date32()))
    )
    named = packed.load(folder)
    items = dict(zip(numbered.sequences.items.to_pylist(), named.sequences.items.to_pylist(), strict=True))

    assert named.sequences.days.tolist() == numbered.sequences.days.tolist()
    assert named.sequences.item_offsets.tolist() == numbered.sequences.item_offsets.tolist()
    assert len(set(items.values())) == len(items)
    assert [part.tolist() for part in named.folds.values()] == [part.tolist() for part in numbered.folds.values()]


def test_who_has_no_history_is_not_judged_and_an_item_counts_once(tmp_path: Path) -> None:
    """Every row twice is every row once; a test user whose only basket is the target is in no table."""
    folder = folders.habits(tmp_path / "habits", False, ("train", "val", "test"))
    once = packed.load(folder).sequences
    folders.change(folder, "baskets.parquet", lambda t: pa.concat_tables([t, t]))
    twice = packed.load(folder).sequences
    folders.change(
        folder,
        "baskets.parquet",
        lambda t: t.filter(pc.or_(pc.not_equal(t["user"], 2), pc.equal(t["basket"], 7))),
    )
    split = packed.load(folder).split(0, strict=True)

    assert twice.items.equals(once.items)
    assert twice.item_offsets.tolist() == once.item_offsets.tolist()
    assert split.test.customers.tolist() == list(range(5, 30, 3))


SHOP = [[[1, 2], [2], [3]], [[1], [4]], [[5], [5, 6]], [[7]]]
FOLDS = [["train", "val", "test", "test"], ["val", "test", "val", "train"]]


def test_what_is_learned_from(tmp_path: Path) -> None:
    """All of train users, all but the target of the others, and in a strict run nothing of the test users."""
    data = packed.load(folders.write(tmp_path / "shop", SHOP, FOLDS))

    assert data.split(0, strict=True).trained.tolist() == [3, 1, 0, 0]
    assert data.split(0, strict=False).trained.tolist() == [3, 1, 1, 0]
    assert data.split(1, strict=True).trained.tolist() == [2, 0, 1, 1]
    assert data.learned_baskets(data.split(0, strict=True)).tolist() == [True] * 3 + [True, False] + [False] * 3
    assert data.histories().tolist() == [True, True, False, True, False, True, False, False]


def test_who_judges_and_by_what(tmp_path: Path) -> None:
    """Users of val choose and users of test judge, by their last basket, if they have another; the week is the targets'."""
    data = packed.load(folders.write(tmp_path / "shop", SHOP, FOLDS))
    split = data.split(0, strict=True)

    assert (split.validation.customers.tolist(), split.validation.prefixes.tolist()) == ([1], [1])
    assert (split.test.customers.tolist(), split.test.prefixes.tolist()) == ([2], [1])
    assert (split.watched, split.judged) == (split.validation, split.test)
    assert split.week == week_number(END)


def test_without_train_users_everyones_history_is_learned_from(tmp_path: Path) -> None:
    """There is nobody else: a strict run is then like any other, and learns no target."""
    data = packed.load(folders.write(tmp_path / "shop", SHOP, [["val", "val", "test", "test"]]))

    assert not data.has_train_users(0)
    assert data.split(0, strict=True).trained.tolist() == [2, 1, 1, 0]


def test_days_after_which_all_targets_lie_stand(tmp_path: Path) -> None:
    """Nothing but their beginning changes: the week of the first target, day 21, is the week that is predicted."""
    shop = [[[1], [2], [3]], [[1], [4]]]
    data = packed.load(folders.write(tmp_path / "shop", shop, [["val", "test"]], [[0, 9, 23], [20, 31]]))

    assert (data.sequences.days - END).tolist() == [0 - 21, 9 - 21, 23 - 21, 20 - 21, 31 - 21]
    assert data.cut == END


def test_no_history_shows_anothers_target(tmp_path: Path) -> None:
    """Where one target lies before another history ends, all targets are on one day, every history ends a week before it."""
    shop = [[[1], [2], [3]], [[1], [4]], [[5]]]
    days = [[0, 9, 12], [30, 31], [8]]
    data = packed.load(folders.write(tmp_path / "shop", shop, [["val", "test", "test"]], days))

    assert (data.sequences.days - END).tolist() == [-7 - 9, -7, 0, -7, 0, 0]
    assert data.sequences.days[data.histories()].max() < data.cut == END


def test_without_days_a_basket_is_a_week(tmp_path: Path) -> None:
    """Histories are weekly, and end the week before the target."""
    data = packed.load(folders.write(tmp_path / "shop", [[[1], [2], [3]], [[1], [4]]], [["val", "test"]]))

    assert (data.sequences.days - END).tolist() == [-14, -7, 0, -7, 0]


def test_what_is_scored_for_the_rate_are_the_histories(tmp_path: Path) -> None:
    """The file of sequences holds every basket but the targets, once for each copy of the user."""
    data = packed.load(folders.write(tmp_path / "shop", SHOP[:3], [FOLDS[0][:3]]))
    packed.write(data, tmp_path / "sequences.parquet", copies=2)
    written = histories.read([str(tmp_path / "sequences.parquet")])

    assert written.customers.to_pylist() == [f"{user:09d}-{copy}" for user in range(3) for copy in range(2)]
    assert np.diff(written.basket_offsets).tolist() == [2, 2, 1, 1, 1, 1]
    assert [int(item) for item in written.items.to_pylist()] == [1, 2, 2, 1, 2, 2, 1, 1, 5, 5]
    assert (written.days - END).tolist() == [-14, -7, -14, -7, -7, -7, -7, -7]


def test_millions_of_purchases_are_read(tmp_path: Path) -> None:
    """Three million purchases are one array of their items' codes.

    Regression: from some two and a half million on, they came in several, and the benchmark stopped.
    """
    users, baskets, items = 300, 100, 100
    user, basket, item = (axis.ravel() for axis in np.indices((users, baskets, items)))
    pq.write_table(pa.table({"user": user, "basket": basket, "item": item}), tmp_path / "baskets.parquet")
    parts = ["train", "val", "test"] * (users // 3)
    pq.write_table(pa.table({"user": range(users), "fold0": parts}), tmp_path / "splits.parquet")
    found = packed.load(tmp_path).sequences.items

    assert isinstance(found, pa.Array)
    assert found.slice(items - 1, 2).to_pylist() == ["000099", "000000"]
    assert pc.count_distinct(found).as_py() == items
