"""Where each claim tips: the last number that holds, and the first that does not."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from nextbasket_assets.report.weekly.arrived import Arrived, ArrivedWeek
from nextbasket_assets.report.weekly.claims import CLAIMS
from nextbasket_assets.report.weekly.drift import Drift
from nextbasket_assets.report.weekly.quality import Calibration, JudgedWeek, Quality
from nextbasket_assets.report.weekly.scored import Scored

WEEK = date(2006, 5, 1)
MODEL = SimpleNamespace(version="v1", why="promoted: ahead")
QUALITY = (
    "the_lists_are_not_worse_than_what_each_customer_buys_most",
    "the_lists_are_better_than_what_each_customer_buys_most",
    "the_lists_are_as_good_as_in_recent_weeks",
    "the_probabilities_come_true",
)


def answer(claim: str, **facts: Any) -> bool | None:
    return CLAIMS[claim].answer(SimpleNamespace(**{"models": models(), **facts}))[0]  # type: ignore[arg-type]


def models(champion: Any = MODEL, age: int | None = 1) -> Any:
    return SimpleNamespace(champion=champion, age=age)


def judged(
    low: float = 0.0,
    high: float = 0.0,
    recall: float = 0.5,
    chance: float = 0.0,
    error: float = 0.0,
    people: int = 30,
    versions: frozenset[str] = frozenset({"v1"}),
) -> JudgedWeek:
    """A week of lists that so many people came after."""
    found = Quality(people, recall, chance, 0.5, 0.5, 0.5, 0.5, ((low + high) / 2, low, high))
    return JudgedWeek(WEEK, versions, found, Calibration([0.5], [0.5 - error], [10]), pa.table({}))


def arrived(accepted: int, quarantined: int = 0, before: tuple[int, ...] = (100,), conflicting: int = 0) -> Arrived:
    """The week's lines after those of the weeks before it."""
    weeks = [WEEK - timedelta(weeks=len(before) - number) for number in range(len(before))]
    past = [ArrivedWeek(week, lines, lines, 0, 9) for week, lines in zip(weeks, before, strict=True)]
    now = ArrivedWeek(WEEK, accepted + quarantined, accepted, quarantined, 9)
    return Arrived([*past, now], [], [], 9, 0, conflicting)


def lists(known: int = 40, listed: int = 40, fallback: int = 0, **versions: int) -> Scored:
    return Scored(known, listed, fallback, 10, versions or {"v1": listed})


@pytest.mark.parametrize(("high", "held"), [(0.0, True), (-0.001, False)])
def test_lists_that_chance_explains_are_not_worse(high: float, held: bool) -> None:
    """Red is only what is behind the usual items with its whole interval."""
    claim = "the_lists_are_not_worse_than_what_each_customer_buys_most"

    assert answer(claim, judged=[judged(low=-0.2, high=high)]) is held


@pytest.mark.parametrize(("low", "held"), [(0.001, True), (0.0, False)])
def test_lists_that_chance_explains_are_not_better(low: float, held: bool) -> None:
    """Better is only what is ahead of the usual items with its whole interval."""
    claim = "the_lists_are_better_than_what_each_customer_buys_most"

    assert answer(claim, models=models(), judged=[judged(low=low, high=0.2)]) is held


@pytest.mark.parametrize("claim", [claim for claim in QUALITY if claim != "the_lists_are_as_good_as_in_recent_weeks"])
def test_a_handful_of_people_judges_nothing(claim: str) -> None:
    """Twenty-nine who came are too few for a light; thirty are not."""
    bad = {"low": -0.3, "high": -0.2, "error": 0.3}

    assert answer(claim, models=models(), judged=[judged(people=29, **bad)]) is None
    assert answer(claim, models=models(), judged=[judged(people=30, **bad)]) is False


@pytest.mark.parametrize("claim", QUALITY)
def test_lists_of_another_model_say_nothing_of_the_one_in_service(claim: str) -> None:
    """A new model is not rolled back for the lists of the one before it, and a first one not trained anew for the fallback's."""
    bad = {"low": -0.3, "high": -0.2, "error": 0.3, "recall": 0.1}
    weeks = [judged(recall=1.0), judged(**bad, versions=frozenset({"v0"}))]  # type: ignore[arg-type]
    by_nobody = [judged(recall=1.0), judged(**bad, versions=frozenset())]  # type: ignore[arg-type]
    mixed = [judged(recall=1.0), judged(**bad, versions=frozenset({"v0", "v1"}))]  # type: ignore[arg-type]

    assert [answer(claim, judged=one) for one in (weeks, by_nobody, mixed)] == [None, None, None]
    assert answer(claim, models=models(None), judged=weeks) is None
    assert answer(claim, judged=[weeks[0], judged(**bad)]) is False  # type: ignore[arg-type]


def test_recall_is_compared_with_the_weeks_before_beyond_chance() -> None:
    """Four fifths of the mean before, reached by the upper end of the interval; weeks of a few people are left out."""
    claim, before = "the_lists_are_as_good_as_in_recent_weeks", [judged(recall=1.0), judged(recall=0.1, people=29)]

    assert answer(claim, judged=[*before, judged(recall=0.75, chance=0.05)]) is True
    assert answer(claim, judged=[*before, judged(recall=0.74, chance=0.05)]) is False
    assert answer(claim, judged=[*before[1:], judged(recall=0.1)]) is None
    assert answer(claim, judged=[judged(recall=1.0), judged(recall=0.5), judged(people=29)]) is None


@pytest.mark.parametrize(("error", "held"), [(0.049, True), (0.051, False)])
def test_probabilities_are_off_by_five_points_at_most(error: float, held: bool) -> None:
    """On average over the tenths."""
    assert answer("the_probabilities_come_true", judged=[judged(error=error)]) is held


@pytest.mark.parametrize(("lines", "held"), [(19, False), (20, True), (400, True), (401, False)])
def test_the_volume_is_compared_with_the_weeks_before_alone(lines: int, held: bool) -> None:
    """From a fifth to four times the median of the others, of which the week itself is none."""
    assert answer("the_volume_is_like_recent_weeks", arrived=arrived(lines)) is held


@pytest.mark.parametrize(("bad", "rejected", "conflicting"), [(10, True, True), (20, False, True), (21, False, False)])
def test_shares_of_lines_have_a_limit(bad: int, rejected: bool, conflicting: bool) -> None:
    """Of 1,000 lines ten may be quarantined, and twenty accepted ones may be of conflicting baskets."""
    assert answer("few_lines_are_rejected", arrived=arrived(1000 - bad, bad)) is rejected
    assert answer("few_lines_are_of_conflicting_baskets", arrived=arrived(1000, conflicting=bad)) is conflicting


def test_nobody_with_a_list_is_not_everybody() -> None:
    """A week that knows nobody and lists nobody is not safe to use."""
    assert answer("every_known_customer_has_a_list", scored=lists(known=0, listed=0)) is False
    assert answer("every_known_customer_has_a_list", scored=lists()) is True


def test_all_lists_are_by_the_one_in_service() -> None:
    """One list of another model is too many; without a model all lists are the fallback's."""
    claim = "the_lists_are_by_the_model_in_service"

    assert answer(claim, models=models(), scored=lists(v1=40)) is True
    assert answer(claim, models=models(), scored=lists(v1=39, v0=1)) is False
    assert answer(claim, models=models(None), scored=lists(fallback=40)) is True
    assert answer(claim, models=models(None), scored=lists(fallback=39)) is False


@pytest.mark.parametrize(("half", "fifth", "held"), [(20, 0.2, True), (21, 0.201, False)])
def test_the_fallback_and_no_mission_are_for_the_minority(half: int, fifth: float, held: bool) -> None:
    """Half of the lists may be the fallback's, and a fifth of the baskets may be without a mission."""
    assert answer("most_customers_are_scored_by_the_model", scored=lists(fallback=half)) is held
    assert answer("most_baskets_have_a_mission", unassigned_share=fifth) is held


@pytest.mark.parametrize(("age", "held"), [(13, True), (14, False)])
def test_a_model_is_old_after_the_shops_number_of_weeks(age: int, held: bool) -> None:
    """In the last of them it is not."""
    assert answer("the_model_in_service_is_recent", models=models(age=age), oldest_champion=13) is held


def test_each_drift_is_compared_with_its_own_limit() -> None:
    """The larger index of few cases may be chance; the smaller one of many is another population."""
    missions, few = Drift("mission", 0.249, None), Drift("hour", 0.3, None, chance=0.4)
    claim = "the_baskets_are_like_those_the_model_learned_from"

    assert answer("mission_shares_are_like_in_training", drifts=[missions]) is True
    assert answer(claim, drifts=[missions, few, Drift("weekday", 0.249, None)]) is True
    assert answer(claim, drifts=[missions, few, Drift("weekday", 0.25, None)]) is False
