import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import neighbours, next_basket, packed, results
from benchmarks.next_basket import Case
from nextbasket_tests import shops

PEERS = {
    "global top-frequency",
    "personal top-frequency",
    "combined top-frequency",
    "TIFUKNN published",
    "TIFUKNN tuned",
    "UP-CF@r published",
    "UP-CF@r tuned",
}


def packed_folder(folder, dated, parts):
    """A shop of habits as a packed folder, its users dealt into `parts` in turn."""
    rows = [
        {"user": user, "basket": basket, "item": int(item[1:]), "is_target": basket == len(baskets) - 1}
        | ({"day": 7 * basket + user % 5} if dated else {})
        for user, baskets in enumerate(shops.habits(customers=30, baskets=8).values())
        for basket, items in enumerate(baskets)
        for item in items
    ]
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "baskets.parquet")
    dealt = [parts[user % len(parts)] for user in range(30)]
    pq.write_table(pa.table({"user": np.arange(30), "fold0": dealt}), folder / "splits.parquet")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("dated", [True, False], ids=["dates", "no dates"])
@pytest.mark.parametrize("parts", [("train", "train", "val", "test"), ("val", "test")], ids=["train users", "none"])
def test_any_folder_of_the_format_gives_every_method_in_one_json(tmp_path, monkeypatch, capsys, dated, parts):
    """With days or without, with train users or without: all methods, metrics at 10 and 20, costs, and the rate."""
    folder = packed_folder(tmp_path / "habits", dated, parts)
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["next_basket.py", str(folder), "--epochs", "1", "--json", str(out)])
    next_basket.main()
    found = json.loads(out.read_text())

    assert set(found) == {"dataset", "protocol", "differences", "methods", "scoring"}
    assert found["protocol"] == {
        **{"strict": "train" in parts, "folds": [0], "seeds": [0], "epochs": 1},
        **{"judged": sum(parts[user % len(parts)] == "test" for user in range(30)), "left_out": 0},
    }
    assert [one["metric"] for one in found["differences"]] == ["recall@10", "ndcg@10"]
    assert found["dataset"] == "habits"
    assert set(found["methods"]) == PEERS | {"nextbasket"}
    for numbers in found["methods"].values():
        assert {f"{m}@{k}" for m in ("recall", "ndcg", "phr") for k in (10, 20)} | {"seconds", "peak_mb"} <= set(
            numbers
        )
        assert 0 < numbers["recall@20"] <= 1
    assert found["scoring"]["customers_per_second"] > 0
    assert "| nextbasket |" in capsys.readouterr().out


def of(table, part, *, last_only):
    """Rows of the users that are not of this third, and of the others the last basket."""
    other = pc.not_equal(pa.array(np.asarray(table["user"]) % 3), part)
    return pc.or_(other, table["is_target"]) if last_only else other


def said(table, word):
    """The users of train under another word."""
    words = [word if part == "train" else part for part in table["fold0"].to_pylist()]
    return table.set_column(1, "fold0", pa.array(words, pa.string()))


def rewritten(folder, name, change):
    table = pq.read_table(folder / name)
    pq.write_table(change(table), folder / name)


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
def test_a_folder_that_is_no_such_folder_says_why(tmp_path, name, change, message):
    """Users that do not match, columns that are missing, text, nulls, days that run backwards: what is wrong is said."""
    folder = packed_folder(tmp_path / "habits", True, ("train", "val", "test"))
    rewritten(folder, name, change)
    with pytest.raises(packed.FolderError, match=message):
        packed.load(folder)


def test_text_and_dates_are_numbered(tmp_path):
    """Users and items under text, and days as dates, give the sequences of the same folder in numbers."""
    folder = packed_folder(tmp_path / "habits", True, ("train", "val", "test"))
    numbered = packed.load(folder)
    for name in ("baskets.parquet", "splits.parquet"):
        rewritten(folder, name, lambda t: t.set_column(0, "user", pc.utf8_lpad(t["user"].cast(pa.string()), 4, "0")))
    rewritten(
        folder, "baskets.parquet", lambda t: t.set_column(2, "item", pc.utf8_lpad(t["item"].cast(pa.string()), 9, "0"))
    )
    rewritten(folder, "baskets.parquet", lambda t: t.set_column(4, "day", t["day"].cast(pa.int32()).cast(pa.date32())))
    named = packed.load(folder)
    items = dict(zip(numbered.sequences.items.to_pylist(), named.sequences.items.to_pylist(), strict=True))

    assert named.sequences.days.tolist() == numbered.sequences.days.tolist()
    assert named.sequences.item_offsets.tolist() == numbered.sequences.item_offsets.tolist()
    assert len(set(items.values())) == len(items)
    assert [part.tolist() for part in named.folds.values()] == [part.tolist() for part in numbered.folds.values()]


def test_who_has_no_history_is_not_judged_and_an_item_counts_once(tmp_path):
    """Every row twice is every row once; a test user whose only basket is the target is in no table."""
    folder = packed_folder(tmp_path / "habits", False, ("train", "val", "test"))
    once = packed.load(folder).sequences
    rewritten(folder, "baskets.parquet", lambda t: pa.concat_tables([t, t]))
    twice = packed.load(folder).sequences
    rewritten(
        folder,
        "baskets.parquet",
        lambda t: t.filter(pc.or_(pc.not_equal(t["user"], 2), pc.equal(t["basket"], 7))),
    )
    split = packed.load(folder).split(0, strict=True)

    assert twice.items.equals(once.items)
    assert twice.item_offsets.tolist() == once.item_offsets.tolist()
    assert split.test.customers.tolist() == list(range(5, 30, 3))


def test_what_test_users_buy_moves_no_trend_in_a_strict_run(tmp_path):
    """Nothing is learned from them: with their histories changed, every lift that the network reads is the same."""
    folder = packed_folder(tmp_path / "habits", True, ("train", "val", "test"))
    before = Case.of(packed.load(folder), 0, strict=True).moving
    turned = pc.if_else
    rewritten(
        folder,
        "baskets.parquet",
        lambda t: t.set_column(
            2, "item", turned(pc.equal(pa.array(np.asarray(t["user"]) % 3), 2), t["item"][0], t["item"])
        ),
    )
    after = Case.of(packed.load(folder), 0, strict=True).moving

    assert np.array_equal(before.lifts, after.lifts)


def test_a_list_of_few_items_is_filled_with_none():
    """Of three items, the best three in their order; the other places say that there is nobody."""
    found = neighbours._top(np.array([[0.2, 0.9, 0.5]]))

    assert found.tolist() == [[1, 2, 0] + [-1] * (neighbours.LONGEST - 3)]


def test_who_is_tested_in_several_folds_is_one_customer():
    """Every customer three times, with the same difference: the interval is that of each once, not a narrower one."""
    difference = np.random.default_rng(0).normal(size=200)
    once = results.interval(difference, np.arange(200))
    thrice = results.interval(np.tile(difference, 3), np.tile(np.arange(200), 3))

    assert thrice == pytest.approx(once)
