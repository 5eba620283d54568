"""Runs that are lost with the code container, between Dagster's own daemon and a real code server."""

import json
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import instance_for_test
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
from dagster._daemon.controller import RELOAD_WORKSPACE_INTERVAL, THREAD_CHECK_INTERVAL
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._grpc.client import DagsterGrpcClient

from nextbasket_tests.scripts import script

DEPLOY = Path(__file__).parents[2] / "deploy"
SOUND = """
import dagster as dg

@dg.op
def work(): ...

@dg.job
def week(): work()

defs = dg.Definitions(jobs=[week])
"""

# The script of another server, which takes what was lost for failed as soon as it answers.
IMPATIENT = """
import sys

from nextbasket_tests.scripts import script

serve = script("deploy/serve.py")
serve._HOST, serve._PORT, serve._LOADING_SECONDS = "127.0.0.1", int(sys.argv[1]), 0.0
sys.exit(serve.main(1.0, sys.argv[2:]))
"""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """serve.py of a server on this machine, on a free port."""
    serve = script("deploy/serve.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(serve, "_PORT", free.getsockname()[1])
    monkeypatch.setattr(serve, "_HOST", "127.0.0.1")
    return serve


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """The production dagster.yaml, with another storage."""
    config = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    del config["storage"]
    with instance_for_test(config) as instance:
        yield instance


def command(serve: ModuleType, path: Path) -> list[str]:
    where = ["-h", serve._HOST, "-p", str(serve._PORT), "--location-name", "nextbasket"]
    return [sys.executable, "-m", "dagster", "code-server", "start", *where, "-f", str(path)]


def lost_run(serve: ModuleType, instance: dg.DagsterInstance, job: dg.JobDefinition) -> dg.DagsterRun:
    """A started run of an earlier server."""
    tags = {GRPC_INFO_TAG: json.dumps({"host": serve._HOST, "port": serve._PORT})}
    return instance.create_run_for_job(
        job, status=dg.DagsterRunStatus.STARTED, tags=tags, remote_job_origin=origin(serve)
    )


def origin(serve: ModuleType) -> RemoteJobOrigin:
    (location,) = target(serve).create_origins()
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "week")


def target(serve: ModuleType) -> GrpcServerTarget:
    return GrpcServerTarget(host=serve._HOST, port=serve._PORT, socket=None, location_name="nextbasket")


@contextmanager
def code_server(serve: ModuleType, path: Path) -> Iterator[None]:
    """A code server that runs, whether or not it could load this file."""
    client = DagsterGrpcClient(host=serve._HOST, port=serve._PORT)
    with subprocess.Popen(command(serve, path)) as server:
        try:
            while client.health_check_query() != "SERVING":
                assert server.poll() is None
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


def test_the_daemon_has_had_time_to_load_the_code(serve: ModuleType) -> None:
    """It loads the code of a server that was away each minute; a run that fails before is not started again."""
    assert serve._LOADING_SECONDS > RELOAD_WORKSPACE_INTERVAL + 2 * THREAD_CHECK_INTERVAL


def test_a_server_without_the_code_does_not_answer(serve: ModuleType, tmp_path: Path) -> None:
    """Neither one that is not there, nor one that is healthy and could not load the code, can start a run."""
    (tmp_path / "jobs.py").write_text("import nothing_of_this_name")
    assert not serve.answers()

    with code_server(serve, tmp_path / "jobs.py"):
        assert not serve.answers()


def test_a_container_fails_what_was_lost_beside_its_server(
    serve: ModuleType, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """A lost run is failed while the server answers, and the container is stopped as one that lost nothing."""
    (tmp_path / "jobs.py").write_text(SOUND)
    lost = lost_run(serve, instance, runpy.run_path(str(tmp_path / "jobs.py"))["week"])
    typed = [sys.executable, "-c", IMPATIENT, str(serve._PORT), *command(serve, tmp_path / "jobs.py")]
    with subprocess.Popen(typed) as container:
        while container.poll() is None and instance.get_runs(dg.RunsFilter([lost.run_id], statuses=[lost.status])):
            time.sleep(0.1)
        answered = serve.answers()
        container.terminate()

    assert answered
    assert container.returncode == 0


@pytest.mark.filterwarnings("ignore:Error loading repository location")  # what the daemon finds at first
def test_the_daemon_finds_a_server_when_a_lost_run_is_failed(
    serve: ModuleType, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for failed runs all the while, and starts the lost one again; one that waits in the queue is not failed."""
    (tmp_path / "jobs.py").write_text(SOUND)
    job = runpy.run_path(str(tmp_path / "jobs.py"))["week"]
    monkeypatch.setattr(WorkspaceProcessContext, "_start_watch_thread", lambda *_: None)  # it may miss a server
    lost = lost_run(serve, instance, job)
    queued = instance.create_run_for_job(job, remote_job_origin=origin(serve))

    with WorkspaceProcessContext(instance, target(serve)) as workspace, ExitStack() as servers:
        instance.report_dagster_event(dg.DagsterEvent.job_enqueue(queued), queued.run_id)

        def look() -> None:
            assert [*EventLogConsumerDaemon().run_iteration(workspace)]

        def meanwhile(seconds: float) -> None:
            look()
            if seconds == serve._LOADING_SECONDS:
                workspace.refresh_workspace()
            else:
                assert [*QueuedRunCoordinatorDaemon(interval_seconds=5).run_iteration(workspace)]
                servers.enter_context(code_server(serve, tmp_path / "jobs.py"))

        monkeypatch.setattr(serve, "time", SimpleNamespace(sleep=meanwhile))
        look()  # it minds what failed after its first look
        serve.fail_lost_runs(serve.lost_runs(instance))
        look()

    names = {lost.run_id: "lost", queued.run_id: "queued"}
    found = {
        names.get(run.run_id, f"{names.get(str(run.parent_run_id))}, again"): run.status for run in instance.get_runs()
    }
    failed, waiting = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.QUEUED
    assert found == {"lost": failed, "lost, again": waiting, "queued": waiting}
