"""From decisions about files to runs."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

import pytest

from nextbasket_assets.arrivals import Decision, Kind
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.ingested import Ingested
from nextbasket_assets.operations.requests import BACKFILL, Request, plan, wanted_weeks
from nextbasket_assets.operations.retraining import SCORE, TRAIN, Branch

FIRST = date(2006, 4, 10)
EMPTY = Ingested()


def week(number: int) -> date:
    return FIRST + timedelta(weeks=number)


def arrived(*numbers: int, kind: Kind = "new", content: str = "c") -> list[Decision]:
    return [
        Decision(f"transactions_{week_code(week(n))}.csv", kind, "because", week(n), f"{content}{n}") for n in numbers
    ]


def always_score(_: date, __: date | None) -> Branch:
    return Branch(SCORE, "fresh champion")


def train_once(_: date, training: date | None) -> Branch:
    return Branch(SCORE, "about to train") if training else Branch(TRAIN, "no champion yet")


def runs(
    decisions: list[Decision],
    held: Ingested = EMPTY,
    branch: Callable[[date, date | None], Branch] = always_score,
    asked: Collection[str] = (),
) -> list[Request]:
    return plan(wanted_weeks(decisions), held, branch, asked.__contains__)


def spans(requests: list[Request]) -> list[tuple[str, date, date]]:
    return [(request.job, request.first, request.last) for request in requests]


def test_a_week_is_one_run_that_says_why() -> None:
    """One new file asks for one run of the branch's job, with both reasons."""
    [request] = runs(arrived(0))

    assert spans([request]) == [(SCORE, week(0), week(0))]
    assert request.why == "week 200607 is new; fresh champion"


def test_nothing_new_asks_for_nothing() -> None:
    """Waiting, ingested, refused and ignored files start no run."""
    kinds: list[Kind] = ["waiting", "ingested", "duplicate", "conflict", "refused", "ignored"]

    assert [runs(arrived(0, kind=kind)) for kind in kinds] == [[]] * len(kinds)


def test_weeks_are_planned_oldest_first() -> None:
    """Whatever order the files are listed in, the older week is run before the newer one."""
    assert spans(runs(arrived(1, 0))) == [(SCORE, week(0), week(0)), (SCORE, week(1), week(1))]


def test_weeks_of_one_tick_train_once() -> None:
    """Of several arriving weeks only the first one trains; the next ones know that it will."""
    assert [request.job for request in runs(arrived(0, 1, 2), branch=train_once)] == [TRAIN, SCORE, SCORE]


def test_a_first_load_is_backfilled_in_ranges_without_gaps() -> None:
    """Many weeks at once: ranges through one session each, never over a missing week; then the newest alone is scored."""
    decisions = arrived(0, 2, 3, 4, 6)
    ranges = runs(decisions, branch=train_once)
    newest = runs(decisions, branch=train_once, asked=[request.key for request in ranges])

    assert spans(ranges) == [(BACKFILL, week(0), week(0)), (BACKFILL, week(2), week(4))]
    assert ranges[1].why == "5 weeks arrived at once; weeks 200609 to 200611 go through one session"
    assert spans(newest) == [(TRAIN, week(6), week(6))]


def test_weeks_whose_own_run_failed_stay_out_of_ranges() -> None:
    """Two weeks that failed do not take the sound ones that arrive after them into a range that must fail."""
    failed = [request.key for request in runs(arrived(0, 1))]

    assert spans(runs(arrived(0, 1, 2, 3), asked=failed)) == [(SCORE, week(2), week(2)), (SCORE, week(3), week(3))]


@pytest.mark.parametrize("newest", ["made", "failed"])
@pytest.mark.parametrize("length", [3, 4])
def test_a_range_that_failed_is_not_asked_for_week_by_week(newest: str, length: int) -> None:
    """After a failed range and its newest week, whatever became of that one, no part of the range is asked for.

    A range of three was: as many weeks get a run each when they arrive.
    """
    decisions = arrived(*range(length + 1))
    [whole] = runs(decisions)
    [last] = runs(decisions, asked=[whole.key])
    left = decisions[:-1] if newest == "made" else decisions
    held = Ingested({week(length): "c"}, {week(length): 0}, "table") if newest == "made" else EMPTY

    assert runs(left, held, asked=[whole.key, last.key]) == []


def test_the_newest_week_beside_a_short_range_that_failed_is_scored_alone() -> None:
    """Of a first load with a gap one range is made, and the one of two weeks failed: the newest week gets its turn."""
    made, failed = runs(arrived(0, 2, 3, 5))
    held = Ingested({week(0): "c0"}, {week(0): 0}, "table")

    assert spans([made, failed]) == [(BACKFILL, week(0), week(0)), (BACKFILL, week(2), week(3))]
    assert spans(runs(arrived(2, 3, 5), held, asked=[failed.key])) == [(SCORE, week(5), week(5))]


def test_weeks_that_arrive_beside_a_failed_range_get_a_run_each() -> None:
    """The weeks of the range are not counted again: two new ones are a few, and the older one of them is scored, too."""
    [failed] = runs(arrived(0, 1, 2, 3, 5))
    held = Ingested({week(5): "c5"}, {week(5): 0}, "table")

    assert spans(runs(arrived(0, 1, 2, 3, 6, 7), held, asked=[failed.key])) == [
        (SCORE, week(6), week(6)),
        (SCORE, week(7), week(7)),
    ]


def test_many_old_weeks_are_one_range() -> None:
    """Late weeks that are older than the lake's newest one are not scored, however many they are."""
    held = Ingested({week(9): "c9"}, {week(9): 0}, "table")

    assert spans(runs(arrived(0, 1, 2, 3), held)) == [(BACKFILL, week(0), week(3))]


def key(content: str, replaces: str | None, published: int = 0, lake: Ingested = EMPTY) -> str:
    """The key of week 0 with this content, over a lake that holds it with another one."""
    held = replace(lake, content={week(0): replaces} if replaces else {}, published={week(0): published})
    [request] = runs(arrived(0, kind="corrected" if replaces else "new", content=content), held)
    return request.key


def test_keys_follow_content() -> None:
    """The same arrival has the same key; other content, or the same content after a correction, has another one."""
    assert key("a", None) == key("a", None)
    assert key("a", None) != key("b", None)  # the run of the first one failed, and a mended file came
    assert len({key("a", None), key("b", "a0"), key("a", "b0")}) == 3


def test_a_mended_week_of_a_failed_range_is_asked_for_with_it() -> None:
    """The range's run failed over one week; another file for that week makes it another range."""
    decisions = arrived(0, 1, 2, 3, 4)
    [failed] = runs(decisions)
    mended = [decisions[0], *arrived(1, content="mended"), *decisions[2:]]

    assert spans(runs(mended, asked=[failed.key])) == [(BACKFILL, week(0), week(3))]


def test_no_key_is_used_twice_however_often_a_file_comes_back() -> None:
    """A, B, A, B, A: every success leaves another state, so that every delivery has a key of its own."""
    keys = [key("a", None), key("b", "a", 0), key("a", "b", 1), key("b", "a", 2), key("a", "b", 3)]

    assert len(set(keys)) == len(keys)


def test_a_lake_begun_anew_has_keys_of_its_own() -> None:
    """A lake that was emptied asks for its weeks again, and so does the table that takes the place of the former one."""
    first = Ingested(table="one")
    emptied = EMPTY.after("one", "")
    anew = Ingested(table="two").after("", emptied.former)
    replaced = Ingested(table="two").after("one", "")

    assert len({key("a", None, lake=lake) for lake in (first, emptied)}) == 2
    assert key("a", None, lake=EMPTY.after("", "")) == key("a", None, lake=first.after("one", ""))
    assert key("a", None, lake=emptied) == key("a", None, lake=anew) == key("a", None, lake=replaced)
