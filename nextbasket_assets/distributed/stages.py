"""All stages by name: those of `transforms`, and those whose workers run the recommender."""

from typing import Any

from pyspark.sql import SparkSession

from nextbasket_assets.distributed import scoring, training
from nextbasket_assets.transforms import stages

STAGES = {
    **stages.STAGES,
    "rnn_model": training.rnn_model,
    "next_basket_scores": scoring.next_basket_scores,
    "next_trip_outlook": scoring.next_trip_outlook,
}


def run(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Run the plan's stage; see `transforms.stages.run`."""
    return stages.run(spark, plan, STAGES)
