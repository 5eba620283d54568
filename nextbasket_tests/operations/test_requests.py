"""From decisions about files to runs."""

from datetime import date, timedelta

from nextbasket_assets.arrivals import Decision, Kind
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.requests import BACKFILL, Request, plan
from nextbasket_assets.operations.retraining import SCORE, TRAIN, Branch

FIRST = date(2006, 4, 10)


def week(number: int) -> date:
    return FIRST + timedelta(weeks=number)


def arrived(*numbers: int, kind: Kind = "new", content: str = "c") -> list[Decision]:
    return [
        Decision(f"transactions_{week_code(week(n))}.csv", kind, "because", week(n), f"{content}{n}") for n in numbers
    ]


def always_score(_: date, __: set[date], ___: date | None) -> Branch:
    return Branch(SCORE, "fresh champion")


def train_once(_: date, __: set[date], training: date | None) -> Branch:
    return Branch(SCORE, "about to train") if training else Branch(TRAIN, "no champion yet")


def spans(requests: list[Request]) -> list[tuple[str, date, date]]:
    return [(request.job, request.first, request.last) for request in requests]


def test_a_week_is_one_run_that_says_why() -> None:
    """One new file asks for one run of the branch's job, with both reasons."""
    [request] = plan(arrived(0), {}, always_score)

    assert spans([request]) == [(SCORE, week(0), week(0))]
    assert request.why == "week 200607 is new; fresh champion"


def test_nothing_new_asks_for_nothing() -> None:
    """Waiting, ingested, refused and ignored files start no run."""
    kinds: list[Kind] = ["waiting", "ingested", "duplicate", "conflict", "refused", "ignored"]

    assert [plan(arrived(0, kind=kind), {}, always_score) for kind in kinds] == [[]] * len(kinds)


def test_weeks_of_one_tick_train_once() -> None:
    """Of several arriving weeks only the first one trains; the next ones know that it will."""
    assert [request.job for request in plan(arrived(0, 1, 2), {}, train_once)] == [TRAIN, SCORE, SCORE]


def test_a_first_load_is_backfilled_in_ranges_without_gaps() -> None:
    """Many weeks at once: ranges through one session each, never over a missing week, and only the newest is scored."""
    requests = plan(arrived(0, 2, 3, 4, 6), {}, train_once)

    assert spans(requests) == [
        (BACKFILL, week(0), week(0)),
        (BACKFILL, week(2), week(4)),
        (TRAIN, week(6), week(6)),
    ]


def test_keys_follow_content() -> None:
    """The same arrival has the same key; other content, or the same content after a correction, has another one."""
    [first] = plan(arrived(0, content="a"), {}, always_score)
    [again] = plan(arrived(0, content="a"), {}, always_score)
    [corrected] = plan(arrived(0, kind="corrected", content="b"), {week(0): "a0"}, always_score)
    [restored] = plan(arrived(0, kind="corrected", content="a"), {week(0): "b0"}, always_score)

    assert first.key == again.key
    assert len({first.key, corrected.key, restored.key}) == 3
