"""Row 2: one new week from its landing file to published scores, beside the work of its stages alone."""

from benchmarks.clock import in_a_process
from benchmarks.jobs import job_seconds
from benchmarks.lakes import GAPS, filled
from benchmarks.outcome import Figure, Goal, Outcome


def measure(small: bool) -> Outcome:
    """The last landed week as one run of `score_week` in a process of its own, then its work again without Dagster."""
    with filled(small, trained=not small) as (root, weeks):
        newest = weeks[-1]
        whole, run = job_seconds(root, "score_week", newest, newest)
        again = in_a_process("jobs", str(root), "replay", newest.isoformat(), newest.isoformat())
    wall, cpu = (sum(seconds[clock] for seconds in again["work"].values()) for clock in (0, 1))
    figures = [
        Figure("a new week, landed to published", *whole.taken(), {"peak MB of the JVM": run["peak_mb"]}),
        Figure("the work of its assets alone", wall, cpu),
        Figure("starting Spark", *again["start"]),
        *(Figure(f"work of {name}", *seconds) for name, seconds in again["work"].items()),
    ]
    return Outcome(
        goals(whole.wall_seconds, wall),
        figures,
        f"the work alone: {wall / whole.wall_seconds:.0%} of the week's seconds",
        [
            f"{len(weeks) - 1} weeks of history lie in the lake; from the start of the interpreter to its end",
            "its steps, in seconds: " + ", ".join(f"{name} {taken:.1f}" for name, taken in run["steps"].items()),
            "CPU seconds of the whole run leave the JVM out, which its process does not wait for",
            GAPS,
        ],
    )


def goals(whole: float, work: float) -> list[Goal]:
    """From the wall seconds of the whole week and of the work alone."""
    return [
        Goal("seconds that Dagster, the start of Spark and the commits add", whole - work, 15.0),
        Goal("seconds of the whole week", whole, 90.0),
    ]
