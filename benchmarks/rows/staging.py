"""Row 1: weekly files to staged baskets, and on to customer sequences, beside DuckDB, Polars and the original's way.

Spark alone also numbers the lines, keeps the text of rejected ones, looks for conflicting baskets and audits what it wrote.
The engines must agree on the rows.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clock import in_a_process, peak_mb
from benchmarks.inputs import landing
from benchmarks.original_way import original
from benchmarks.outcome import Figure, Goal, Outcome
from benchmarks.rivals import THREADS, duckdb, polars
from benchmarks.stages import Stages

ORIGINAL_WEEKS = (
    47  # half of them: the original's list of anonymous baskets grows with their square, to ten minutes and more
)
TRIED = (
    "a profile of 94 weeks: of Spark's CPU two thirds are the tasks, a quarter the JVM's compilers, which 24 weeks keep "
    "nearly as busy as 94, and 6 seconds planning. What helped: docs/decisions/0070"
)
LAST_WEEK_ONLY = -1
STEPS = ("staging", "sequences")


def spark(folder: Path, out: Path) -> dict[str, Any]:
    """The project's own stages."""
    stages = Stages(out)
    weeks = stages.ingest(folder)
    stages.sequences(weeks[LAST_WEEK_ONLY:])
    spans = stages.spans
    spans["staged_baskets"].add(spans["raw_transactions"])
    found = {"staging": spans["staged_baskets"].taken(), "sequences": spans["customer_sequences"].taken()}
    return {**found, "start": stages.start.taken(), "rows": stages.rows(), "peak_mb": peak_mb(stages.jvm())}


ENGINES = {"Spark stages": spark, "DuckDB": duckdb, "Polars": polars, "the original's way": original}


def measure(small: bool) -> Outcome:
    """Every engine once, in a process of its own on the same number of threads."""
    with landing(small) as folder:
        found = {engine: _run(engine, folder) for engine in ("Spark stages", "DuckDB", "Polars")}
    _agreed(found)
    with landing(small, ORIGINAL_WEEKS) as folder:
        theirs = _run("the original's way", folder)
        ours = found["Spark stages"] if small else _run("Spark stages", folder)
    few = f" ({ORIGINAL_WEEKS} weeks)"
    duck, mine = found["DuckDB"], found["Spark stages"]
    figures = [figure for engine, one in found.items() for figure in _figures(engine, one)]
    figures += [*_figures("Spark stages" + few, ours), *_figures("the original's way" + few, theirs)]
    figures += [Figure(f"the original's way{few}, sequences without anonymous lines", *theirs["named"])]
    lines = mine["rows"]["raw_transactions"]
    return Outcome(
        goals(mine, duck, ours, theirs),
        figures,
        f"{lines:,} lines to parse; DuckDB's {duck['staging'][1] / lines * 1e6:.1f} CPU microseconds a line are the floor "
        f"that was seen, Spark takes {mine['staging'][1] / lines * 1e6:.1f}: "
        f"{duck['staging'][1] / mine['staging'][1]:.0%} of the limit",
        [
            f"{THREADS} threads each; starting the JVM is a figure of its own and in no ratio",
            f"by CPU seconds, staging by Spark to DuckDB is {mine['staging'][1] / duck['staging'][1]:.3g}: the JVM's compilers "
            "and collector work beside the tasks",
            "the original's way makes one customer of all anonymous baskets, which no other engine does, and nearly all of its "
            f"time is theirs; without their lines its sequences take {theirs['named'][0] / ours['sequences'][0]:.3g} times as "
            "long as ours",
            TRIED,
        ],
    )


def goals(spark: dict[str, Any], duck: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> list[Goal]:
    """From (wall, CPU) seconds by step: all weeks by Spark and by DuckDB, the fewer ones by ours and the original's way."""
    back = theirs["sequences"][0] / ours["sequences"][0]
    return [
        Goal("wall, staging by Spark to DuckDB", spark["staging"][0] / duck["staging"][0], 4.0),
        Goal("wall, sequences by the original's way to ours", back, 10.0, at_least=True),
    ]


def _figures(engine: str, found: dict[str, Any]) -> list[Figure]:
    steps = ("start", *STEPS) if "start" in found else STEPS
    rows = {"lines": "raw_transactions", "baskets": "staged_baskets"}
    more = {name: found["rows"][table] for name, table in rows.items() if table in found["rows"]}
    more |= {"peak MB": found["peak_mb"]} if "peak_mb" in found else {}
    return [Figure(f"{engine}, {step}", *found[step], more if step in STEPS else {}) for step in steps]


def _agreed(found: dict[str, dict[str, Any]]) -> None:
    rows = {engine: one["rows"] for engine, one in found.items()}
    if any(one != rows["DuckDB"] for one in rows.values()):
        raise RuntimeError(f"the engines disagree on the rows, so their times say nothing: {rows}")


def _run(engine: str, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = in_a_process("rows.staging", engine, str(folder), POLARS_MAX_THREADS=str(THREADS))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as out:
        print(json.dumps(ENGINES[sys.argv[1]](Path(sys.argv[2]), Path(out))))
