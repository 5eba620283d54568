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
    branch = choose(WEEK, champion=champion, history_weeks=history, failed_check=failed, policy=POLICY)

    assert branch.job == job
    assert why in branch.why
