"""Stages and their plans: what a cluster runs is what a laptop runs, and claims notice what they claim."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.utils import AnalysisException

from nextbasket_assets.columns import TABLES
from nextbasket_assets.distributed.__main__ import main
from nextbasket_assets.transforms.claims import CLAIMS
from nextbasket_assets.transforms.stages import STAGES, run
from nextbasket_assets.transforms.tables import audit
from nextbasket_tests.transforms.plans import WEEK, keep, rows
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


def tagged(**fields: Any) -> dict[str, Any]:
    """A sound row of mission_history but for these fields."""
    sound = {"mission": "M02", "confidence": 0.75, "mission_weights": [0.25, 0.75], "known_items": 1}
    named = {"week": WEEK, "basket_week": WEEK, "basket": "1", "customer": "C1", "mission_model": "v"}
    return {**named, **sound, **fields}


BREAKERS: list[tuple[str, dict[str, Any], str]] = [
    ("mission_history", tagged(mission_weights=[0.5, 0.75]), "weights add up to 1, or there are none"),
    ("mission_history", tagged(mission_weights=[float("nan"), 0.75]), "weights are numbers from 0 to 1"),
    ("mission_history", tagged(known_items=0), "a mission is assigned if and only if the model knows an item"),
    ("mission_history", tagged(confidence=0.25), "confidence is the mission's weight, 0 when unassigned"),
    ("mission_history", tagged(basket_week=date(2006, 4, 17)), "no basket is later than the model's week"),
    ("staged_baskets", {"date": date(2006, 4, 17)}, "every date lies in its week"),
    ("staged_baskets", {"hour": 24}, "hour is from 0 to 23"),
    ("staged_baskets", {"units": 7}, "units and spend are the sums over the items"),
    ("staged_baskets", {"spend": Decimal("7")}, "units and spend are the sums over the items"),
    ("staged_baskets", {"basket_size": "XL"}, "basket_size is a documented code or null"),
]


def test_claims_notice(spark: SparkSession, tmp_path: Path) -> None:
    """Every broken row is counted under the claim it breaks, and a sound row under none."""
    for table in ("mission_history", "staged_baskets"):
        sound = tagged() if table == "mission_history" else basket(1, "C1", WEEK, 9, "A", "B")
        cases = [(fields, claim) for name, fields, claim in BREAKERS if name == table]
        broken = [{**sound, **fields, "week": WEEK, "basket": str(index)} for index, (fields, _) in enumerate(cases)]
        folder = tmp_path / table

        keep(spark, folder, table, [*broken, {**sound, "basket": "sound"}, {**sound, "basket": "sound"}])
        found = audit(spark, table, str(folder / table), [])["2006-04-10"]

        assert found["rows"] == len(cases) + 2
        assert found["violations"]["every basket is there once"] == 1
        for claim in {claim for _, claim in cases}:
            assert found["violations"][claim] >= 1, claim


def test_claims_are_of_tables() -> None:
    """Every table with claims is a table of the lake."""
    assert CLAIMS.keys() <= TABLES.keys()
