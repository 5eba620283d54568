"""What stops a week's lines as a whole."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from nextbasket_assets.assets.audit import ALLOW_TAG, conflict_results, many_rejected, odd_volume, unreconciled
from nextbasket_assets.landing import LandingFile
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


def conflicts(conflicting: int, allow: str = "") -> list[dg.AssetCheckResult]:
    """The check's result for a week of 1,000 lines of which so many are under the id of several baskets."""
    counts = {WEEK.isoformat(): {"rows_in": 1000, "removed": {"conflicting_basket": conflicting}}}
    context: Any = SimpleNamespace(run=SimpleNamespace(tags={ALLOW_TAG: allow}))
    return list(conflict_results(context, StageReport("staged_baskets", 0, {}, counts, {})))


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
