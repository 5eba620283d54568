"""Memory of reading, ingesting and scoring stays flat when the input grows twentyfold; each measured in a process of its own.

A week of ten million lines by hand: MEMORY_LINES=10000000 (six minutes on two quiet cores, 2 GB of disk).
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nextbasket_tests import shops
from nextbasket_tests.recommender import small
from nextbasket_tests.transforms.plans import header, line

GROWTH = 20
WHOLE_WEEK = int(os.environ.get("MEMORY_LINES", "400000"))
BLOCK = 20_000  # lines that are written by hand; the rest are copies with other basket ids
MEGABYTE = 1 << 20
# Most bytes of a process alone: ru_maxrss starts at what the process that started it once had.
HELD = """
def held(pid="self"):
    return [int(row.split()[1]) * 1024 for row in open(f"/proc/{pid}/status") if row.startswith("VmHWM")][0]
"""
PEAK = "\nprint(held())"
INSPECT = """
import sys
from nextbasket_assets.landing import inspect
with open(sys.argv[1], "rb") as stream:
    assert inspect(stream, "transactions_200607.csv").lines == int(sys.argv[2])
"""
SCORE = """
import sys, datetime
from nextbasket_assets.recommender.scoring import score
report = score([sys.argv[1]], datetime.date.fromisoformat(sys.argv[2]), sys.argv[3], sys.argv[4], 5)
assert report.customers == int(sys.argv[5])
"""
INGEST = """
import sys
from nextbasket_assets.resources.spark import LocalSparkResource
from nextbasket_tests.transforms.plans import header
options = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
spark = LocalSparkResource(master="local[2]", driver_memory="500m", java_options=options)
file = {"uri": sys.argv[1], "name": "transactions_200607.csv", "week": "2006-04-10", "header": header()}
outputs = {table: f"{sys.argv[2]}/{table}" for table in ("raw_transactions", "rejected_lines")}
report = spark.run("raw_transactions", {}, outputs, weeks=["2006-04-10"], files=[file])
assert report.counts["2006-04-10"]["rows_out"] == int(sys.argv[3])
jvm = spark.session()._jvm.java.lang.ProcessHandle.current().pid()
print(held(jvm))
"""

BASKETS = """
import glob, sys, time
from nextbasket_assets.landing import inspect
from nextbasket_assets.resources.spark import LocalSparkResource
path, out, lines = sys.argv[1], sys.argv[2], int(sys.argv[3])
name, weeks, began = path.rsplit("/", 1)[-1], ["2006-04-10"], time.monotonic()
with open(path, "rb") as stream:
    landed = inspect(stream, name)
spark = LocalSparkResource()  # as the product starts it
file = {"uri": path, "name": name, "week": weeks[0], "header": list(landed.header)}
outputs = {table: f"{out}/{table}" for table in ("raw_transactions", "rejected_lines")}
raw = spark.run("raw_transactions", {}, outputs, weeks=weeks, files=[file])
inputs = {"raw_transactions": glob.glob(f"{out}/raw_transactions/*/*.parquet")}
staged = spark.run("staged_baskets", inputs, {"staged_baskets": f"{out}/baskets"}, weeks=weeks, non_merchandise=[])
assert landed.lines == raw.counts[weeks[0]]["rows_out"] == staged.counts[weeks[0]]["rows_out"] == lines
jvm = spark.session()._jvm.java.lang.ProcessHandle.current().pid()
print(f"JVM {held(jvm) >> 20} MB, Python {held() >> 20} MB, {time.monotonic() - began:.0f} s", file=sys.stderr)
print(held(jvm) + held())
"""


def peak(code: str, *arguments: object) -> int:
    """Bytes: what the process printed last."""
    ran = subprocess.run(
        [sys.executable, "-c", HELD + code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    print(ran.stderr[-100:])
    return int(ran.stdout.split()[-1])


def landed(path: Path, lines: int) -> Path:
    """A weekly file of so many sound lines, written piece by piece."""
    with path.open("w") as stream:
        stream.write(",".join(header()) + "\n")
        for number in range(lines):
            stream.write(line(BASKET_ID=f"9941001{number // 8:08d}", PROD_CODE=f"PRD{number % 4000:07d}") + "\n")
    return path


@pytest.mark.slow
def test_a_landing_file_is_read_in_constant_memory(tmp_path: Path) -> None:
    """Twenty times the file, the same memory but for 5 MB."""
    peaks = []
    for lines in (20_000, 20_000 * GROWTH):
        peaks.append(peak(INSPECT + PEAK, landed(tmp_path / "week.csv", lines), lines))

    assert peaks[1] < peaks[0] + 5 * MEGABYTE, peaks


@pytest.mark.slow
def test_a_week_is_ingested_in_constant_memory(tmp_path: Path) -> None:
    """Twenty times the lines through Spark with a heap of 500 MB: the JVM stays below 1 GB both times."""
    peaks = []
    for lines in (25_000, 25_000 * GROWTH):
        peaks.append(peak(INGEST, landed(tmp_path / "week.csv", lines), tmp_path / f"out-{lines}", lines))

    assert max(peaks) < 1024 * MEGABYTE, peaks


def replicated(path: Path, lines: int) -> Path:
    """A compressed weekly file of so many lines: a block of them again and again, each time with other basket ids."""
    rows = (line(BASKET_ID=f"9941{number // 8:06d}#", PROD_CODE=f"PRD{number % 4000:07d}") for number in range(BLOCK))
    block = ("\n".join(rows) + "\n").encode()
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write((",".join(header()) + "\n").encode())
        for copy in range(lines // BLOCK):
            stream.write(block.replace(b"#", b"%05d" % copy))
    return path


@pytest.mark.slow
def test_a_whole_week_becomes_baskets_below_four_gigabytes(tmp_path: Path) -> None:
    """A compressed week, read, typed and gathered into baskets with the shipped settings: JVM and Python below 4 GB."""
    week = replicated(tmp_path / "transactions_200607.csv.gz", WHOLE_WEEK)

    assert peak(BASKETS, week, tmp_path / "out", WHOLE_WEEK) < 4096 * MEGABYTE


@pytest.mark.slow
def test_scoring_is_in_constant_memory(tmp_path: Path) -> None:
    """Twenty times the customers, at most half as much again."""
    _, model = small.trained(tmp_path, shops.planted(customers=40))
    peaks = []
    for customers in (2_000, 2_000 * GROWTH):
        file = shops.write_sequences(tmp_path / f"{customers}.parquet", shops.planted(customers=customers))
        peaks.append(peak(SCORE + PEAK, file, small.AS_OF, model, tmp_path / f"out-{customers}", customers))

    assert peaks[1] < 1.5 * peaks[0], peaks
