"""Scored by Spark's workers or by this process: the same rows, the same bits."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark import Broadcast
from pyspark.sql import SparkSession

from nextbasket_assets.distributed import scoring as on_spark
from nextbasket_assets.distributed.stages import run
from nextbasket_assets.recommender import scoring
from nextbasket_assets.recommender.everybody import LostError
from nextbasket_assets.recommender.sequence_files import SequenceError
from nextbasket_assets.resources.java import java_home
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

WEEK = small.AS_OF.isoformat()
TABLES = ("next_basket_scores", "next_trip_outlook")
MISSIONS = ["M1", "M2"]


@dataclasses.dataclass(frozen=True)
class Shop:
    """Sequence files, a model of them, and what this process writes."""

    files: list[str]
    model: str | None
    here: dict[str, list[dict[str, Any]]]
    reports: dict[str, scoring.ScoringReport]

    def plan(self, table: str, folder: Path, files: list[str] | None = None) -> dict[str, Any]:
        """The stage's plan."""
        option: dict[str, Any] = {"k": 5} if table == "next_basket_scores" else {"missions": MISSIONS}
        return {
            "stage": table,
            "inputs": {"customer_sequences": files or self.files},
            "outputs": {table: str(folder)},
            "parameters": {"weeks": [WEEK], "model": self.model, **option},
        }


def rows(folder: Path) -> list[dict[str, Any]]:
    """Rows of a folder, sorted; floats as they are."""
    found = pq.read_table(folder, partitioning=None).to_pylist()
    return sorted(found, key=lambda row: (row["customer"], row.get("rank", 0)))


def sent(spark: SparkSession) -> set[Path]:
    """Files of what the driver broadcasts."""
    return set(Path(spark.sparkContext._temp_dir).iterdir())


def scored_here(root: Path, files: list[str], model: str | None) -> Shop:
    reports = {
        "next_basket_scores": scoring.score(files, small.AS_OF, model, str(root / "next_basket_scores"), 5),
        "next_trip_outlook": scoring.foretell(files, small.AS_OF, model, str(root / "next_trip_outlook"), MISSIONS),
    }
    return Shop(files, model, {table: rows(root / table) for table in TABLES}, reports)


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """90 customers with one to twelve baskets, some with none or with items nobody knows, in two files."""
    root = tmp_path_factory.mktemp("sequences")
    shop = {
        name: baskets[: 1 + number % 12] for number, (name, baskets) in enumerate(shops.planted(customers=90).items())
    }
    shop |= {"none": [], "unknown": [["never sold"]]}
    random = np.random.default_rng(0)
    weights = {name: random.dirichlet([0.3, 0.3], len(baskets)).tolist() for name, baskets in shop.items()}
    halves = [dict(list(shop.items())[start::2]) for start in (0, 1)]
    return [
        shops.write_sequences(root / f"week={WEEK}" / f"{number}.parquet", half, missions=weights, mission_model="m")
        for number, half in enumerate(halves)
    ]


@pytest.fixture(scope="module")
def modelled(sequences: list[str], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("modelled")
    settings = dataclasses.replace(small.SETTINGS, epochs=2, trip_steps=50, minimum_count=2)
    small.train_quietly(sequences, root / "model", settings)
    return scored_here(root, sequences, str(root / "model"))


@pytest.fixture(scope="module")
def counted(sequences: list[str], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return scored_here(tmp_path_factory.mktemp("counted"), sequences, None)


@pytest.mark.parametrize("table", [TABLES[0], pytest.param(TABLES[1], marks=pytest.mark.slow)])
def test_workers_write_what_this_process_writes(
    spark: SparkSession, modelled: Shop, tmp_path: Path, table: str
) -> None:
    """Every row, rank, reason and bit of every probability; no claim is broken, and the report is the same.

    What was sent to the workers is gone from the driver's disk at the end.
    """
    before = sent(spark)
    report = run(spark, modelled.plan(table, tmp_path / "out"))

    assert rows(tmp_path / "out") == modelled.here[table]
    audit = report["tables"][table][WEEK]
    assert audit["rows"] == len(modelled.here[table])
    assert not any(audit["violations"].values())
    here = modelled.reports[table]
    wanted = {name: getattr(here, name) for name in report["metrics"]}
    assert report["metrics"] == wanted | {"mean_probability": pytest.approx(here.mean_probability)}
    assert here.fallback_customers > 0
    assert report["metrics"]["customers_read"] == 92
    assert sent(spark) == before


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("tasks", [1, 3, 16])
def test_tasks_leave_no_trace(
    spark: SparkSession, modelled: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, tasks: int
) -> None:
    """Customers dealt to one, three or sixteen tasks, the files in the other order: the same rows.

    Shuffles are set to two tasks here, which is no limit.
    """
    monkeypatch.setattr(on_spark, "_CUSTOMERS_PER_TASK", -(-92 // tasks))
    run(spark, modelled.plan(table, tmp_path / "out", modelled.files[::-1]))

    assert len(list((tmp_path / "out").rglob("*.parquet"))) == tasks
    assert rows(tmp_path / "out") == modelled.here[table]


def test_tasks_are_by_the_customers_alone() -> None:
    """A task has at most 65,536 customers on average, of 100 million as of 70,000."""
    assert [on_spark._tasks(customers) for customers in (1, 65_536, 70_000, 100_000_000)] == [1, 1, 2, 1526]


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_without_a_model_workers_count(spark: SparkSession, counted: Shop, tmp_path: Path, table: str) -> None:
    """In the first weeks, where everybody gets the fallback: the same rows too."""
    run(spark, counted.plan(table, tmp_path / "out"))

    assert rows(tmp_path / "out") == counted.here[table]


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 4])
def test_cores_leave_no_trace(modelled: Shop, tmp_path: Path, cores: int) -> None:
    """A Spark with one or four cores, started as a step is, writes the same rows."""
    plan = modelled.plan("next_basket_scores", tmp_path / "out")
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    environment = os.environ | {"JAVA_HOME": java_home(), "PYSPARK_PYTHON": sys.executable}
    options = f"--master local[{cores}] --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 pyspark-shell"
    subprocess.run(
        [sys.executable, "-m", "nextbasket_assets.distributed", str(tmp_path / "plan.json"), str(tmp_path / "r.json")],
        env=environment | {"PYSPARK_SUBMIT_ARGS": options},
        check=True,
        capture_output=True,
        timeout=300,
    )

    assert rows(tmp_path / "out") == modelled.here["next_basket_scores"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("files", [0, 1])
def test_a_week_of_nobody_is_refused(
    spark: SparkSession, counted: Shop, tmp_path: Path, table: str, files: int
) -> None:
    """No sequences, or a file without any: the words of scoring here, and nothing is written that could be published."""
    nobody = [shops.write_sequences(tmp_path / f"week={WEEK}" / "none.parquet", {})][:files]
    with pytest.raises(SequenceError) as here:
        scoring.score(nobody, small.AS_OF, None, str(tmp_path / "here"), 5)
    plan = counted.plan(table, tmp_path / "out")
    plan["inputs"]["customer_sequences"] = nobody
    with pytest.raises(SequenceError) as there:
        run(spark, plan)

    assert str(there.value) == str(here.value)
    assert not (tmp_path / "out").exists()


def test_a_task_that_loses_its_customers_ends_the_stage(
    spark: SparkSession, counted: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two tasks writes nothing and fails not: the rows that are there break no claim."""

    def lossy(told: Broadcast, whole: Broadcast, k: int, batches: Iterator[Any]) -> Iterator[Any]:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context
        return iter(()) if context.partitionId() else on_spark._score(told, whole, k, batches)

    monkeypatch.setattr(on_spark, "_CUSTOMERS_PER_TASK", 46)
    monkeypatch.setattr(on_spark, "_score", lossy)
    with pytest.raises(LostError, match=r"92 customers were read and [3-6][0-9] were written"):
        run(spark, counted.plan("next_basket_scores", tmp_path / "out"))


@pytest.mark.slow
def test_too_long_lists_and_broken_models_end_the_stage(spark: SparkSession, modelled: Shop, tmp_path: Path) -> None:
    """What scoring here refuses, a worker refuses in the same words."""
    plan = modelled.plan("next_basket_scores", tmp_path / "long")
    plan["parameters"]["k"] = 31
    with pytest.raises(Exception, match="31 items per customer are wanted"):
        run(spark, plan)
    broken = tmp_path / "model"
    broken.mkdir()
    for file in Path(str(modelled.model)).iterdir():
        (broken / file.name).write_bytes(file.read_bytes()[:-1] if file.suffix == ".json" else file.read_bytes())
    plan = modelled.plan("next_basket_scores", tmp_path / "broken")
    plan["parameters"]["model"] = str(broken)
    with pytest.raises(Exception, match="does not have the bytes that were written"):
        run(spark, plan)
