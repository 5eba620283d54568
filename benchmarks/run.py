#!/usr/bin/env python3
"""The eight rows of work that must be fast, each beside its peers, in one run; figures go into a JSON.

    .venv/bin/python benchmarks/run.py [ROW ...] --json OUT [--small]

Rows of an OUT that is there already stay, unless they are run again. LGSR and the packed datasets are looked for in the folder
`shared` beside the repository (benchmarks/README.md says what is in it). --small does without them: it shows on a synthetic
shop that every row works, and judges nothing.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.outcome import Outcome, require_writable

ROOT = Path(__file__).resolve().parents[1]

ROWS = {
    1: "staging",
    2: "week",
    3: "backfill",
    4: "engines",
    5: "training",
    6: "scoring",
    7: "growth",
    8: "loading",
}
PACKAGES = (
    "dagster",
    "deltalake",
    "duckdb",
    "gensim",
    "numpy",
    "polars",
    "pyspark",
    "scikit-learn",
    "tomotopy",
    "torch",
)


def versions() -> dict[str, str]:
    """Of Python and of the packages that are there: without its peers a machine still measures ours."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory / 1e6, 1), "system": platform.system()}


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def commit() -> str:
    """The code that was measured."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


@dataclass(frozen=True)
class Begun:
    """When a measurement began, and of which code: what is committed meanwhile was not measured."""

    at: datetime
    commit: str

    @classmethod
    def now(cls) -> "Begun":
        """Before the work."""
        return cls(datetime.now(UTC), commit())


def entry(outcome: Outcome, command: str, begun: Begun, *, judged: bool) -> dict[str, Any]:
    """A row of the JSON: what was found, and by which command, when, of which code, on which machine and how busy."""
    return {
        **outcome.as_json(judged=judged),
        "command": command,
        "measured": begun.at.strftime("%Y-%m-%d %H:%M UTC"),
        "commit": begun.commit,
        "load_average": os.getloadavg()[0],
        "machine": machine(),
        "versions": versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="1 to 8; all of them by default")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--small", action="store_true", help="small inputs, no judgement: does every row work?")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"there is no row {min(unknown)}: choose from 1 to {max(ROWS)}")
    require_writable(parser, arguments.json)
    found = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
    for number in arguments.rows or ROWS:
        begun = Begun.now()
        outcome = importlib.import_module(f"benchmarks.rows.{ROWS[number]}").measure(arguments.small)
        command = f"benchmarks/run.py {number} --json OUT" + (" --small" if arguments.small else "")
        row = entry(outcome, command, begun, judged=not arguments.small)
        found[str(number)] = {**row, "small": arguments.small}
        arguments.json.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(f"row {number}: {'; '.join(f'{goal.what}: {goal.value:.3g}' for goal in outcome.goals)}", flush=True)


if __name__ == "__main__":
    main()
