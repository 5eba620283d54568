"""However a run ends, no cluster is left and the old data is read as before: cancelled in the UI, SIGTERM, SIGKILL.

Runs are launched as the UI launches them.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.reaper import cluster_reaper
from nextbasket_assets.shop.shop import write_shop
from nextbasket_tests.emr.test_end_to_end import BUCKET, ON_EMR, clusters
from nextbasket_tests.emr_bed.aws import local_aws

pytestmark = pytest.mark.emr

HOME = """
telemetry: {enabled: false}
run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}  # no daemon here to take from a queue
"""
WEEK = "2006-04-10"
LAUNCH = """mutation($p: ExecutionParams!) {
  launchPipelineExecution(executionParams: $p) { __typename ... on LaunchRunSuccess { run { runId } } }
}"""
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"


class Server:
    """Dagster with its code location in a process of its own, and every run in another one."""

    def __init__(self, workspace: WorkspaceProcessContext, instance: dg.DagsterInstance) -> None:
        self._workspace, self.instance = workspace, instance

    def ask(self, query: str, variables: dict[str, Any]) -> Any:
        answer = execute_dagster_graphql(self._workspace.create_request_context(), query, variables)
        assert answer.data, answer.errors
        return answer.data

    def launch(self) -> str:
        """Launch the week, and wait until its first stage runs on a cluster."""
        selector = {"repositoryLocationName": "nextbasket", "repositoryName": "__repository__", "jobName": "score_week"}
        tags = [{"key": "dagster/partition", "value": WEEK}]
        parameters = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
        launched = self.ask(LAUNCH, {"p": parameters})["launchPipelineExecution"]
        run_id = str(launched["run"]["runId"])
        eventually(
            lambda: [cluster for cluster in mine(run_id) if cluster["steps"][:1] and running(cluster)], "a running step"
        )
        return run_id

    def pid(self, run_id: str) -> int:
        """Process of a run."""
        events = [log.dagster_event for log in self.instance.all_logs(run_id) if log.dagster_event]
        found = [event.engine_event_data.metadata.get("pid") for event in events if event.is_engine_event]
        return int(str(next(pid for pid in found if pid).value))

    def over(self, run_id: str) -> str:
        """Wait for the end of a run; its status."""
        return eventually(lambda: self._finished(run_id), "the end of the run")

    def _finished(self, run_id: str) -> str | None:
        run = self.instance.get_run_by_id(run_id)
        return run.status.value if run and run.is_finished else None


def publish_old_data() -> None:
    """The week that every run makes anew was published before, with one line."""
    lake = Lake(ON_EMR["NEXTBASKET_LAKE"])
    values: dict[object, object] = {"string": "", "date": date.fromisoformat(WEEK), "boolean": False}
    line = {
        column.name: values.get(column.type, Decimal(1) if "decimal" in str(column.type) else 1)
        for column in TABLES["raw_transactions"]
    }
    with stage(lake, "raw_transactions", "before") as folder:
        write_rows(lake, "raw_transactions", folder, date.fromisoformat(WEEK), [line])
        publish(lake, "raw_transactions", folder, [date.fromisoformat(WEEK)], Provenance("before", "code", {}))


def old_data() -> tuple[int, list[dict[str, Any]]]:
    """Version and rows of that week."""
    lake = Lake(ON_EMR["NEXTBASKET_LAKE"])
    return lake.version("raw_transactions"), lake.read("raw_transactions", [date.fromisoformat(WEEK)]).to_pylist()


def mine(run_id: str) -> list[dict[str, Any]]:
    return [cluster for cluster in clusters() if cluster["Name"] == f"nextbasket {run_id}"]


def running(cluster: dict[str, Any]) -> bool:
    return bool(cluster["steps"][0]["Status"]["State"] == "RUNNING")


def states(run_id: str) -> list[str]:
    return [cluster["Status"]["State"] for cluster in mine(run_id)]


def told(server: Server, run_id: str) -> str:
    """What the run's page shows."""
    return "\n".join(entry.message for entry in server.instance.all_logs(run_id))


def eventually(look: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """Look until there is something to see; real processes take their real time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"no {what} after {seconds:.0f} seconds")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    (folder / "home").mkdir()
    (folder / "nodes").mkdir()
    (folder / "home" / "dagster.yaml").write_text(HOME)
    write_shop(folder / "shop", customers=30, weeks=1, seed=1, products=300)
    with local_aws(str(folder / "nodes"), "hang"), pytest.MonkeyPatch.context() as patch:
        for name, value in {**ON_EMR, "DAGSTER_HOME": str(folder / "home")}.items():
            patch.setenv(name, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for file in (folder / "shop").glob("transactions_*"):
            s3.upload_file(str(file), BUCKET, f"landing/{file.name}")
        publish_old_data()
        target = ModuleTarget("nextbasket_assets.definitions", None, os.getcwd(), "nextbasket")  # noqa: PTH109
        with dg.DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as workspace:
            yield Server(workspace, instance)


def test_cancelled_in_the_ui(server: Server) -> None:
    """The UI's Terminate: the run is CANCELED, its cluster is ended by the run itself, and its step's process is gone."""
    before = old_data()
    run_id = server.launch()
    assert server.ask(TERMINATE, {"id": run_id})["terminateRun"]["__typename"] == "TerminateRunSuccess"

    assert server.over(run_id) == "CANCELED"
    assert states(run_id) == ["TERMINATED"]
    assert old_data() == before
    assert "ended cluster j-" in told(server, run_id)


def test_sigterm_to_the_run(server: Server) -> None:
    """SIGTERM to the run's process, as when its container is stopped: the cluster is ended before it goes."""
    before = old_data()
    run_id = server.launch()
    os.kill(server.pid(run_id), signal.SIGTERM)

    assert server.over(run_id) in ("FAILURE", "CANCELED")
    assert states(run_id) == ["TERMINATED"]
    assert old_data() == before
    assert "ended cluster j-" in told(server, run_id)


def test_sigkill_to_the_run(server: Server) -> None:
    """SIGKILL to the run's process: nobody could end the cluster, so it lives; the reaper's next tick ends and names it."""
    before = old_data()
    run_id = server.launch()
    os.kill(server.pid(run_id), signal.SIGKILL)
    assert server.over(run_id) == "FAILURE"
    assert states(run_id) == ["RUNNING"]

    tick = cluster_reaper(ON_EMR["NEXTBASKET_LAKE"]).evaluate_tick(dg.build_sensor_context(instance=server.instance))

    assert tick.skip_message is not None
    assert f"(run {run_id} is FAILURE)" in tick.skip_message
    assert states(run_id) == ["TERMINATED"]
    assert old_data() == before
    assert "was terminated by signal 9 (SIGKILL)" in told(server, run_id)
