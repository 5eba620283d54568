"""From what the landing folder holds to the runs it needs: a pure plan that the sensor carries out."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from nextbasket_assets.arrivals import Decision
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.ingested import Ingested
from nextbasket_assets.operations.retraining import TRAIN, Branch
from nextbasket_assets.partitions import contiguous

BACKFILL = "backfill_weeks"
MOST_SINGLE_RUNS = 3
MEND = "mend what stopped them and start them again"


@dataclass(frozen=True)
class Request:
    """One run to ask for: a job over the weeks from `first` to `last`.

    Attributes:
        key: the same for the same weeks with the same content arriving on the same state; a run is never asked for twice.
        job: name of the job.
        first: Monday of the first week.
        last: Monday of the last week, often the first one.
        why: the reason, in a sentence.
        table: the only table to make; None for all of the job's.
    """

    key: str
    job: str
    first: date
    last: date
    why: str
    table: str | None = None


def wanted_weeks(decisions: list[Decision]) -> dict[date, Decision]:
    """The file of every week that is new or corrected, oldest first."""
    wanted = {one.week: one for one in decisions if one.kind in ("new", "corrected") and one.week and one.sha256}
    return dict(sorted(wanted.items()))


def plan(
    wanted: Mapping[date, Decision],
    held: Ingested,
    branch: Callable[[date, date | None], Branch],
    asked: Callable[[str], bool] = lambda key: False,
) -> list[Request]:
    """Runs to ask for now, oldest first; a run that was asked for and ended without its weeks is not asked for again.

    A few weeks get a run each. When many arrive at once (a first load), all but the newest go through backfills, one per
    range without a gap. The newest one waits until they have ended: only then does the lake tell what history it has. A
    week whose own run failed stays out of the ranges, which would fail with it; a range that failed is not tried in parts.

    Args:
        wanted: the file of every week that is new or corrected, oldest first.
        held: what is in the lake.
        branch: the job for one week, given the newest week that is about to train.
        asked: whether there was a run under a key.
    """
    newest = max([*wanted, *held.content], default=None)  # also when its run failed, or every look would score another
    untried = [week for week in wanted if not asked(_key([week], wanted, held))]
    ranges = contiguous([week for week in untried if week != newest])
    backfills = [_backfill(first, last, wanted, held, len(untried)) for first, last in ranges]
    pending = [request for request in backfills if not asked(request.key)]
    weeks = [week for week in untried if week == newest or any(one.first <= week <= one.last for one in pending)]
    return pending if len(weeks) > MOST_SINGLE_RUNS else _singles(weeks, wanted, held, branch)


def _singles(
    weeks: list[date],
    wanted: Mapping[date, Decision],
    held: Ingested,
    branch: Callable[[date, date | None], Branch],
) -> list[Request]:
    requests = []
    training: date | None = None
    for week in weeks:
        chosen = branch(week, training)
        training = week if chosen.job == TRAIN else training
        why = f"week {week_code(week)} is {wanted[week].kind}; {chosen.why}"
        requests.append(Request(_key([week], wanted, held), chosen.job, week, week, why))
    return requests


def _backfill(first: date, last: date, wanted: Mapping[date, Decision], held: Ingested, arrived: int) -> Request:
    weeks = [week for week in wanted if first <= week <= last]
    why = f"{arrived} weeks arrived at once; weeks {week_code(first)} to {week_code(last)} go through one session"
    return Request(_key(weeks, wanted, held), BACKFILL, first, last, why)


def _key(weeks: list[date], wanted: Mapping[date, Decision], held: Ingested) -> str:
    """Weeks, their content, and what they replace: a file that comes back after a correction is asked for again."""
    facts = "".join(f"{week}{wanted[week].sha256}{held.state(week)}" for week in weeks)
    return f"{weeks[0]}..{weeks[-1]}:{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
