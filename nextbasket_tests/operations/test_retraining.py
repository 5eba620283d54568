"""The branch between training and scoring is decided by the data, and says why."""

from datetime import date, timedelta

import pytest

from nextbasket_assets.operations.retraining import SCORE, TRAIN, RetrainingPolicy, choose

WEEK = date(2007, 1, 1)
POLICY = RetrainingPolicy(max_age_weeks=13, cool_down_weeks=4, min_history_weeks=12)


def ago(weeks: int) -> date:
    return WEEK - timedelta(weeks=weeks)


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
    branch = choose(
        WEEK, champion=champion, newest_week=ago(1), history_weeks=history, failed_check=failed, policy=POLICY
    )

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
    branch = choose(
        WEEK, champion=champion, newest_week=newest_week, history_weeks=50, failed_check="drift", policy=POLICY
    )

    assert branch.job == SCORE
    assert why in branch.why


def test_the_newest_week_corrected_is_not_an_old_one() -> None:
    """The week itself is in the lake when it is corrected; it may train what its first run did not come to."""
    branch = choose(WEEK, champion=None, newest_week=WEEK, history_weeks=12, failed_check=None, policy=POLICY)

    assert branch.job == TRAIN
