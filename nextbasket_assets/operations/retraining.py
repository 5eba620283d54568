"""The branch: does an arriving week score with the model there is, or train a new one first?

The original pipeline asked a flag. Here the data decides, and the decision says why.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from nextbasket_assets.landing import week_code
from nextbasket_assets.limits import OLDEST_CHAMPION_WEEKS

SCORE, TRAIN = "score_week", "train_and_score_week"


@dataclass(frozen=True, kw_only=True)
class RetrainingPolicy:
    """When a new model is due.

    Attributes:
        max_age_weeks: a champion of at least this age is replaced.
        cool_down_weeks: a check that asks for a new model is heard when the champion is at least this old.
        min_history_weeks: fewer weeks than this, the week itself included, are too few to train and to hold out.
    """

    max_age_weeks: int = OLDEST_CHAMPION_WEEKS
    cool_down_weeks: int = 4
    min_history_weeks: int = 12


@dataclass(frozen=True)
class Branch:
    """The job that a week needs, and the reason in a sentence."""

    job: str
    why: str


def choose(
    week: date,
    *,
    champion: date | None,
    newest_week: date | None,
    history_weeks: int,
    failed_check: str | None,
    policy: RetrainingPolicy,
) -> Branch:
    """Pick the branch for one arriving week: a late or corrected old week starts no training.

    Args:
        week: Monday of the arriving week.
        champion: as-of week of the newest promoted model, or of one that is about to be trained; None without one.
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
    if champion is None:
        return Branch(TRAIN, "no champion yet")
    age = (week - champion) // timedelta(weeks=1)
    if failed_check and age >= policy.cool_down_weeks:
        return Branch(TRAIN, f"the check {failed_check} asks for a new model")
    if age >= policy.max_age_weeks:
        return Branch(TRAIN, f"the champion is {age} weeks old, the limit is {policy.max_age_weeks}")
    return Branch(SCORE, f"the champion is {age} week(s) old")
