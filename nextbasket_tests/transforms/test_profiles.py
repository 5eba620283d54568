"""Profiles from baskets: a planted mission has its indices, its shuffled twin has not, and no week knows a later one."""

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from nextbasket_tests.transforms.plans import WEEK, broken, keep, rows, stage
from nextbasket_tests.transforms.test_sequences import basket

TWIN = WEEK + timedelta(weeks=20)
ORDERED = WEEK + timedelta(weeks=40)
EARLIEST = ORDERED - timedelta(weeks=8)  # that a profile looks back on
FUTURE = ORDERED + timedelta(weeks=1)
ODD = WEEK + timedelta(weeks=60)
Tagged = tuple[dict[str, Any], str]


def visit(number: int, customer: str | None, day: date, mission: str, *items: str, **labels: Any) -> Tagged:
    row = basket(0, customer, day, 9, *items) | {"basket": f"99410010{number:07d}", "basket_type": "Top Up"} | labels
    return row, mission


def planted(week: date, shuffled: bool) -> list[Tagged]:
    """600 baskets, a third of them M01: only at weekends, in XLS stores, for wine. In the twin the missions are dealt anew."""
    chance = random.Random(4)
    missions = [("M01", "M02", "M02")[number % 3] for number in range(600)]
    told = list(missions)
    if shuffled:
        chance.shuffle(told)
    made = []
    for number, (real, mission) in enumerate(zip(missions, told, strict=True)):
        party = real == "M01"
        day = week + timedelta(days=chance.choice((5, 6)) if party else chance.randrange(7))
        items = ("wine", "crisps") if party else ("bread", f"rare{number % 90:02d}")
        labels = {"store_format": "XLS" if party else chance.choice(("SS", "MS", "LS", "XLS")), "lifestage": "YA"}
        number += 1000 * (week - WEEK).days
        made.append(visit(number, f"C{number}" if number % 2 else None, day, mission, *items, **labels))
    return made


def ordered() -> list[Tagged]:
    """Customers over nine weeks, and an anonymous one."""
    before = ORDERED - timedelta(weeks=1)
    return [
        visit(0, "C0", EARLIEST, "M01", "wine"),
        visit(1, "C1", ORDERED - timedelta(weeks=9), "M01", "wine"),  # too long ago to be C1's previous basket
        visit(2, "C1", ORDERED, "M02", "bread"),
        visit(3, "C2", before, "M01", "wine"),
        visit(4, "C2", ORDERED + timedelta(days=1), "M02", "bread"),
        visit(5, "C2", ORDERED + timedelta(days=2), "M02", "bread", "milk"),
        visit(6, "C3", before, "unassigned", "unknown"),
        visit(7, "C3", ORDERED, "M01", "wine"),
        visit(8, None, before, "M01", "wine"),
        visit(9, None, ORDERED, "M01", "wine", lifestage="YA"),
        visit(10, "C4", before, "M01", "wine"),
        visit(11, "C4", ORDERED, "M01", "wine", lifestage="OA"),
    ]


def odd() -> list[Tagged]:
    """Two customers with the same two baskets of one hour, their ids swapped; a basket without a class, one at ten.

    The last one has no tag.
    """
    return [
        visit(30, "C5", ODD, "M01", "wine"),
        visit(31, "C5", ODD, "M02", "bread"),
        visit(32, "C6", ODD, "M02", "bread"),
        visit(33, "C6", ODD, "M01", "wine"),
        visit(34, None, ODD, "M01", "hybrid", basket_type="XX"),
        visit(35, None, ODD, "M01", "hybrid", hour=10),
        visit(36, None, ODD, "", "wine"),
    ]


def tag(row: dict[str, Any], mission: str) -> dict[str, Any]:
    """The row of mission_tagged_baskets; of one known item with less confidence than of two."""
    known = mission != "unassigned"
    confidence = (0.5 if len(row["items"]) == 1 else 0.75) if known else 0.0
    return {
        **{name: row[name] for name in ("week", "basket", "customer")},
        **{"mission": mission, "confidence": confidence, "mission_model": "v"},
        "mission_weights": [confidence, 1 - confidence] if known else [],
        "known_items": len(row["items"]) if known else 0,
    }


def line(row: dict[str, Any], item: str) -> dict[str, Any]:
    """A row of raw_transactions: drinks and snacks are one category, everything else another, and a hybrid is in both."""
    labels = ("price_sensitivity", "lifestage", "basket_size", "basket_price_sensitivity", "basket_type")
    shared = (*("week", "date", "hour", "customer", "basket", "store"), *labels)
    treat = item in ("wine", "crisps") or (item == "hybrid" and row["hour"] == 9)
    return {
        **{name: row[name] for name in (*shared, "basket_dominant_mission", "store_format", "store_region")},
        **{"source_file": "f", "line_number": 1, "quantity": 1, "spend": row["spend"], "item": item},
        **{f"category_{level}": ("G1" if treat else "G2") if level == 40 else None for level in (10, 20, 30, 40)},
    }


def profiles(spark: SparkSession, folder: Path, visits: list[Tagged], *weeks: date) -> list[dict[str, Any]]:
    """Rows of mission_profiles. A model of the week before ORDERED has tagged that week's baskets as its history."""
    as_of, long_ago = ORDERED - timedelta(weeks=1), ORDERED - timedelta(weeks=9)
    tags = [tag(*one) for one in visits if one[1]]
    held = (long_ago, EARLIEST, as_of)
    history = [{**row, "basket_week": row["week"], "week": as_of} for row in tags if row["week"] in held]
    untagged = Counter(str(row["week"]) for row, mission in visits if not mission)
    lines = [line(row, item["item"]) for row, _ in visits for item in row["items"]]
    inputs = {
        "staged_baskets": keep(spark, folder, "staged_baskets", [row for row, _ in visits]),
        "mission_tagged_baskets": keep(spark, folder, "mission_tagged_baskets", tags),
        "mission_history": keep(spark, folder, "mission_history", history),
        "raw_transactions": keep(spark, folder, "raw_transactions", lines),
    }
    report = stage(
        spark, folder, "mission_profiles", inputs, ("mission_profiles",), weeks=[str(week) for week in weeks]
    )
    assert broken(report) == []
    for week, counts in report["counts"].items():
        assert counts["removed"] == {"untagged": untagged[week]}
        assert counts["rows_in"] == counts["rows_out"] + untagged[week]
    return rows(spark, folder, "mission_profiles")


@pytest.fixture(scope="module")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    visits = [*planted(WEEK, shuffled=False), *planted(TWIN, shuffled=True), *ordered(), *odd()]
    return profiles(spark, tmp_path_factory.mktemp("profiles"), visits, WEEK, TWIN, ORDERED, ODD)


def one(found: list[dict[str, Any]], week: date, mission: str, name: str, level: str = "") -> dict[str, Any]:
    (row,) = [
        row for row in found if (row["week"], row["mission"], row["name"], row["level"]) == (week, mission, name, level)
    ]
    return row


PLANTED = [("weekday", "6 Sat"), ("weekday", "7 Sun"), ("store_format", "XLS"), ("category_40", "G1")]


@pytest.mark.parametrize(("name", "level"), PLANTED)
def test_a_planted_mission_has_its_indices_and_its_twin_has_not(
    made: list[dict[str, Any]], name: str, level: str
) -> None:
    """Weekends, one store format and a category: the whole interval is above 100; with shuffled missions it holds 100."""
    real, twin = (one(made, week, "M01", name, level) for week in (WEEK, TWIN))

    assert real["low"] > 120
    assert twin["low"] <= 100 <= twin["high"]


def test_a_level_that_a_mission_never_has(made: list[dict[str, Any]]) -> None:
    """No basket of the mission on a Monday is a row of 0 whose interval stays below 100."""
    row = one(made, WEEK, "M01", "weekday", "1 Mon")

    assert (row["baskets"], row["value"], row["index"], row["low"]) == (0, 0, 0, 0)
    assert 0 < row["high"] < 100


def test_typical_items_need_a_minimum_count(made: list[dict[str, Any]]) -> None:
    """Wine in all 200 baskets of the mission: index 300. An item in seven baskets is no typical item."""
    items = [row for row in made if row["section"] == "item" and row["week"] == WEEK]

    assert [(row["level"], row["baskets"], row["index"]) for row in items if row["mission"] == "M01"] == [
        *(("crisps", 200, 300), ("wine", 200, 300)),
    ]
    assert [row["level"] for row in items if row["mission"] == "M02"] == ["bread"]
    assert not [row for row in items if row["mission"] == "all"]


def test_counts_worked_by_hand(made: list[dict[str, Any]]) -> None:
    """The ordered week: three baskets of each mission, five of one known item, one of two."""
    share, small, spend = (
        one(made, ORDERED, "M02", name) for name in ("share_of_baskets", "share_of_small_baskets", "mean_spend")
    )

    assert (share["baskets"], share["value"]) == (3, 0.5)
    assert (small["value"], small["index"]) == (1, 100)
    assert (spend["value"], spend["index"]) == (pytest.approx(4 / 3), pytest.approx(100 * (4 / 3) / (7 / 6)))
    assert one(made, ORDERED, "M02", "mean_confidence")["value"] == pytest.approx((0.5 + 0.5 + 0.75) / 3)
    assert {row["mission_model"] for row in made} == {"v"}


def test_anonymous_baskets_count_but_not_for_customers(made: list[dict[str, Any]]) -> None:
    """One of the mission's three baskets is nobody's: it has a share, but its label says nothing of a lifestage."""
    assert one(made, ORDERED, "M01", "share_of_baskets")["baskets"] == 3
    assert one(made, ORDERED, "M01", "customer", "anonymous")["baskets"] == 1
    assert one(made, ORDERED, "M01", "lifestage", "OA")["value"] == 1
    assert not [row for row in made if (row["week"], row["name"], row["level"]) == (ORDERED, "lifestage", "YA")]


def test_moves_are_between_a_customers_consecutive_baskets(made: list[dict[str, Any]]) -> None:
    """C2 went from M01 to M02 to M02, C4 from M01 to M01. Nine weeks ago, unassigned or nobody's: no move."""
    moves = {
        (row["mission"], row["level"]): (row["baskets"], row["value"])
        for row in made
        if (row["week"], row["section"]) == (ORDERED, "transition")
    }

    assert moves == {
        ("M01", "M01"): (1, 0.5),
        ("M01", "M02"): (1, 0.5),
        ("M02", "M01"): (0, 0),
        ("M02", "M02"): (1, 1),
        ("all", "M01"): (1, pytest.approx(1 / 3)),
        ("all", "M02"): (2, pytest.approx(2 / 3)),
    }
    assert one(made, ORDERED, "M02", "next_mission", "M02")["index"] == pytest.approx(150)


def test_baskets_of_one_hour_are_not_ordered_by_their_ids(made: list[dict[str, Any]]) -> None:
    """Two customers with the same two baskets of one hour made the same move, whichever basket has the higher id."""
    moves = [row for row in made if (row["week"], row["section"], row["mission"]) == (ODD, "transition", "all")]

    assert [row["baskets"] for row in moves if row["baskets"]] == [2]


def test_a_basket_without_a_class_has_no_say_in_agreement(made: list[dict[str, Any]]) -> None:
    """Of six baskets the one whose type is XX is left out."""
    assert one(made, ODD, "all", "nmi", "basket_type")["baskets"] == 5


def test_an_item_of_two_categories_counts_for_the_first(made: list[dict[str, Any]]) -> None:
    """The hybrid is a treat in both of its baskets, though one of its lines says otherwise."""
    treats, others = (one(made, ODD, "M01", "category_40", level) for level in ("G1", "G2"))

    assert (treats["baskets"], others["baskets"]) == (4, 0)


def test_an_hour_band_ends_before_its_end(made: list[dict[str, Any]]) -> None:
    """Nine o'clock is in the band from six to nine, ten o'clock in the next."""
    bands = {row["level"]: row["baskets"] for row in made if (row["week"], row["name"]) == (ODD, "hour_band")}

    assert [one(made, ODD, "M01", "hour_band", band)["baskets"] for band in ("06-09", "10-12")] == [3, 1]
    assert bands.keys() == {"06-09", "10-12"}


def test_trend_and_drift_see_the_models_own_history(made: list[dict[str, Any]]) -> None:
    """Half the baskets after three of four, and all of them eight weeks ago: 37.5 points down.

    The training window has five baskets of M01, none of M02.
    """
    change = one(made, ORDERED, "M01", "change")

    assert change["value"] == pytest.approx(-37.5)
    assert one(made, ORDERED, "M01", "share", str(ORDERED - timedelta(weeks=1)))["value"] == 0.75
    assert one(made, ORDERED, "M01", "share", str(EARLIEST))["baskets"] == 1
    assert one(made, ORDERED, "M01", "training_share")["baskets"] == 5
    assert one(made, ORDERED, "M02", "training_share")["value"] == 0
    assert one(made, ORDERED, "all", "psi")["value"] > 0.25


def test_no_week_knows_a_later_one(spark: SparkSession, tmp_path: Path, made: list[dict[str, Any]]) -> None:
    """A week alone, with a later week already in the lake, is the same to the last bit as in a range without it."""
    later = [visit(20, "C1", FUTURE, "M02", "bread"), visit(21, "C4", FUTURE, "M02", "wine", lifestage="YA")]

    alone = profiles(spark, tmp_path, [*reversed(ordered()), *later], ORDERED)

    assert alone == [row for row in made if row["week"] == ORDERED]
