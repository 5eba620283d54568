"""The benchmarks work, and their page says what was measured. Nothing here judges a time."""

import importlib
import json
import math
import os
import platform
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from benchmarks.outcome import Figure, Goal, Outcome
from benchmarks.render import FIGURES, page
from benchmarks.run import ROWS, main
from nextbasket_tests.small_spark import IN_ALL_JVMS

ROOT = Path(__file__).resolve().parents[2]
HANGS = 3600  # seconds: what a hang takes, and no slow machine


@pytest.mark.slow
def test_every_row_runs_on_small_data(tmp_path: Path) -> None:
    """`--small` measures all rows without LGSR, has ratio and goal of each, and judges none."""
    halves = {tmp_path / "odd.json": "1357", tmp_path / "even.json": "2468"}
    start = [sys.executable, "benchmarks/run.py", "--small", "--json"]
    running = [
        subprocess.Popen([*start, str(out), *rows], cwd=ROOT, env={**os.environ, **IN_ALL_JVMS})
        for out, rows in halves.items()
    ]

    assert [half.wait(timeout=HANGS) for half in running] == [0, 0]

    found: dict[str, Any] = {}
    for out in halves:
        found |= json.loads(out.read_text())
    rows = {number: found[str(number)] for number in ROWS}
    assert all(math.isfinite(row["ratio"]) and row["goal"] > 0 for row in rows.values())
    assert {row["met"] for row in rows.values()} == {None}
    assert all(figure["wall_seconds"] > 0 for row in rows.values() for figure in row["figures"])
    assert all(row["machine"]["cores"] >= 1 and "python" in row["versions"] for row in rows.values())
    assert "Not measured" not in page(found)


def test_goals_are_held_from_their_side() -> None:
    """A bound is met by less when it is a most, by more when it is a least, and a row only when all its goals are."""
    most, least = Goal("seconds", 15.0, 15.0), Goal("rate", 4_999.0, 5_000.0, at_least=True)

    row = Outcome([most, least], [Figure("a", 1.0)], "none").as_json(judged=True)

    assert (most.met, least.met) == (True, False)
    assert (row["ratio"], row["goal"], row["met"]) == (15.0, 15.0, False)


def test_a_row_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A row number beyond the rows is an error that names them, and nothing is measured."""
    command = [sys.executable, "benchmarks/run.py", "9", "--json", str(tmp_path / "out.json")]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert refused.returncode == 2
    assert "there is no row 9: choose from 1 to 8" in refused.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    """A folder that is not there, or a folder where the file should be, is an error at once."""
    for out in (tmp_path / "nowhere" / "out.json", tmp_path):
        command = [sys.executable, "benchmarks/run.py", "8", "--small", "--json", str(out)]
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

        assert refused.returncode == 2
        assert f"{out} cannot be written: name a file in a folder that is there" in refused.stderr
        assert refused.stdout == ""


def test_a_row_from_another_machine_says_so() -> None:
    """The page's head is what most rows were measured on; the others tell in what they differ, and nothing else."""
    outcome = Outcome([Goal("seconds", 1.0, 2.0)], [Figure("a", 1.0)], "none").as_json(judged=True)
    row = {**outcome, "command": "run", "measured": "today", "commit": "c0ffee", "load_average": 1.0}
    usual = {"machine": {"cores": 2, "system": "Linux"}, "versions": {"numpy": "2.4", "torch": "2.13"}}
    other = {"machine": {"cores": 64, "system": "Linux"}, "versions": {"numpy": "2.4", "torch": "2.11"}}

    shown = page({"1": {**row, **other}, "2": {**row, **usual}, "3": {**row, **usual}})

    assert "\nWhere a row says nothing else: 2 cores, Linux; numpy 2.4, torch 2.13.\n" in shown
    assert [line.partition("at its end")[2] for line in shown.splitlines() if "at its end" in line] == [
        ", on 64 cores; torch 2.11.",
        ".",
        ".",
    ]


def test_rows_that_stay_keep_their_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new row is written beside an old one of another machine and version, which stays as it was."""
    old = {"machine": {"cores": 64}, "versions": {"torch": "1.0"}}
    out = tmp_path / "out.json"
    out.write_text(json.dumps({"1": old}))
    row = types.SimpleNamespace(measure=lambda small: Outcome([Goal("seconds", 1.0, 2.0)], [Figure("a", 1.0)], "none"))
    monkeypatch.setattr(importlib, "import_module", lambda name: row)
    monkeypatch.setattr(sys, "argv", ["run.py", "2", "--json", str(out)])
    main()
    found = json.loads(out.read_text())

    assert found["1"] == old
    assert found["2"]["machine"]["cores"] == os.cpu_count()
    assert found["2"]["versions"]["python"] == platform.python_version()
    assert set(found) == {"1", "2"}


def test_the_page_is_the_figures() -> None:
    """benchmarks/README.md is what render.py makes of the committed figures, to the letter."""
    assert (ROOT / "benchmarks" / "README.md").read_text() == page(json.loads(FIGURES.read_text()))
