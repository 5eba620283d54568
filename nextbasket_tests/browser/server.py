"""Dagster as a user starts it, in a process group of its own that is ended with everything it started."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 120.0


@contextmanager
def served(folder: Path, environment: dict[str, str], *options: str) -> Iterator[str]:
    """`nextbasket ui` on a free port, from this folder: the webserver's address once its code location has loaded."""
    port = _free_port()
    command = [
        sys.executable,
        "-c",
        "from nextbasket_assets.cli.main import main; main()",
        "ui",
        f"--port={port}",
        *options,
    ]
    # A shell in the background ignores SIGINT and SIGTERM, and children inherit that: Dagster would never end.
    with (folder / "ui.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_restore_signals,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_loaded(address, process, folder / "ui.log")
        yield address
    finally:
        _end(process)


def ask(address: str, query: str) -> dict[str, Any]:
    """The answer to a GraphQL query."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
    return found


def _restore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_loaded(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if (
                "nodes"
                in ask(address, "{repositoriesOrError {... on RepositoryConnection {nodes {name}}}}")[
                    "repositoriesOrError"
                ]
            ):
                return
        except OSError:  # the webserver does not listen yet
            pass
        time.sleep(0.5)
    raise AssertionError(f"the UI did not come up within {_PATIENCE_SECONDS:.0f} s:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, then make it."""
    for sign, patience in ((signal.SIGINT, 20.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and _alive(process):
            time.sleep(0.2)


def _alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # reaps the leader
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
