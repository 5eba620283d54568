"""P1, P2, P3: a process killed at any point between two outside changes loses nothing, and the next run repairs the rest."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nextbasket_tests.faults.scenarios import JOBS, PUBLICATIONS, Scenario

EVERY = int(os.environ.get("CRASH_EVERY", "8"))  # of a job's points in CI; 1 by hand: all of them, half an hour


def killed_everywhere(scenario: Scenario, folder: Path, every: int = 1) -> dict[str, Any]:
    """The report of the crash loop, which runs in a process of its own so that it may fork."""
    scenario.prepare(folder)
    command = [sys.executable, "-m", "nextbasket_tests.faults.crash_loop", scenario.name, str(folder), str(every)]
    loop = subprocess.run(command, capture_output=True, text=True, check=False)
    assert loop.returncode == 0, loop.stderr[-3000:]
    report: dict[str, Any] = json.loads(loop.stdout.splitlines()[-1])
    return report


@pytest.mark.slow
@pytest.mark.parametrize("scenario", PUBLICATIONS, ids=lambda scenario: scenario.name)
def test_p3_killed_while_publishing(scenario: Scenario, tmp_path: Path, record_property: Any) -> None:
    """Killed at each write and commit: readers see old or new, the next run ends like a calm one, nothing lies about."""
    report = killed_everywhere(scenario, tmp_path)
    record_property("killed", report["killed"])

    assert report["killed"] >= 4
    assert report["differing"] == []


@pytest.mark.slow
@pytest.mark.parametrize("scenario", JOBS, ids=lambda scenario: scenario.name)
def test_p1_killed_during_a_job(scenario: Scenario, recorded: Path, record_property: Any) -> None:
    """A whole job killed at its outside changes, half-written files of Spark's included, and run again."""
    report = killed_everywhere(scenario, recorded, EVERY)
    record_property("killed", report["killed"])

    assert report["killed"] >= 15 // EVERY
    assert report["differing"] == []
