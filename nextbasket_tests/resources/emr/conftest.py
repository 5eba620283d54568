"""A scripted EMR for every test here, and a run of two stages on it."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.resources.spark import SparkResource
from nextbasket_tests.emr_bed.aws import environment
from nextbasket_tests.emr_bed.scripted import LAKE, ScriptedBed, scripted_bed

SECRET = "wJalrXUtnFEMI-THE-SECRET"


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedBed]:
    for name, value in environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with scripted_bed() as bed:
        yield bed


class Answers:
    """An AWS that answers every operation by a word, or raises it; it keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked, self.patience = answers, [], []

    def call(self, _: str, operation: str, **arguments: Any) -> Any:
        self.asked.append((operation, arguments))
        answer = self.answers.get(operation, {})
        answer = answer(arguments) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call_within(self, patience: float, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        self.patience.append(patience)
        return self.call(service, operation, **arguments)

    def make(self, service: str, operation: str, _: Callable[[], Any], **arguments: Any) -> Any:
        return self.call(service, operation, **arguments)

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [arguments for asked, arguments in self.asked if asked == operation]


@dg.asset
def lines(spark: SparkResource) -> dg.MaterializeResult:
    report = spark.run("raw_transactions", {}, {"raw_transactions": f"{LAKE}/raw"}, weeks=["2006-04-10"])
    return dg.MaterializeResult(metadata=dict(report.place))


@dg.asset(deps=[lines])
def baskets(spark: SparkResource) -> dg.MaterializeResult:
    report = spark.run("staged_baskets", {"raw_transactions": [f"{LAKE}/raw/a"]}, {}, weeks=["2006-04-10"])
    return dg.MaterializeResult(metadata=dict(report.place))


class Ran:
    """A run, and what the UI shows of it."""

    def __init__(self, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> None:
        self.result, self.instance = result, instance
        self.success = result.success

    @property
    def failure(self) -> Any:
        """What the step that failed says."""
        return next(event.step_failure_data for event in self.result.all_events if event.is_step_failure)

    @property
    def error(self) -> str:
        data = self.failure.user_failure_data
        return str(data.description) if data else str(self.failure.error)

    def log(self) -> str:
        """Every event and every line of the run, as they are stored."""
        return "\n".join(str(entry) for entry in self.instance.all_logs(self.result.run_id))


@pytest.fixture
def run(bed: ScriptedBed) -> Iterator[Callable[..., Ran]]:
    with dg.DagsterInstance.ephemeral() as instance:

        def run(**settings: Any) -> Ran:
            job = dg.Definitions(
                [lines, baskets], executor=dg.in_process_executor, resources={"spark": bed.resource(**settings)}
            ).resolve_implicit_global_asset_job_def()
            return Ran(job.execute_in_process(instance=instance, raise_on_error=False), instance)

        yield run
