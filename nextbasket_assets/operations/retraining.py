"""The branch: does an arriving week score with the model there is, or train a new one first?

The original pipeline asked a flag. Here the data decides, and the decision says why.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from nextbasket_assets.assets.run_config import RetrainingPolicy
from nextbasket_assets.landing import week_code

SCORE, TRAIN = "score_week", "train_and_score_week"


@dataclass(frozen=True)
class Branch:
    """The job that a week needs, and the reason in a sentence."""

    job: str
    why: str


def choose(
    week: date,
    *,
    champion: date | None,
    judged: date | None,
    newest_week: date | None,
    history_weeks: int,
    failed_check: str | None,
    policy: RetrainingPolicy,
) -> Branch:
    """Pick the branch for one arriving week: a late or corrected old week starts no training.

    Args:
        week: Monday of the arriving week.
        champion: as-of week of the newest promoted model, or of one that is about to be trained; None without one.
        judged: as-of week of the newest model that was promoted or refused, or is about to be; None without one.
        newest_week: newest week in the lake; None without one.
        history_weeks: weeks in the lake up to and including `week`.
        failed_check: name of a check that asks for a new model; None when none does.
        policy: the thresholds.
    """
    if champion is not None and champion > week:
        return Branch(SCORE, f"no new model: a later one is in service, as of {week_code(champion)}")
    if newest_week is not None and newest_week > week:
        return Branch(SCORE, f"no new model: the lake has later weeks, up to {week_code(newest_week)}")
    if history_weeks < policy.min_history_weeks:
        held = f"{history_weeks} week(s) of history, {policy.min_history_weeks} are needed to train"
        return Branch(SCORE, f"no new model: {held}")
    due = _due(week, champion, failed_check, policy)
    if champion is not None and not due:
        return Branch(SCORE, f"the champion is {_weeks(champion, week)} week(s) old")
    if judged is not None and judged > (champion or date.min) and _weeks(judged, week) < policy.cool_down_weeks:
        last = f"the one as of {week_code(judged)} is not in service, and {policy.cool_down_weeks} weeks pass before the next"
        return Branch(SCORE, f"{due}; but {last}")
    return Branch(TRAIN, due)


def _due(week: date, champion: date | None, failed_check: str | None, policy: RetrainingPolicy) -> str:
    """Why a new model is due; empty when none is."""
    if champion is None:
        return "no champion yet"
    age = _weeks(champion, week)
    if failed_check and age >= policy.cool_down_weeks:
        return f"the check {failed_check} asks for a new model"
    if age >= policy.max_age_weeks:
        return f"the champion is {age} weeks old, the limit is {policy.max_age_weeks}"
    return ""


def _weeks(earlier: date, later: date) -> int:
    return (later - earlier) // timedelta(weeks=1)
