"""What a week's report is made from: the tables that it reads, and what is known of the run that made the lists."""

from collections.abc import Sequence
from dataclasses import dataclass

TABLE = "weekly_report"
UPSTREAM = (
    *("landed_files", "rejected_lines", "mission_profiles"),
    *("model_evaluation", "next_basket_scores", "next_trip_outlook"),
)
READS = (*UPSTREAM, "customer_sequences", "staged_baskets")  # the last two are upstream of the others


@dataclass(frozen=True)
class Step:
    """One step of the run, in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class RunFacts:
    """How the week's lists were made; what nobody knows is None or empty.

    Attributes:
        job: name of the job. why: the reason for the branch that was taken.
        run_id: the orchestrator's run. weeks: that it made together.
        seconds: from its start to its end, or to the report.
        steps: its steps of half a second or more, in order.
        place: where Spark ran.
        dollars: what that cost.
    """

    job: str | None = None
    why: str | None = None
    run_id: str | None = None
    weeks: int = 1
    seconds: float | None = None
    steps: Sequence[Step] = ()
    place: str | None = None
    dollars: float | None = None
