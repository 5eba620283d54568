"""The numbers of a profile, worked by hand, and agreement against scikit-learn's."""

import random
from collections import Counter
from datetime import date, timedelta
from math import log
from typing import Any

import pytest

from nextbasket_assets.transforms.agreement import agreement, agreement_rows
from nextbasket_assets.transforms.intervals import newcombe, wilson
from nextbasket_assets.transforms.profile_numbers import (
    ProfileRow,
    ProfileSettings,
    drift_rows,
    index_rows,
    overall_rows,
    trend_rows,
)

WEEK = date(2006, 4, 10)


def count(
    mission: str, level: str | None, baskets: int, x: int, xx: int, xm: int, name: str = "format"
) -> dict[str, Any]:
    return {
        "week": WEEK,
        "name": name,
        "mission": mission,
        "level": level,
        "baskets": baskets,
        "x": x,
        "xx": xx,
        "xm": xm,
    }


def plain(mission: str, level: str | None, baskets: int, name: str = "format") -> dict[str, Any]:
    """A count of baskets, each of which is one case."""
    return count(mission, level, baskets, baskets, baskets, baskets, name)


def found(rows: list[ProfileRow], **fields: Any) -> ProfileRow:
    (row,) = [row for row in rows if all(getattr(row, name) == value for name, value in fields.items())]
    return row


def test_an_index_worked_by_hand() -> None:
    """Six of a mission's ten baskets against 20 of all 100: index 300; a level that it never has is a row of 0."""
    counts = [plain("M01", None, 10), plain("all", None, 100), plain("M01", "XLS", 6), plain("all", "XLS", 20)]
    rows = index_rows(
        [*counts, plain("M01", "LS", 4), plain("all", "LS", 70), plain("all", "SS", 10)], ProfileSettings()
    )

    big, none, average = (
        found(rows, mission=m, level=level) for m, level in (("M01", "XLS"), ("M01", "SS"), ("all", "LS"))
    )
    low, high = wilson(0.6, 10)
    assert (big.baskets, big.value, big.index) == (6, 0.6, pytest.approx(300))
    assert (big.low, big.high) == (pytest.approx(500 * low), pytest.approx(500 * high))
    assert (none.baskets, none.value, none.index, none.low) == (0, 0, 0, 0)
    assert none.high == pytest.approx(1000 * wilson(0, 10)[1])
    assert (average.index, average.low, average.value) == (100, None, 0.7)


def test_baskets_are_the_clusters_of_lines() -> None:
    """Ten baskets of ten lines, five of them all fruit: 50 of 100 lines, but the interval of 5 in 10 baskets."""
    whole = count("M01", None, 10, 100, 1000, 1000)
    fruit = count("M01", "fruit", 5, 50, 500, 500)
    rows = index_rows([whole, {**whole, "mission": "all"}, fruit, {**fruit, "mission": "all"}], ProfileSettings())

    row = found(rows, mission="M01")
    assert row.low is not None
    assert (row.low / 200, row.high / 200) == pytest.approx(wilson(0.5, 10))  # type: ignore[operator]


def test_lines_are_never_more_cases_than_lines() -> None:
    """Two baskets of ten lines, five and six of fruit, differ less than chance would make them: the cases are the 20 lines."""
    whole, fruit = count("M01", None, 2, 20, 200, 200), count("M01", "fruit", 2, 11, 61, 110)
    rows = index_rows([whole, {**whole, "mission": "all"}, fruit, {**fruit, "mission": "all"}], ProfileSettings())

    row = found(rows, mission="M01")
    assert (row.low, row.high) == pytest.approx(tuple(100 * end / 0.55 for end in wilson(0.55, 20)))


@pytest.mark.parametrize(("lines", "fruit"), [(5, 1), (5, 2), (59, 58), (40, 20)])
def test_a_basket_alone_is_one_case(lines: int, fruit: int) -> None:
    """However its share rounds, a single basket has no spread: its interval is that of one case, never of its lines."""
    whole = count("M01", None, 1, lines, lines**2, lines**2)
    part = count("M01", "fruit", 1, fruit, fruit**2, fruit * lines)
    rows = index_rows([whole, {**whole, "mission": "all"}, part, {**part, "mission": "all"}], ProfileSettings())
    row, share = found(rows, mission="M01"), fruit / lines

    assert (row.low, row.high) == pytest.approx(tuple(100 * end / share for end in wilson(share, 1)))


def test_the_most_typical_items_come_first() -> None:
    """Items by lift, ties by count and then code; as many as asked for, and none of 'unassigned' or 'all'."""
    item = {"name": "item"}
    counts = [plain("M01", None, 50, **item), plain("unassigned", None, 50, **item), plain("all", None, 100, **item)]
    for code, ours, every in (("a", 10, 20), ("b", 20, 40), ("c", 12, 12), ("d", 10, 40), ("e", 10, 20)):
        counts += [plain("M01", code, ours, **item), plain("all", code, every, **item)]
    rows = index_rows([*counts, plain("unassigned", "d", 30, **item)], ProfileSettings(top_items=4))

    assert [(row.mission, row.level, row.index) for row in rows] == [
        *(("M01", "c", 200), ("M01", "b", 100), ("M01", "a", 100), ("M01", "e", 100)),
    ]


def test_means_and_shares_worked_by_hand() -> None:
    """Two missions of two and three baskets: means, their indices and the missions' shares of baskets and of spend."""
    items = {"week": WEEK, "name": "mean_items", "scale": 1}
    spend = {"week": WEEK, "name": "mean_spend", "scale": 100}
    rows = overall_rows(
        [
            {**items, "mission": "M01", "n": 2, "x": 6, "xx": 20},  # 2 and 4 items
            {**items, "mission": "M02", "n": 3, "x": 3, "xx": 3},  # 1, 1 and 1
            {**spend, "mission": "M01", "n": 2, "x": 900, "xx": 450_000},
            {**spend, "mission": "M02", "n": 3, "x": 300, "xx": 30_000},
        ]
    )

    mean = found(rows, mission="M01", name="mean_items")
    assert (mean.baskets, mean.value, mean.index) == (2, 3, pytest.approx(100 * 3 / 1.8))
    assert mean.high == pytest.approx(
        100 * (3 + 1.96 * 1) / 1.8, rel=1e-3
    )  # deviation sqrt(2), error sqrt(2) / sqrt(2)
    assert found(rows, mission="M02", name="mean_items").low == found(rows, mission="M02", name="mean_items").index
    share, spent = (
        found(rows, mission="M02", name="share_of_baskets"),
        found(rows, mission="M01", name="share_of_spend"),
    )
    assert (share.value, share.low, share.high) == (0.6, *wilson(0.6, 5))
    # (0.25^2 * 450,000 + 0.75^2 * 30,000) / 1,200^2 = 1 / 32 is the variance of 0.75 in six cases.
    assert (spent.value, spent.low, spent.high) == pytest.approx((0.75, *wilson(0.75, 6)))
    assert found(rows, mission="all", name="mean_spend").value == pytest.approx(2.4)


def test_a_mean_that_cannot_be_negative_has_no_interval_that_is() -> None:
    """Baskets of no item and of six: three is a mean between 0 and nine, though 1.96 standard errors reach below 0."""
    sums = {"week": WEEK, "name": "mean_items", "scale": 1, "mission": "M01", "n": 2, "x": 6, "xx": 36}

    assert found(overall_rows([sums]), mission="M01", name="mean_items").low == 0


def test_a_trend_worked_by_hand() -> None:
    """30 % of the baskets after 10 % and 20 %: 15 points up; a mission that was not there before has been at 0."""
    weeks = [WEEK - timedelta(weeks=2), WEEK - timedelta(weeks=1), WEEK]
    found_in = ({"M01": 10, "M02": 90}, {"M01": 20, "M02": 80}, {"M01": 30, "M02": 60, "M03": 10})
    counts = [
        {"asked": WEEK, "week": week, "mission": mission, "baskets": baskets}
        for week, missions in zip(weeks, found_in, strict=True)
        for mission, baskets in missions.items()
    ]
    rows = trend_rows(counts)

    change = found(rows, mission="M01", name="change")
    assert (change.baskets, change.value) == (30, pytest.approx(15))
    assert (change.low, change.high) == pytest.approx([100 * end for end in newcombe(0.3, 100, 0.15, 200)])
    share = found(rows, mission="M01", name="share", level=WEEK.isoformat())
    assert (share.value, share.low, share.high) == (0.3, *wilson(0.3, 100))
    assert found(rows, mission="M03", name="change").value == pytest.approx(10)
    assert found(rows, mission="M03", name="share", level=weeks[0].isoformat()).value == 0
    assert not [row for row in trend_rows(counts[-3:]) if row.name == "change"]


def test_a_change_of_a_few_baskets_is_seldom_sure() -> None:
    """None of five baskets after one in five for eight weeks: a share of 0 is no certainty, and the change may be none."""
    weeks = [WEEK - timedelta(weeks=number) for number in range(1, 9)]
    counts = [
        {"asked": WEEK, "week": week, "mission": mission, "baskets": baskets}
        for week in weeks
        for mission, baskets in (("M01", 1), ("M02", 4))
    ]
    rows = trend_rows([*counts, {"asked": WEEK, "week": WEEK, "mission": "M02", "baskets": 5}])

    change = found(rows, mission="M01", name="change")
    assert change.value == pytest.approx(-20)
    assert change.high is not None
    assert change.high > 0


def test_drift_worked_by_hand() -> None:
    """The index is 0 for the same shares, above 0.25 for a swap, finite for a new mission, absent without a model."""
    then = {"M01": 800, "M02": 200}

    same, swapped = (drift_rows(WEEK, now, then) for now in ({"M01": 800, "M02": 200}, {"M01": 200, "M02": 800}))
    new = drift_rows(WEEK, {"M03": 100, "unassigned": 25}, then)
    assert found(same, name="psi").value == 0
    assert found(swapped, name="psi").value == pytest.approx(2 * 0.6 * 1.386, rel=0.01)  # 0.6 * ln 4, twice
    assert 0.25 < found(new, name="psi").value < 20
    assert found(same, name="psi_by_chance").value == pytest.approx(3.84 * 2 / 1000, rel=0.03)
    assert found(new, name="psi_by_chance").value == pytest.approx(5.99 * (1 / 100 + 1 / 1000), rel=0.03)
    assert (found(new, name="share_without_known_item").value, found(new, name="psi").baskets) == (0.2, 100)
    trained, unknown = found(new, name="training_share", mission="M01"), found(new, name="share_without_known_item")
    assert (trained.low, trained.high, unknown.low, unknown.high) == (*wilson(0.8, 1000), *wilson(0.2, 125))
    assert [row.name for row in drift_rows(WEEK, {"unassigned": 5}, {})] == ["share_without_known_item"]


@pytest.mark.parametrize("tie", [0.0, 0.5, 1.0])
def test_agreement_is_scikit_learns(tie: float) -> None:
    """On random labels, from unrelated to the same, every measure is scikit-learn's."""
    metrics = pytest.importorskip("sklearn.metrics")
    chance = random.Random(5)
    missions = [f"M{chance.randrange(5)}" for _ in range(500)]
    labels = [mission if chance.random() < tie else f"M{chance.randrange(4)}" for mission in missions]

    ours = agreement(Counter(zip(missions, labels, strict=True)))

    assert ours["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(labels, missions))
    theirs = metrics.homogeneity_completeness_v_measure(labels, missions)
    assert (ours["homogeneity"], ours["completeness"], ours["v_measure"]) == pytest.approx(theirs)
    assert (ours["nmi"] < 3 * ours["nmi_by_chance"]) == (tie == 0)


def test_agreement_by_chance_worked_by_hand() -> None:
    """Two missions and three labels in 30 baskets that have nothing to do with each other: (2 - 1)(3 - 1) / 60 nats."""
    ours = agreement({(mission, label): 5 for mission in ("M01", "M02") for label in "abc"})

    assert ours["nmi"] == pytest.approx(0, abs=1e-12)
    assert ours["nmi_by_chance"] == pytest.approx(1 / 30 / ((log(2) + log(3)) / 2))


def test_agreement_of_a_single_mission() -> None:
    """One mission agrees with nothing: V-measure 0; one mission and one label are the same partition: 1."""
    rows = agreement_rows(
        [
            {"week": WEEK, "label": "basket_type", "mission": "M01", "class": label, "n": 5}
            for label in ("Top Up", "Full Shop")
        ]
    )

    assert found(rows, name="v_measure").value == 0
    assert found(rows, name="completeness").value == 1
    assert agreement({("M01", "Top Up"): 3})["v_measure"] == 1
