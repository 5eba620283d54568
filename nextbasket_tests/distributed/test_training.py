"""Training on Spark's workers."""

import dataclasses
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.distributed.stages import run
from nextbasket_assets.recommender import artifact
from nextbasket_assets.recommender.team import launch
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


@pytest.mark.slow
def test_two_workers_of_spark_train_one_model(spark: SparkSession, tmp_path: Path) -> None:
    """TorchDistributor with two tasks: one artifact that verifies, and the report is of it, whichever task told it.

    Its bits are those of two processes of torchrun; one process makes others.
    """
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=60))
    settings = dataclasses.replace(small.SETTINGS, epochs=2, trip_steps=20, processes=2)
    plan = {
        "stage": "rnn_model",
        "inputs": {"customer_sequences": [file]},
        "outputs": {"rnn_model": str(tmp_path / "model")},
        "parameters": {"weeks": [small.AS_OF.isoformat()], "settings": dataclasses.asdict(settings)},
    }
    report = run(spark, plan)

    loaded = artifact.load(str(tmp_path / "model"))
    assert report["metrics"]["version"] == loaded.version
    assert report["metrics"]["digest"] == loaded.digest
    assert len(report["metrics"]["epochs"]) == 2
    assert report["metrics"]["digest"] == launch([file], small.AS_OF, str(tmp_path / "here"), settings)["digest"]
