"""Row 7: one, four and sixteen times the customers of a synthetic shop: does a stage's time grow faster than its input?"""

import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import in_a_process, peak_mb, span
from benchmarks.outcome import Figure, Goal, Outcome
from benchmarks.stages import Stages
from nextbasket_assets.shop.shop import write_shop

CUSTOMERS, WEEKS = (1600, 6400, 25600), 16
SMALL_CUSTOMERS, SMALL_WEEKS = (40, 160), 3


def measure(small: bool) -> Outcome:
    """Every size in a process of its own; the exponent is the slope of log seconds over log lines from 4 x to 16 x.

    Below, what is paid once (compiling, above all) hides it.
    """
    sizes, weeks = (SMALL_CUSTOMERS, SMALL_WEEKS) if small else (CUSTOMERS, WEEKS)
    found = [_of(size, weeks) for size in sizes]
    figures = [
        Figure(f"{stage}, {one['lines']:,} lines", *spent, {"peak MB of the JVM": one["jvm_mb"]})
        for one in found
        for stage, spent in one["stages"].items()
    ]
    slopes = ", ".join(f"{stage} {slope:.2f}" for stage, slope in exponents(found).items())
    return Outcome(
        goals(found),
        figures,
        "an exponent of 1: every line is touched once, and the start is paid once",
        [
            f"exponents from 4 x to 16 x: {slopes}",
            "locally the JVM is driver and executor in one; its heap has a fixed bound (driver_memory), which it may use",
        ],
    )


def goals(found: list[dict[str, Any]]) -> list[Goal]:
    """From what each size found, the smallest first."""
    slopes = exponents(found)
    steepest = max(slopes, key=lambda stage: slopes[stage])
    memory = found[-1]["python_mb"] / found[0]["python_mb"]
    return [
        Goal(f"exponent of CPU seconds over lines, the steepest stage ({steepest})", slopes[steepest], 1.05),
        Goal("peak MB of the driver's Python, the largest shop to the smallest", memory, 1.25),
    ]


def exponents(found: list[dict[str, Any]]) -> dict[str, float]:
    """Each stage's, between the two largest sizes."""
    last = found[-2:]
    lines = [one["lines"] for one in last]
    return {stage: _slope(lines, [one["stages"][stage][1] for one in last]) for stage in found[0]["stages"]}


def _slope(lines: list[int], seconds: list[float]) -> float:
    return float(np.polyfit([math.log(n) for n in lines], [math.log(s) for s in seconds], 1)[0])


def _of(customers: int, weeks: int) -> dict[str, Any]:
    """The shop is made in one process and worked on in another, so that the peak is the driver's."""
    with tempfile.TemporaryDirectory() as folder:
        in_a_process("rows.growth", "shop", folder, str(customers), str(weeks))
        found: dict[str, Any] = in_a_process("rows.growth", "stages", folder)
        return found


def shop(folder: Path, customers: int, weeks: int) -> dict[str, Any]:
    """Weekly files of so many customers."""
    return {"lines": write_shop(folder / "landing", customers=customers, weeks=weeks, seed=1).lines}


def grown(folder: Path) -> dict[str, Any]:
    """The stages on the shop of a folder."""
    out, stages = folder / "out", Stages(folder / "out")
    weeks = stages.ingest(folder / "landing")
    stages.sequences(weeks[-1:])
    with span() as stages.spans["mission_documents"]:
        inputs = {**stages.files("staged_baskets"), **stages.files("raw_transactions")}
        outputs = {part: str(out / part) for part in ("documents", "vocabulary")}
        stages.spark.run("mission_documents", inputs, outputs, weeks=[weeks[-1].isoformat()], min_item_baskets=2)
    return {
        "lines": stages.rows()["raw_transactions"],
        "stages": {stage: one.taken() for stage, one in stages.spans.items()},
        "jvm_mb": peak_mb(stages.jvm()),
        "python_mb": peak_mb(os.getpid()),
    }


if __name__ == "__main__":
    what, place, *numbers = sys.argv[1:]
    print(json.dumps(shop(Path(place), *map(int, numbers)) if what == "shop" else grown(Path(place))))
