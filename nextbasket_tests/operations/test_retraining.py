"""The branch between training and scoring is decided by the data, and says why."""

from datetime import date, timedelta
from typing import Any

import pytest

from nextbasket_assets.assets.run_config import RetrainingPolicy
from nextbasket_assets.operations.retraining import SCORE, TRAIN, Branch, choose

WEEK = date(2007, 1, 1)
POLICY = RetrainingPolicy(max_age_weeks=13, cool_down_weeks=4, min_history_weeks=12)


def ago(weeks: int) -> date:
    return WEEK - timedelta(weeks=weeks)


def decide(**found: Any) -> Branch:
    """The branch of the newest week with a year of history and no model, but for what is said."""
    usual = {"champion": None, "judged": None, "newest_week": ago(1), "history_weeks": 50, "failed_check": None}
    return choose(WEEK, policy=POLICY, **usual | found)


@pytest.mark.parametrize(
    ("champion", "history", "failed", "job", "why"),
    [
        (None, 11, None, SCORE, "11 week(s) of history, 12 are needed"),
        (None, 12, None, TRAIN, "no champion yet"),
        (ago(12), 50, None, SCORE, "12 week(s) old"),
        (ago(13), 50, None, TRAIN, "13 weeks old, the limit is 13"),
        (ago(4), 50, "drift", TRAIN, "the check drift asks"),
        (ago(3), 50, "drift", SCORE, "3 week(s) old"),
    ],
)
def test_branch(champion: date | None, history: int, failed: str | None, job: str, why: str) -> None:
    """No champion, an old one, or a failed check train; too little history and a fresh champion score."""
    branch = decide(champion=champion, judged=champion, history_weeks=history, failed_check=failed)

    assert branch.job == job
    assert why in branch.why


@pytest.mark.parametrize(
    ("champion", "newest_week", "why"),
    [
        (ago(-1), ago(-4), "a later one is in service, as of 200646"),
        (ago(20), ago(-4), "the lake has later weeks, up to 200649"),
        (None, ago(-1), "the lake has later weeks, up to 200646"),
    ],
)
def test_an_old_week_starts_no_training(champion: date | None, newest_week: date, why: str) -> None:
    """A late or corrected week is scored, whatever the checks say and however old the champion is."""
    branch = decide(champion=champion, newest_week=newest_week, failed_check="drift")

    assert branch.job == SCORE
    assert why in branch.why


def test_the_newest_week_corrected_is_not_an_old_one() -> None:
    """The week itself is in the lake when it is corrected; it may train what its first run did not come to."""
    branch = decide(newest_week=WEEK)
    of_the_champion = decide(newest_week=WEEK, champion=WEEK, judged=WEEK)

    assert branch.job == TRAIN
    assert of_the_champion == Branch(SCORE, "the champion is 0 week(s) old")


@pytest.mark.parametrize(
    ("champion", "failed", "judged", "job", "why"),
    [
        (None, None, ago(3), SCORE, "no champion yet; but the one as of 200642 is not in service, and 4 weeks pass"),
        (None, None, ago(4), TRAIN, "no champion yet"),
        (ago(20), None, ago(1), SCORE, "the champion is 20 weeks old, the limit is 13; but the one as of 200644"),
        (ago(20), None, ago(4), TRAIN, "the champion is 20 weeks old"),
        (ago(6), "drift", ago(3), SCORE, "the check drift asks for a new model; but"),
        (ago(6), "drift", ago(4), TRAIN, "the check drift asks for a new model"),
    ],
)
def test_after_a_refusal_some_weeks_pass(
    champion: date | None, failed: str | None, judged: date, job: str, why: str
) -> None:
    """The same data with one more week would be refused again; when the pause is over, what is due is trained."""
    branch = decide(champion=champion, failed_check=failed, judged=judged)

    assert branch.job == job
    assert why in branch.why


def test_a_champion_in_service_is_no_refusal() -> None:
    """A shop that trains more often than its pause is long waits for nothing: the newest model was promoted."""
    often = RetrainingPolicy(max_age_weeks=2, cool_down_weeks=4, min_history_weeks=12)
    usual = {"newest_week": ago(1), "history_weeks": 50, "failed_check": None}
    branch = choose(WEEK, champion=ago(2), judged=ago(2), policy=often, **usual)

    assert branch == Branch(TRAIN, "the champion is 2 weeks old, the limit is 2")
