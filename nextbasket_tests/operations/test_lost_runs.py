"""Runs of commands that were killed end with the next command; nobody else's do."""

import os
import subprocess
from pathlib import Path

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
    """Those of this process, of another machine, of a daemon and of the UI, which repeats a run with its tags, are left.

    A process that has a dead one's number is another.
    """
    mine = process_tags()[MARK]
    recycled = f"{mine.split()[0]} {os.getpid()} 1"
    marks = {"gone": gone, "recycled": recycled, "mine": mine, "elsewhere": f"other/pid:[1] {gone.split(' ', 1)[1]}"}
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


def test_the_list_of_runs_does_not_show_processes() -> None:
    """The mark is a tag that the UI hides."""
    assert get_tag_type(MARK) is TagType.HIDDEN
