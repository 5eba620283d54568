"""Starts the code server and ends it gently: first the runs, which end their clusters, then the server.

Docker signals one process of a container alone, and Dagster's code server waits half a minute for its runs without telling
them. Runs that were lost with an earlier container are failed, for Dagster's daemon to start them again. Typed as:
python serve.py SECONDS COMMAND..., where SECONDS is how long runs may take to end.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import dagster as dg
from dagster._api.list_repositories import sync_list_repositories_grpc
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient

_RUN = b"multiprocessing.spawn"  # how Dagster's code server starts a run's process
_SERVER_SECONDS = 20.0
_HOST, _PORT = "code", 4000  # of this server, in workspace.yaml
_LOADING_SECONDS = 120.0  # in which the daemon has loaded the code of a server that answers: it tries every minute
_LOST = "The container in which this run was is gone, and its process with it. The reaper ends its cluster."


class _Stop(BaseException):
    """The container is asked to stop."""


def main(seconds: float, command: list[str]) -> int:
    """Serve, and fail beside it the runs that were lost before; the server's exit code."""
    with dg.DagsterInstance.get() as instance:
        lost = lost_runs(instance)
    if lost:
        threading.Thread(target=fail_lost_runs, args=(lost,), daemon=True).start()
    return serve(seconds, command)


def lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """What counts as started: before the server is there, no run that it launched is alive."""
    if not isinstance(instance.run_launcher, DefaultRunLauncher):
        return []
    started = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    return [run.run_id for run in started if _launched_here(run)]


def _launched_here(run: dg.DagsterRun) -> bool:
    launched = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))  # nothing of a run that somebody typed, in another process
    return bool(launched.get("host") == _HOST)


def fail_lost_runs(lost: list[str]) -> None:
    """Fail these runs once the daemon can start them again: it tries once, and never again where no server answers."""
    while not answers():
        time.sleep(5)
    time.sleep(_LOADING_SECONDS)
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs(dg.RunsFilter(run_ids=lost, statuses=[dg.DagsterRunStatus.STARTED])):
            instance.report_run_failed(run, _LOST)


def answers() -> bool:
    """Whether the server has loaded the code; without it, too, it is healthy."""
    try:
        sync_list_repositories_grpc(DagsterGrpcClient(host=_HOST, port=_PORT))
    except (DagsterUserCodeUnreachableError, DagsterUserCodeProcessError):
        return False
    return True


def serve(seconds: float, command: list[str]) -> int:
    """Run the server until it ends or the container is asked to stop; its exit code."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    server = subprocess.Popen(command)
    try:
        return server.wait()
    except _Stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_runs(server.pid, seconds)
        server.terminate()
        try:
            return server.wait(_SERVER_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            return server.wait()


def end_runs(server: int, seconds: float) -> None:
    """Signal every run below the server once, and wait until none is left or the time is up."""
    told: set[int] = set()
    end = time.monotonic() + seconds
    while (living := runs(server)) and time.monotonic() < end:
        for run in living - told:
            _signal(run)
        told |= living
        time.sleep(0.2)


def runs(server: int) -> set[int]:
    """Processes of runs below this one; what a run itself started is the run's to end."""
    found: set[int] = set()
    for child in _children(server):
        found |= {child} if _RUN in _command(child) else runs(child)
    return found


def _children(parent: int) -> list[int]:
    try:
        listed = [(task / "children").read_text() for task in Path(f"/proc/{parent}/task").iterdir()]
    except OSError:  # it ended
        return []
    return [int(child) for children in listed for child in children.split()]


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _signal(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
