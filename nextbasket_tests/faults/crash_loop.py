"""Kill a run at its first outside change, then at its second, ... until one passes; after each kill run again and compare.

    python -m nextbasket_tests.faults.crash_loop SCENARIO FOLDER [EVERY]

Every run is a fork of a process that has imported what the first one used and opened nothing: a fork costs milliseconds, and
SIGKILL leaves exactly what a power cut of the process leaves. Prints one JSON object: points killed, and what differed.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import deltalake  # noqa: F401  (imported before the forks, as is torch)
import torch  # noqa: F401

from nextbasket_assets.crash_points import ANY, VARIABLE
from nextbasket_tests.faults.scenarios import SCENARIOS, Scenario

MOST_POINTS = 400
_KILLED = 9


def loop(scenario: Scenario, folder: Path, every: int = 1) -> dict[str, object]:
    """Kill at every point, or at every so many.

    Args:
        scenario: what to do; its preparation has run in `folder`/before.
        folder: where it all lies; `before` is copied for every attempt.
        every: 1 for all points; 5 for the first, the sixth, the eleventh, ...
    """
    wanted = _calm(scenario, folder)
    differing = []
    for killed, number in enumerate(range(1, MOST_POINTS, every)):
        found, died = _outcome(scenario, folder, number)
        if found != wanted:
            differing.append({"point": number, "differs": _difference(wanted, found)})
        if not died:
            return {"scenario": scenario.name, "killed": killed, "differing": differing}
    raise RuntimeError(f"{scenario.name}: still dying after {MOST_POINTS} points")


def _calm(scenario: Scenario, folder: Path) -> dict[str, object]:
    """What the lake holds after a run that nobody kills; imports what it used: a fourth of the time of every child to come."""
    with _copied(folder) as (now, answer):

        def outcome() -> dict[str, object]:
            scenario.act(now)
            return {"found": scenario.look(now), "modules": list(sys.modules)}

        calm: dict[str, Any] = _told(outcome, answer)
        for module in calm["modules"]:
            with suppress(ImportError):
                importlib.import_module(module)
        return dict(calm["found"])


@contextmanager
def _copied(folder: Path) -> Iterator[tuple[Path, Path]]:
    """A copy of `before` to act on, and a place for an answer; gone afterwards."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        shutil.copytree(folder / "before", place / "now")
        yield place / "now", place / "answer.json"
    finally:
        shutil.rmtree(place)


def _outcome(scenario: Scenario, folder: Path, kill_at: int) -> tuple[dict[str, object], bool]:
    """What the lake holds after a run that is killed at a point and run again; and whether it was killed."""
    with _copied(folder) as (now, answer):
        status = _fork(lambda: scenario.act(now), f"{ANY}:{kill_at}")
        if status == 0:
            return _told(lambda: scenario.look(now), answer), False
        if status != _KILLED:
            return {"run": f"failed on its own, status {status}"}, True
        _told(lambda: scenario.readable(now), answer)  # a reader between the kill and the next run
        if _fork(lambda: scenario.act(now), None):
            return {"run": "the next run failed"}, True
        return _told(lambda: scenario.look(now), answer), True


def _told(look: Callable[[], dict[str, object]], answer: Path) -> dict[str, object]:
    """What a child sees.

    Raises:
        RuntimeError: it failed; what it says of it is printed.
    """
    answer.unlink(missing_ok=True)
    if _fork(lambda: answer.write_text(json.dumps(look())), None):
        raise RuntimeError("a child that should have told what the tables hold failed")
    found: dict[str, object] = json.loads(answer.read_text())
    return found


def _fork(work: Callable[[], object], fault_at: str | None) -> int:
    """Do the work in a child: 0 when it was done, 1 when it failed, 9 when it was killed."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    failed = 1
    try:
        if fault_at:
            os.environ[VARIABLE] = fault_at
        work()
        failed = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(failed)


def _difference(wanted: dict[str, object], found: dict[str, object]) -> list[str]:
    return [key for key in sorted(wanted.keys() | found.keys()) if wanted.get(key) != found.get(key)]


if __name__ == "__main__":
    print(json.dumps(loop(SCENARIOS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 1)))
