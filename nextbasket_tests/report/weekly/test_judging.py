"""Lists against baskets, counted by hand."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from nextbasket_assets.recommender.evaluation import PUBLISHED, retrospective
from nextbasket_assets.report.weekly.judging import (
    bought_before,
    bought_items,
    first_baskets,
    judge,
    judged_week,
    usual_items,
)
from nextbasket_assets.report.weekly.quality import calibration, quality, segments, thickness
from nextbasket_tests.report.weekly.weeks import BREAD, MODEL, WEEKS, code, put, small_lake

DAY = date(2006, 4, 10)


def pairs(*found: tuple[str, str]) -> pa.Table:
    return pa.table({"customer": [c for c, _ in found], "item": [i for _, i in found]})


def history(*found: tuple[str, str, int]) -> pa.Table:
    return pairs(*((c, i) for c, i, _ in found)).append_column("trips", pa.array([n for *_, n in found], pa.int64()))


def baskets(*rows: tuple[str | None, int, int, str, list[str]]) -> pa.Table:
    items = pa.list_(pa.struct([("item", pa.string())]))
    names = ("customer", "date", "hour", "basket", "items")
    columns = list(
        zip(*[(c, DAY.replace(day=d), h, b, [{"item": i} for i in x]) for c, d, h, b, x in rows], strict=True)
    )
    types = (pa.string(), pa.date32(), pa.int32(), pa.string(), items)
    return pa.table({name: pa.array(values, kind) for name, values, kind in zip(names, columns, types, strict=True)})


def test_the_first_basket_is_by_date_hour_and_id_and_has_merchandise() -> None:
    """A later day, a later hour, a later id and an empty basket lose; nobody known has none."""
    rows = baskets(
        ("A", 12, 9, "1", ["late"]), ("A", 11, 9, "2", ["tie"]), ("A", 11, 9, "1", ["first"]), ("A", 10, 9, "0", []),
        ("B", 11, 8, "9", ["early"]), ("B", 11, 9, "1", ["hour"]), (None, 10, 1, "0", ["anonymous"]),
    )  # fmt: skip

    assert bought_items(first_baskets(rows)).sort_by("customer").to_pylist() == [
        {"customer": "A", "item": "first"},
        {"customer": "B", "item": "early"},
    ]
    assert first_baskets(rows.slice(0, 0)).num_rows == 0


def test_every_number_of_a_judged_customer() -> None:
    """A: 4 items, 2 hits, 2 repeats of which 1 hit. B: nothing hit. C has a list and did not come; D came without one."""
    lists = pairs(("A", "milk"), ("A", "tea"), ("A", "jam"), ("B", "jam"), ("C", "jam"))
    before = history(("A", "milk", 3), ("A", "eggs", 1), ("B", "bread", 2), ("C", "jam", 1))
    targets = pairs(("A", "milk"), ("A", "tea"), ("A", "eggs"), ("A", "new"), ("B", "bread"), ("D", "jam"))
    found = judge(lists, before, targets)

    assert found.to_pylist() == [
        {"customer": "A", "hits": 2, "repeats": 2, "usual_hits": 2, "items": 4, "repeat_hits": 1}
        | {"explored": 2, "explore_hits": 1},
        {"customer": "B", "hits": 0, "repeats": 1, "usual_hits": 1, "items": 1, "repeat_hits": 0}
        | {"explored": 0, "explore_hits": 0},
    ]
    numbers = quality(found)
    assert (numbers.customers, numbers.recall, numbers.hit_rate, numbers.repeat) == (2, 0.25, 0.5, 0.25)
    assert numbers.explore == 0.5  # of A alone: B explored nothing
    assert numbers.usual == 0.75
    # Shares of a half and nothing, and differences of nothing and minus one: 1.96 standard errors to each side.
    assert numbers.chance == pytest.approx(1.96 * 0.25)
    assert numbers.ahead == pytest.approx((-0.5, -0.5 - 1.96 * 0.5, -0.5 + 1.96 * 0.5))


def test_a_customer_of_several_weeks_is_one_observation() -> None:
    """The same weeks six times over are as many customers and the same interval, not one narrower by the root of six."""
    lists, before = pairs(("A", "milk"), ("B", "jam"), ("C", "tea")), history(("A", "milk", 3), ("B", "bread", 2))
    once = judge(lists, before, pairs(("A", "milk"), ("A", "tea"), ("B", "bread"), ("C", "tea")))

    assert quality(pa.concat_tables([once] * 6)) == quality(once)
    assert quality(once).customers == 3


def test_a_customers_weeks_are_averaged_before_the_customers_are() -> None:
    """A came four times and was foretold, B came once and was not: recall and hit rate are a half, not four fifths."""
    lists, before = pairs(("A", "milk"), ("B", "jam")), history(("C", "jam", 1))
    often, once = (judge(lists, before, pairs(target)) for target in (("A", "milk"), ("B", "bread")))
    found = quality(pa.concat_tables([*[often] * 4, once]))

    assert (found.customers, found.recall, found.hit_rate, found.explore, found.repeat) == (2, 0.5, 0.5, 0.5, 0.0)
    assert (found.usual, found.chance) == pytest.approx((0.0, 1.96 * 0.5))


def test_usual_items_are_those_of_most_trips() -> None:
    """By trips, then by code; as many as asked for."""
    found = usual_items(history(("A", "z", 5), ("A", "b", 2), ("A", "a", 2), ("B", "c", 1)), 2)

    assert found.sort_by([("customer", "ascending"), ("item", "ascending")]).to_pylist() == [
        {"customer": "A", "item": "a"},
        {"customer": "A", "item": "z"},
        {"customer": "B", "item": "c"},
    ]


def test_histories_count_trips_not_units() -> None:
    """Three baskets, two of them with milk; other customers are left out."""
    kept = [{"items": ["milk"]}, {"items": ["eggs", "milk"]}, {"items": ["eggs"]}]
    found = bought_before(pa.table({"customer": ["A", "B"], "baskets": [kept, kept]}), pa.array(["A"]))

    assert sorted(map(tuple, (row.values() for row in found.to_pylist()))) == [("A", "eggs", 2), ("A", "milk", 2)]


def test_calibration_is_by_tenths_of_the_pairs() -> None:
    """Twenty pairs: ten bins of two; said 0.5 in all of them, happened in half: off by nothing. Said 0.9: off by 0.4."""
    happened = pa.chunked_array([[0.0, 1.0] * 10])
    fair, bold = (calibration(pa.chunked_array([[said] * 20]), happened) for said in (0.5, 0.9))

    assert (list(fair.said), list(fair.happened), list(fair.pairs)) == ([0.5] * 10, [0.5] * 10, [2] * 10)
    assert fair.error == 0
    assert bold.error == pytest.approx(0.4)
    assert calibration(pa.chunked_array([[0.2]]), pa.chunked_array([[1.0]])).pairs == [1]


def test_ten_places_are_judged(tmp_path: Path) -> None:
    """Bread stands on the eleventh place of one list, and is no hit."""
    lake = small_lake(str(tmp_path / "lake"))
    row = {"customer": code(0), "probability": 0.5, "probability_7_days": 0.5, "reason": "r", "source": "model"}
    items = [*(f"x{place}" for place in range(10)), BREAD]
    listed = [row | {"rank": rank, "item": item} for rank, item in enumerate(items, start=1)]
    put(lake, "next_basket_scores", WEEKS[2], [one | {"model_version": MODEL} for one in listed])

    (found,) = judged_week(lake, WEEKS[2]).to_pylist()
    assert (found["customer"], found["hits"], found["usual_hits"]) == (code(0), 0, 2)


def test_segments_are_of_the_customer_before_and_of_the_basket(tmp_path: Path) -> None:
    """Fewer than 5 baskets are thin, 25 or more heavy; a customer without a lifestage is unknown; levels in a fixed order."""
    rows = judged_week(small_lake(str(tmp_path / "lake")), WEEKS[2])
    found = {(one.name, one.level): one.quality for one in segments(rows)}

    assert [thickness(seen) for seen in (4, 5, 24, 25)] == ["thin", "medium", "medium", "heavy"]
    assert [level for name, level in found if name == "history"] == ["thin", "medium", "heavy"]
    assert found["history", "thin"].customers == 14  # numbers 0, 3, ..., 39 of forty
    assert [level for name, level in found if name == "lifestage"] == ["YA", "unknown"]
    # Tea is in ten of forty baskets of the last week, on no list: recall 2/3 there and 1 elsewhere.
    assert found["store format", "LS"].recall == pytest.approx((10 * 2 / 3 + 30) / 40)


def test_segments_of_several_weeks_count_people(tmp_path: Path) -> None:
    """Forty customers judged in two weeks are forty in a segment, fourteen of them thin, and stay below the limit of thirty."""
    lake = small_lake(str(tmp_path / "lake"))
    rows = pa.concat_tables([judged_week(lake, week) for week in WEEKS[1:3]])
    found = {(one.name, one.level): one.quality.customers for one in segments(rows)}

    assert rows.num_rows == 80
    assert (found["store format", "LS"], found["history", "thin"]) == (40, 14)


def test_the_recommenders_own_retrospective_says_the_same(tmp_path: Path) -> None:
    """Two counts of one thing agree: recall and hit rate at ten, over all items, repeats and what was new."""
    lake = small_lake(str(tmp_path / "lake"))
    ours = quality(judged_week(lake, WEEKS[2]))
    files = [lake.files(*asked) for asked in (
        ("next_basket_scores", [WEEKS[2]]), ("staged_baskets", [WEEKS[3]]), ("customer_sequences", [WEEKS[2]])
    )]  # fmt: skip
    theirs = {
        row["metric"]: row["value"]
        for row in retrospective(*files)
        if (row["method"], row["k"]) == (PUBLISHED, 10) and row["decile"] is None
    }

    assert theirs["recall"] == pytest.approx(ours.recall)
    assert theirs["phr"] == pytest.approx(ours.hit_rate)
    assert (theirs["recall_repeat"], theirs["recall_explore"]) == pytest.approx((ours.repeat, ours.explore))
