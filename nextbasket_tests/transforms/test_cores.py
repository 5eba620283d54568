"""The whole road on one, two and four cores, with the files in another order: the same rows to the last bit."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.cli.warming import QUICK
from nextbasket_assets.resources import class_archive
from nextbasket_assets.resources.java import java_home
from nextbasket_tests.transforms.plans import header, line, rows
from nextbasket_tests.transforms.test_missions import planted

WEEKS = {"2006-04-10": "200607", "2006-04-17": "200608"}
TABLES = (
    *("raw_transactions", "rejected_lines", "staged_baskets", "mission_history"),
    *("mission_tagged_baskets", "mission_profiles", "customer_sequences"),
)
SCRIPT = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
from nextbasket_assets.transforms.stages import run
from nextbasket_tests.transforms.test_missions import read_sample, write_model
cores, backwards, plans = sys.argv[1], sys.argv[2] == "backwards", json.load(open(sys.argv[3]))
builder = SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", cores)
spark = builder.getOrCreate()
for plan in plans:
    if plan["stage"] == "learn":
        write_model(Path(plan["model"]), read_sample(Path(plan["model"]).parent), k=4)
        continue
    for table, patterns in plan["inputs"].items():
        found = [str(path) for pattern in patterns for path in Path(pattern).parent.parent.glob("week=*/*.parquet")]
        wanted = [path for path in found if any(Path(path).match(pattern) for pattern in patterns)]
        plan["inputs"][table] = sorted(wanted, reverse=backwards)
    run(spark, plan)
"""


@pytest.mark.slow
def test_cores_and_file_order_change_nothing(spark: SparkSession, tmp_path: Path) -> None:
    """Every table is the same, row by row, for 1, 2 and 4 cores, files forwards or backwards, blocks of 8 kB."""
    landed = _land(tmp_path)
    results = []
    for cores, order in ((1, "forwards"), (2, "backwards"), (4, "forwards")):
        folder = tmp_path / f"cores{cores}"
        folder.mkdir()
        files = landed if order == "forwards" else landed[::-1]
        (folder / "plans.json").write_text(json.dumps(_plans(files, folder)))
        environment = {**os.environ, "JAVA_TOOL_OPTIONS": f"{QUICK} {class_archive.flags(java_home())}"}
        command = [sys.executable, "-c", SCRIPT, str(cores), order, str(folder / "plans.json")]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=600)
        found = {table: (rows(spark, folder, table), _files_per_week(folder, table)) for table in TABLES}
        results.append({**found, "model": (_digests(folder / "model"), [])})

    counts = {table: len(found) for table, (found, _) in results[0].items() if table != "model"}
    assert counts.pop("mission_profiles") > 100
    assert counts == {
        "raw_transactions": 1920,
        "rejected_lines": 2,
        "staged_baskets": 480,
        "mission_history": 240,
        "mission_tagged_baskets": 240,
        "customer_sequences": 120,
    }
    assert results[0] == results[1]
    assert results[0] == results[2]


def _land(folder: Path) -> list[dict[str, Any]]:
    """Two landing files with the planted baskets and one broken line each."""
    files = []
    for index, (week, code) in enumerate(WEEKS.items()):
        lines = [
            line(
                SHOP_WEEK=code,
                SHOP_DATE=f"200604{visit['date'].day + 7 * index}",
                SHOP_WEEKDAY=str(visit["date"].isoweekday() % 7 + 1),
                CUST_CODE=visit["customer"],
                BASKET_ID=str(int(visit["basket"]) + 1000 * index),
                PROD_CODE=bought["item"],
            )
            for visit in planted()
            for bought in visit["items"]
        ]
        path = folder / f"transactions_{code}.csv"
        path.write_text("\n".join([",".join(header()), *lines, "broken", ""]))
        files.append({"uri": str(path), "name": path.name, "week": week, "header": header()})
    return files


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _files_per_week(folder: Path, table: str) -> list[int]:
    return sorted(len(list(week.glob("*.parquet"))) for week in (folder / table).glob("week=*"))


def _plans(files: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """From landing files to sequences; inputs are patterns, for the script to find the files that stages before wrote."""

    def plan(stage: str, inputs: dict[str, list[str]], *outputs: str, **parameters: Any) -> dict[str, Any]:
        patterns = {
            table: [str(folder / table / f"week={week}/*.parquet") for week in inputs[table]] for table in inputs
        }
        written = {output: str(folder / output) for output in outputs}
        return {"stage": stage, "inputs": patterns, "outputs": written, "parameters": parameters}

    weeks = list(WEEKS)
    model = str(folder / "model")
    return [
        plan("raw_transactions", {}, "raw_transactions", "rejected_lines", weeks=weeks, files=files, split_bytes=8192),
        plan("staged_baskets", {"raw_transactions": weeks}, "staged_baskets", weeks=weeks, non_merchandise=[]),
        plan(
            "mission_documents",
            {"staged_baskets": weeks[:1], "raw_transactions": weeks[:1]},
            *("documents", "vocabulary"),
            weeks=weeks[:1],
            min_item_baskets=5,
        ),
        {"stage": "learn", "model": model},
        plan("tag_baskets", {"staged_baskets": weeks[:1]}, "mission_history", weeks=weeks[:1], model=model),
        plan("tag_baskets", {"staged_baskets": weeks[1:]}, "mission_tagged_baskets", weeks=weeks[1:], model=model),
        plan(
            "mission_profiles",
            {
                "staged_baskets": weeks,
                "mission_history": weeks[:1],
                "mission_tagged_baskets": weeks[1:],
                "raw_transactions": weeks[1:],
            },
            "mission_profiles",
            weeks=weeks[1:],
        ),
        plan(
            "customer_sequences",
            {"staged_baskets": weeks, "mission_history": weeks[:1], "mission_tagged_baskets": weeks[1:]},
            "customer_sequences",
            weeks=weeks,
            mission_model="v",
        ),
    ]
