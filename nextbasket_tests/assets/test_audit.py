"""What stops a week's lines as a whole."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import dagster as dg
import pytest

from nextbasket_assets.assets.audit import (
    ALLOW_TAG,
    conflict_results,
    many_rejected,
    odd_volume,
    raw_results,
    reconciled,
    replay_results,
    unreconciled,
)
from nextbasket_assets.landing import EMPTY_WEEK, LandingFile
from nextbasket_assets.resources.spark import StageReport

WEEK = date(2006, 4, 10)


def landed(lines: int) -> LandingFile:
    return LandingFile("transactions_200607.csv", WEEK, "sha", 10, lines, (), ())


def history(*rows: int) -> dict[date, int]:
    """Rows of the weeks before WEEK, oldest first."""
    return {WEEK - timedelta(weeks=len(rows) - index): count for index, count in enumerate(rows)}


def test_lost_and_invented_lines_are_said() -> None:
    """Lines in must be accepted + rejected, in both directions."""
    assert unreconciled(landed(10), {WEEK: 9}, {WEEK: 1}) is None
    assert "10 lines in, 8 accepted + 1 rejected = 9 out" in str(unreconciled(landed(10), {WEEK: 8}, {WEEK: 1}))
    assert "= 11 out" in str(unreconciled(landed(10), {WEEK: 10}, {WEEK: 1}))


@pytest.mark.parametrize(("rejected", "stops"), [(0, False), (10, False), (11, True)])
def test_more_than_one_percent_rejected_stops(rejected: int, stops: bool) -> None:
    """One percent of the lines may be rejected, not more; the message names the rules, and a line that breaks each."""
    counts = {WEEK.isoformat(): {"removed": {"hour": rejected}}}
    first = {"transactions_200607.csv": {"hour": "line 3: SHOP_HOUR is no hour, expected 0 to 23"}}
    report = StageReport("raw_transactions", 0, {}, counts, {"first_rejected": first})
    said = many_rejected(landed(1000), rejected, report)

    assert bool(said) == stops
    assert not stops or "rule hour 11 times, first in line 3: SHOP_HOUR is no hour" in str(said)


def test_the_most_frequent_rules_are_named() -> None:
    """Of four rules the three that cost most lines, whatever their names."""
    counts = {WEEK.isoformat(): {"removed": {"basket": 2, "date": 1, "hour": 9, "week": 5}}}
    first = {"transactions_200607.csv": dict.fromkeys(("basket", "date", "hour", "week"), "line 3")}
    said = str(many_rejected(landed(20), 17, StageReport("raw_transactions", 0, {}, counts, {"first_rejected": first})))

    assert [word for word in said.replace(",", "").split() if word in counts[WEEK.isoformat()]["removed"]] == [
        *("hour", "week", "basket"),
    ]


@pytest.mark.parametrize(("rows", "stops"), [(19, True), (20, False), (100, False), (400, False), (401, True)])
def test_volume_is_compared_with_the_median_of_recent_weeks(rows: int, stops: bool) -> None:
    """A fifth to four times the median is a week; an outlier among the recent weeks does not move the bar."""
    known = history(100, 100, 100, 90_000) | {WEEK: rows}

    assert bool(odd_volume(WEEK, known)) == stops


def test_only_the_last_eight_weeks_count() -> None:
    """A retailer that grew is measured by what it is now."""
    assert odd_volume(WEEK, history(*[1] * 20, *[100] * 8) | {WEEK: 100}) is None


def test_a_first_week_needs_a_row() -> None:
    """Without history any volume is plausible, except none."""
    assert odd_volume(WEEK, {WEEK: 5}) is None
    assert odd_volume(WEEK, {WEEK: 0}) == "week 200607: 0 rows, expected > 0"


def test_a_first_week_may_be_part_of_one() -> None:
    """An export that begins on a Sunday has a small first week: the whole ones after it are no outliers; a stump is."""
    assert odd_volume(WEEK, history(100) | {WEEK: 900}) is None
    assert odd_volume(WEEK, history(100, 900) | {WEEK: 900}) is None
    assert odd_volume(WEEK, history(900) | {WEEK: 100})


def test_later_weeks_do_not_count() -> None:
    """A correction of an old week is not measured by what came after it."""
    later = {WEEK + timedelta(weeks=1): 90_000}

    assert odd_volume(WEEK, history(100) | later | {WEEK: 100}) is None


def run_with(allow: str) -> Any:
    """The context of a run that has the tag."""
    return SimpleNamespace(run=SimpleNamespace(tags={ALLOW_TAG: allow}))


def judged(lines: int, accepted: int, allow: str, **before: int) -> list[bool | None]:
    """Whether each check on a landing file passes; `before` is what the lake has of this week and of the two before it."""
    weeks = {"this": WEEK, "last": WEEK - timedelta(weeks=1), "older": WEEK - timedelta(weeks=2)}
    lake: Any = Mock(rows=Mock(return_value={weeks[name]: rows for name, rows in before.items()}))
    tables = {"raw_transactions": {str(WEEK): {"rows": accepted}}, "rejected_lines": {}}
    report = StageReport("raw_transactions", 0, tables, {}, {})
    return [result.passed for result in raw_results(run_with(allow), lake, report, [landed(lines)])]


def test_lost_lines_cannot_be_allowed() -> None:
    """The tag lets pass what a person can judge, an odd volume; never lines that do not add up."""
    with pytest.raises(dg.Failure, match="10 lines in, 9 accepted"):
        judged(10, 9, "lines_in_are_accepted_or_rejected")
    assert judged(10, 10, "the_volume_is_like_recent_weeks", last=1000, older=1000) == [True, True, True]


def test_a_week_that_comes_again_is_measured_by_its_new_lines() -> None:
    """What the lake has of the week is about to be replaced: a sound version there does not excuse a stump."""
    assert judged(100, 100, "", this=1, last=100, older=100) == [True, True, True]
    with pytest.raises(dg.Failure, match="1 rows, the median of 2 recent weeks is 100"):
        judged(1, 1, "", this=100, last=100, older=100)


def test_an_empty_week_needs_no_second_word() -> None:
    """The tag that lets an empty file in lets its volume pass, and no other file's."""
    assert judged(0, 0, EMPTY_WEEK, last=100, older=100) == [True, True, True]
    with pytest.raises(dg.Failure, match="1 rows, the median"):
        judged(1, 1, EMPTY_WEEK, last=100, older=100)


@pytest.mark.parametrize("tagged", [4, 6])
def test_tagging_neither_loses_nor_invents_a_basket(tagged: int) -> None:
    """Of two weeks of two and three baskets five must come out, and the report says so."""
    before = WEEK - timedelta(weeks=1)
    lake: Any = Mock(rows=Mock(return_value={before: 2, WEEK: 3}))

    def report(rows: int) -> StageReport:
        return StageReport("tag_baskets", 0, {"mission_history": {str(WEEK): {"rows": rows}}}, {}, {})

    found = reconciled(lake, report(5), "mission_history", {WEEK: [before, WEEK]})
    assert found.counts == {str(WEEK): {"rows_in": 5, "removed": {}, "rows_out": 5}}
    with pytest.raises(dg.Failure, match=f"5 baskets in, {tagged} out"):
        reconciled(lake, report(tagged), "mission_history", {WEEK: [before, WEEK]})


def test_the_worst_week_of_a_run_decides() -> None:
    """Two of 50 baskets replayed in one week and four of ten in the next: the check is about the next; half may be copies."""
    next_week = str(WEEK + timedelta(weeks=1))

    def replays(replayed: int) -> dg.AssetCheckResult:
        counts = {str(WEEK): {"baskets": 50, "replayed": 2}, next_week: {"baskets": 10, "replayed": replayed}}
        (result,) = replay_results(run_with(""), StageReport("replayed_baskets", 0, {}, counts, {}))
        return result

    result = replays(4)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert cast(Any, result.metadata["worst_week"]).value == next_week
    assert cast(Any, result.metadata["replayed_share"]).value == 0.4
    assert replays(0).passed
    with pytest.raises(dg.Failure, match=f"week {next_week}: 60% of the larger baskets copy"):
        replays(6)


def conflicts(conflicting: int, allow: str = "") -> list[dg.AssetCheckResult]:
    """The check's result for a week of 1,000 lines of which so many are under the id of several baskets."""
    counts = {WEEK.isoformat(): {"rows_in": 1000, "removed": {"conflicting_basket": conflicting}}}
    return list(conflict_results(run_with(allow), StageReport("staged_baskets", 0, {}, counts, {})))


@pytest.mark.parametrize(("conflicting", "passed"), [(0, True), (20, True), (21, False), (200, False)])
def test_some_lines_of_conflicting_baskets_are_a_warning(conflicting: int, passed: bool) -> None:
    """Above two percent of the lines the check is red, and the week is published up to a fifth of them."""
    (result,) = conflicts(conflicting)

    assert result.passed is passed
    assert result.severity == dg.AssetCheckSeverity.WARN


def test_a_shop_that_would_disappear_as_conflicts_stops() -> None:
    """Receipt numbers that begin anew each day take half of the lines: nothing is published unless the tag allows it."""
    with pytest.raises(
        dg.Failure, match=r"50% of the lines are .* BASKET_ID is not unique: add till and date to the id"
    ):
        conflicts(500)
    (allowed,) = conflicts(500, "few_lines_are_of_conflicting_baskets")
    assert allowed.passed
    assert cast(Any, allowed.metadata["conflicting_share"]).value == 0.5
