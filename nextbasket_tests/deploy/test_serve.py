"""The code container: asked to stop it ends its runs first, and once started again it fails those that were lost."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest
import yaml
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test, instance_for_test

from nextbasket_tests.scripts import script

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVE = DEPLOY / "serve.py"
# As Dagster's code server does: a server below the command, and the run a spawned process below that.
SERVER = """
import multiprocessing, pathlib, signal, subprocess, sys, time

HERE = pathlib.Path(__file__).parent

def tell(line):
    with (HERE / "told").open("a") as told:
        told.write(line + "\\n")

def run(seconds):
    def end(*_):
        time.sleep(seconds)  # its cluster
        tell("the run ended")
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    tell("started")
    while True:
        time.sleep(60)

def main():
    def end(*_):
        tell("the server ended")
        sys.exit()
    if sys.argv[1] == "proxy":
        below = subprocess.Popen([sys.executable, __file__, "server", sys.argv[2]])
        signal.signal(signal.SIGTERM, lambda *_: below.terminate())
        sys.exit(below.wait())
    signal.signal(signal.SIGTERM, end)
    multiprocessing.get_context("spawn").Process(target=run, args=(float(sys.argv[2]),), daemon=True).start()
    while True:
        time.sleep(60)

if __name__ == "__main__":
    main()
"""
# Runs have a second, and so has the server, which Python keeps until its run ended.
IMPATIENT = """
import sys

from nextbasket_tests.scripts import script

serve = script("deploy/serve.py")
serve._SERVER_SECONDS = 1.0
sys.exit(serve.serve(1.0, sys.argv[1:]))
"""


@pytest.fixture
def serve() -> ModuleType:
    return script("deploy/serve.py")


def stopped(folder: Path, serving: tuple[str, ...], ending: float) -> list[str]:
    """What a server and its run told, of which the container was stopped."""
    (folder / "server.py").write_text(SERVER)
    command = [sys.executable, *serving, sys.executable, str(folder / "server.py"), "proxy", str(ending)]
    environment = os.environ | {"DAGSTER_HOME": str(folder)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as container:
        end = time.monotonic() + 60
        while not (folder / "told").exists() and time.monotonic() < end:
            time.sleep(0.1)
        container.send_signal(signal.SIGTERM)
        container.wait(timeout=120)
    with contextlib.suppress(ProcessLookupError):  # as the kernel ends what is left in a container
        os.killpg(container.pid, signal.SIGKILL)
    return (folder / "told").read_text().splitlines()


def test_a_stopped_container_ends_its_runs_before_its_server(tmp_path: Path) -> None:
    """SIGTERM to the container's process reaches a run two processes below, which has its time before the server ends."""
    assert stopped(tmp_path, (str(SERVE), "30"), ending=1.5) == ["started", "the run ended", "the server ended"]


def test_a_run_that_does_not_end_is_left_behind_in_time(tmp_path: Path) -> None:
    """A run that takes longer than it may does not keep the server from ending."""
    assert stopped(tmp_path, ("-c", IMPATIENT), ending=600) == ["started", "the server ended"]


def test_runs_of_the_former_container_are_failed(serve: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started runs that the code server launched are failed; one that was typed, is elsewhere or is new goes on."""
    (server,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    launched = {GRPC_INFO_TAG: json.dumps({"host": server["grpc_server"]["host"], "port": 4000})}
    monkeypatch.setattr(serve, "answers", lambda: True)
    monkeypatch.setattr(serve, "_LOADING_SECONDS", 0)
    elsewhere = {GRPC_INFO_TAG: json.dumps({"host": "another", "port": 4000})}
    with instance_for_test() as instance:
        runs = {
            "lost": create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=launched),
            "ended": create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=launched),
            "typed": create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED),
            "elsewhere": create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=elsewhere),
            "over": create_run_for_test(instance, status=dg.DagsterRunStatus.SUCCESS, tags=launched),
        }
        lost = serve.lost_runs(instance)
        runs["new"] = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=launched)
        instance.report_run_canceled(runs["ended"])
        serve.fail_lost_runs(lost)
        found = {name: run.status.value for name, one in runs.items() if (run := instance.get_run_by_id(one.run_id))}

    goes_on = {"typed": "STARTED", "elsewhere": "STARTED", "new": "STARTED"}
    assert found == {"lost": "FAILURE", "ended": "CANCELED", "over": "SUCCESS"} | goes_on


def test_the_server_is_the_one_of_the_workspace(serve: ModuleType) -> None:
    """It is asked where the daemon looks for it, and listens there."""
    (there,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    code = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["code"]

    assert there["grpc_server"] == {"host": serve._HOST, "port": serve._PORT, "location_name": "nextbasket"}
    assert f" -p {serve._PORT} " in code["command"]


def test_runs_have_less_time_than_the_container() -> None:
    """Docker kills after the container's time: runs and then the server end before it."""
    code = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["code"]
    given = re.search(r"serve\.py (\d+) dagster code-server", code["command"])
    whole = re.fullmatch(r"(\d+)m", code["stop_grace_period"])

    assert given is not None
    assert whole is not None
    assert int(given.group(1)) + 20 < 60 * int(whole.group(1))
