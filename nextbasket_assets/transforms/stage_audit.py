"""The stages that only look: claims about files that another engine wrote, and baskets that replay earlier ones."""

from typing import Any

from pyspark.sql import SparkSession

from nextbasket_assets.transforms.replays import replay_counts
from nextbasket_assets.transforms.tables import read, week_iso


def audit_files(_: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Write nothing; `stages.run` counts rows and broken claims of the folders in `outputs`, which are there already."""
    return {"written": tuple(plan["outputs"]), "counts": {}, "metrics": {}}


def replayed_baskets(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Count the baskets that replay an earlier week's.

    Parameters:
        weeks: Mondays to report; the input holds them and the weeks before them.
    """
    baskets = read(spark, "staged_baskets", plan["inputs"]["staged_baskets"])
    found = {week_iso(row["week"]): row for row in replay_counts(baskets).collect()}
    asked = [week for week in plan["parameters"]["weeks"] if week in found]
    counts = {week: {"baskets": found[week]["baskets"], "replayed": found[week]["replayed"]} for week in asked}
    return {"written": (), "counts": counts, "metrics": {}}
