"""Stages and their plans: what a cluster runs is what a laptop runs."""

import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.utils import AnalysisException

from nextbasket_assets.distributed.__main__ import main
from nextbasket_assets.transforms.stages import STAGES, run
from nextbasket_tests.transforms.plans import keep, rows
from nextbasket_tests.transforms.test_sequences import basket

TUESDAY = date(2006, 4, 11)


def test_a_plan_from_a_file(spark: SparkSession, tmp_path: Path) -> None:
    """A plan read from a file gives the rows and the report that the same plan gives in process, and never overwrites."""
    files = keep(spark, tmp_path, "staged_baskets", [basket(1, "C1", TUESDAY, 9, "A")])
    plan = {
        "stage": "customer_sequences",
        "inputs": {"staged_baskets": files},
        "outputs": {"customer_sequences": str(tmp_path / "in process")},
        "parameters": {"weeks": ["2006-04-10"]},
    }
    filed = {**plan, "outputs": {"customer_sequences": str(tmp_path / "customer_sequences")}}
    (tmp_path / "plan.json").write_text(json.dumps(filed))

    main(spark, str(tmp_path / "plan.json"), str(tmp_path / "report.json"))

    report = json.loads((tmp_path / "report.json").read_text())
    assert {**report, "seconds": 0} == {**run(spark, plan), "seconds": 0}
    assert report["tables"]["customer_sequences"]["2006-04-10"]["rows"] == len(
        rows(spark, tmp_path, "customer_sequences")
    )
    with pytest.raises(AnalysisException, match="already exists"):
        run(spark, plan)


def test_unknown_stage(spark: SparkSession) -> None:
    """A plan for a stage that does not exist names the ones that do."""
    with pytest.raises(ValueError, match=f"'missions': choose from {', '.join(STAGES)}"):
        run(spark, {"stage": "missions"})


def test_session_settings_do_not_reach_results(spark: SparkSession, tmp_path: Path) -> None:
    """A session that would skip corrupt files is corrected, so that half a file is an error and not half a week."""
    (file,) = keep(spark, tmp_path, "staged_baskets", [basket(1, "C1", TUESDAY, 9, "A")])
    Path(file).write_bytes(Path(file).read_bytes()[:-200])
    Path(file).with_name(f".{Path(file).name}.crc").unlink()
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")

    with pytest.raises(Exception, match="parquet"):
        run(
            spark,
            {
                "stage": "customer_sequences",
                "inputs": {"staged_baskets": [file]},
                "outputs": {"customer_sequences": str(tmp_path / "out")},
                "parameters": {"weeks": ["2006-04-10"]},
            },
        )
