"""Runs of commands that were killed end with the next command; nobody else's do."""

import os
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import TagType, get_tag_type

from nextbasket_assets.operations.lost_runs import end_lost_runs, process_tags

MARK = ".dagster/nextbasket_process"


@pytest.fixture
def gone() -> str:
    """The mark of a process of this machine that was killed."""
    with subprocess.Popen(["sleep", "60"]) as process:
        stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        process.kill()
    place = process_tags()[MARK].split()[0]
    return f"{place} {process.pid} {stat[19]}"


def test_only_the_run_of_a_process_that_is_gone_ends(tmp_path: Path, gone: str) -> None:
    """Those of this process, of another machine or container, of a daemon and of the UI, which repeats a run, are left.

    A process that has a dead one's number is another.
    """
    mine = process_tags()[MARK]
    machine, container, process = *gone.split(" ")[0].split("/"), gone.split(" ", 1)[1]
    marks = {
        "gone": gone,
        "recycled": f"{machine}/{container} {os.getpid()} 1",
        "mine": mine,
        "on another machine": f"other/{container} {process}",
        "in another container": f"{machine}/pid:[1] {process}",
    }
    job = dg.JobDefinition(name="job", graph_def=dg.GraphDefinition(name="job"))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = {
            name: instance.create_run_for_job(job, tags={MARK: mark}, status=dg.DagsterRunStatus.STARTED)
            for name, mark in marks.items()
        }
        runs["daemons"] = instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED)
        again = {"parent_run_id": runs["gone"].run_id, "root_run_id": runs["gone"].run_id}
        runs["again"] = instance.create_run_for_job(job, tags={MARK: gone}, status=dg.DagsterRunStatus.STARTED, **again)
        end_lost_runs(instance)
        found = {name: instance.get_run_by_id(run.run_id) for name, run in runs.items()}

    ended = {name for name, run in found.items() if run and run.status == dg.DagsterRunStatus.FAILURE}
    assert ended == {"gone", "recycled"}


def ended_runs(folder: Path, mark: str) -> list[str]:
    """The runs of one mark that end as lost."""
    job = dg.JobDefinition(name="job", graph_def=dg.GraphDefinition(name="job"))
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        instance.create_run_for_job(job, tags={MARK: mark}, status=dg.DagsterRunStatus.STARTED)
        end_lost_runs(instance)
        return [run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))]


def test_a_process_that_nobody_has_waited_for_is_gone(tmp_path: Path) -> None:
    """A killed process keeps its entry until its parent asks for its end; its run is over all the same."""
    with subprocess.Popen(["sleep", "60"]) as process:
        stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        ended = ended_runs(tmp_path, f"{process_tags()[MARK].split()[0]} {process.pid} {stat[19]}")

    assert len(ended) == 1


def test_a_process_may_end_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entry was opened and cannot be read any more: it is gone, and no error."""
    mark, read = process_tags()[MARK], Path.read_text

    def read_too_late(path: Path, *how: Any, **more: Any) -> str:
        if path.parts[:2] == ("/", "proc"):
            raise ProcessLookupError
        return read(path, *how, **more)

    monkeypatch.setattr(Path, "read_text", read_too_late)

    assert len(ended_runs(tmp_path, mark)) == 1


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    """Brackets and spaces in its name do not shift what is read after it."""
    own = Path("/proc/self/comm")
    before, name = process_tags(), own.read_text()
    try:
        own.write_text("a) S 1 (b")
        renamed = process_tags()
    finally:
        own.write_text(name)

    assert renamed == before


def test_no_daemon_repeats_a_commands_run() -> None:
    """Where Dagster retries runs, the one of a command is left to whoever starts the command again."""
    assert process_tags()["dagster/max_retries"] == "0"


def test_the_list_of_runs_does_not_show_processes() -> None:
    """The mark is a tag that the UI hides."""
    assert get_tag_type(MARK) is TagType.HIDDEN
