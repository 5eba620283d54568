"""Row 3: a backfill of many weeks, raw to sequences, in one run and one Spark session, beside runs of one week each."""

from statistics import mean

from benchmarks.jobs import job_seconds
from benchmarks.lakes import GAPS, empty
from benchmarks.outcome import Figure, Goal, Outcome

SINGLES = 3  # the last weeks, measured one by one; the rest is arithmetic


def measure(small: bool) -> Outcome:
    """The backfill first; then its last weeks again, one run each, with the same history before them."""
    with empty(small) as (root, weeks):
        whole, run = job_seconds(root, "backfill_weeks", weeks[0], weeks[-1])
        again = weeks[-1:] if small else weeks[-SINGLES:]
        singles = [job_seconds(root, "backfill_weeks", week, week)[0] for week in again]
    single, single_cpu = mean(s.wall_seconds for s in singles), mean(s.cpu_seconds for s in singles)
    return Outcome(
        goals(whole.wall_seconds, len(weeks), single),
        [
            Figure(f"backfill of {len(weeks)} weeks, one run", *whole.taken(), {"peak MB of the JVM": run["peak_mb"]}),
            Figure("a run of one week", single, single_cpu),
            Figure(f"{len(weeks)} runs of one week", single * len(weeks), single_cpu * len(weeks)),
        ],
        f"row 1's work is the limit; a week takes {whole.wall_seconds / len(weeks):.1f} s here",
        [f"runs of one week: {len(singles)} were measured, {len(weeks)} is their mean times {len(weeks)}", GAPS],
    )


def goals(whole: float, weeks: int, single: float) -> list[Goal]:
    """From the wall seconds of a backfill of so many weeks, and of a run of one."""
    return [Goal("seconds a week in the backfill to seconds of a run of one week", whole / weeks / single, 0.1)]
