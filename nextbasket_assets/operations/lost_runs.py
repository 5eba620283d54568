"""Runs that a command executes in its own process: whose they are, and the end of those whose process is gone.

No daemon watches such a run. One that was killed would stay unfinished for ever, and what it had staged with it.
"""

import os
import socket
from pathlib import Path

import dagster as dg

from nextbasket_assets.assets.publishing import UNFINISHED

# The UI hides tags of this prefix: a number of a process says nothing to a reader of runs.
_PROCESS, _RETRIES = ".dagster/nextbasket_process", "dagster/max_retries"
_STATE, _STARTED = 0, 19  # of /proc/PID/stat, after the name


def process_tags() -> dict[str, str]:
    """Tags of a run of this process; when it dies, the command is to be started again, and no daemon does it beside."""
    return {_PROCESS: f"{_place()} {os.getpid()} {_started(os.getpid())}", _RETRIES: "0"}


def end_lost_runs(instance: dg.DagsterInstance) -> None:
    """Report as failed the runs of commands of this machine whose process is gone."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        again = run.parent_run_id is not None  # the UI's, with the tags of the run that it repeats
        if not again and _is_lost(run.tags.get(_PROCESS, "")):
            instance.report_run_failed(run, "The process of this run is gone: its command was killed or interrupted.")


def _is_lost(mark: str) -> bool:
    """Whether the process of a mark was here and is not; of another machine or container nobody knows."""
    place, _, process = mark.partition(" ")
    pid, _, started = process.partition(" ")
    return place == _place() and _started(int(pid)) != started


def _place() -> str:
    """Where a process's number means something: the machine, and the container."""
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"


def _started(pid: int) -> str | None:
    """When a process started, in ticks: another one may get its number. None when it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if told[_STATE] == "Z" else told[_STARTED]
