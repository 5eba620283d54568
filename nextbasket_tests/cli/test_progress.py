"""Progress: what is left is judged by what is done."""

import os
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nextbasket_assets.cli.bars import left
from nextbasket_assets.cli.progress import Progress, cost, made_line, progress_logger


@pytest.mark.parametrize(
    ("share", "then", "now", "words"),
    [
        (0.0, 0.0, 50.0, ""),
        (0.5, 60.0, 60.0, "0:01:00 left"),
        (0.5, 60.0, 90.0, "0:00:30 left"),
        (0.5, 60.0, 130.0, ""),
        (0.1, 30.0, 30.0, "0:04:30 left"),
    ],
)
def test_the_time_left_counts_down_at_the_pace_of_what_is_done(
    share: float, then: float, now: float, words: str
) -> None:
    """Nothing is foretold before anything is done; a step that outlasts the rest of the work is not called nearly done."""
    assert left(share, then, now) == words


def test_long_steps_and_many_weeks_cost_more() -> None:
    """Training outweighs scoring; fifteen weeks in one session cost less than fifteen times one."""
    assert cost("rnn_model", 1) > 10 * cost("next_basket_scores", 1)
    assert cost("raw_transactions", 1) < cost("raw_transactions", 15) < 15 * cost("raw_transactions", 1)
    assert cost("a_step_of_tomorrow", 1) > 0


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """No bar, no colours, nothing on stdout."""
    progress = Progress()
    with progress.over([(["raw_transactions"], 1)]):
        progress.begin("raw_transactions")
        progress.say(f"week of {date(2006, 4, 10)}")
        progress.end("raw_transactions", 1)
    captured = capsys.readouterr()

    assert captured.err == "week of 2006-04-10\n"
    assert captured.out == ""


def test_a_table_of_many_weeks_is_one_line() -> None:
    """It names the first and the last week, and the rows of both; a model has no rows."""
    weeks = {"2006-04-17": 1_700, "2006-04-10": 1_628}

    assert made_line("raw_transactions", weeks, 27.94).split() == [
        *("raw_transactions", "200607-200608", "3,328", "rows", "27.9", "s")
    ]
    assert made_line("rnn_model", {"2006-04-10": None}, 22.9).split() == ["rnn_model", "200607", "22.9", "s"]


def run(home: Path, progress: Progress) -> None:
    """A run of one asset, with its output in files as in the commands' runs."""

    @dg.asset
    def raw_transactions() -> None: ...

    job = dg.define_asset_job("score_week")
    found = dg.Definitions([raw_transactions], jobs=[job], loggers={"console": progress_logger(progress)})
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        found.resolve_job_def("score_week").execute_in_process({"loggers": {"console": {}}}, instance=instance)


def test_no_line_waits_for_the_copy_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line is there, although what copies a run's stderr did not come to it before the run ended."""
    tail = tmp_path / "tail"
    tail.write_text("#!/bin/sh\nexec sleep 60\n")
    tail.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    progress = Progress()
    with progress.over([(["raw_transactions"], 1)]):
        run(tmp_path, progress)

    assert [line.split()[0] for line in capfd.readouterr().err.splitlines()] == ["raw_transactions"]


def test_the_work_goes_on_when_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe whose reader has gone stops no run: its lines are for nobody."""
    reader, writer = os.pipe()
    os.close(reader)
    progress, done = Progress(), []
    with os.fdopen(writer, "w") as stream, monkeypatch.context() as gone:
        gone.setattr("sys.stderr", stream)
        with progress.over([(["raw_transactions"], 1)]):
            progress.say("week of 2006-04-10")
            done.append("raw_transactions")

    assert done == ["raw_transactions"]
