"""From what the landing folder holds to the runs it needs: a pure plan that the sensor carries out."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from nextbasket_assets.arrivals import Decision
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.retraining import TRAIN, Branch
from nextbasket_assets.partitions import contiguous

BACKFILL = "backfill_weeks"
MOST_SINGLE_RUNS = 3


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


def plan(
    decisions: list[Decision], ingested: Mapping[date, str], branch: Callable[[date, set[date], date | None], Branch]
) -> list[Request]:
    """Runs for the weeks that are new or corrected, oldest first.

    A few weeks get a run each. When many arrive at once (a first load), all but the newest go through backfills, one per
    range without a gap, and only the newest is scored.

    Args:
        decisions: what to do about each file; `new` and `corrected` ones have a week and a digest.
        ingested: content of every week in the lake.
        branch: the job for one week, given the arriving weeks before it and the newest week that is about to train.
    """
    wanted = {one.week: one for one in decisions if one.kind in ("new", "corrected") and one.week and one.sha256}
    weeks = sorted(wanted)
    alone = weeks if len(weeks) <= MOST_SINGLE_RUNS else weeks[-1:]
    together = weeks[: len(weeks) - len(alone)]
    requests = [_backfill(first, last, wanted, ingested, len(weeks)) for first, last in contiguous(together)]
    training: date | None = None
    for week in alone:
        chosen = branch(week, {other for other in weeks if other < week}, training)
        training = week if chosen.job == TRAIN else training
        why = f"week {week_code(week)} is {wanted[week].kind}; {chosen.why}"
        requests.append(Request(_key([week], wanted, ingested), chosen.job, week, week, why))
    return requests


def _backfill(
    first: date, last: date, wanted: Mapping[date, Decision], ingested: Mapping[date, str], arrived: int
) -> Request:
    weeks = [week for week in sorted(wanted) if first <= week <= last]
    why = f"{arrived} weeks arrived at once; weeks {week_code(first)} to {week_code(last)} go through one session"
    return Request(_key(weeks, wanted, ingested), BACKFILL, first, last, why)


def _key(weeks: list[date], wanted: Mapping[date, Decision], ingested: Mapping[date, str]) -> str:
    """Weeks, their content, and the content they replace: a file that comes back after a correction is asked for again."""
    facts = "".join(f"{week}{wanted[week].sha256}{ingested.get(week, '')}" for week in weeks)
    return f"{weeks[0]}..{weeks[-1]}:{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
