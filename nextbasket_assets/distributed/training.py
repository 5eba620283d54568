"""The stage that trains on Spark's workers: TorchDistributor starts them, `recommender.team` is what they do."""

from dataclasses import asdict
from typing import Any

from pyspark.sql import SparkSession


def rnn_model(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """customer_sequences of a week to an artifact folder, trained by as many processes as the settings say.

    The workers read the sequence files and the first of them writes the folder, so both must be paths that every worker
    reaches: a shared disk, or a mounted bucket. The cluster needs a free slot for each process.

    Parameters:
        weeks: [as-of week].
        settings: any field of TrainingConfig, by name; `processes` among them.
        local: the processes run beside the driver instead of on workers.
    """
    from pyspark.ml.torch.distributor import TorchDistributor

    from nextbasket_assets.recommender.settings import TrainingConfig
    from nextbasket_assets.recommender.team import train_share

    parameters, (week,) = plan["parameters"], plan["parameters"]["weeks"]
    config = TrainingConfig(**parameters["settings"])
    team = TorchDistributor(config.processes, local_mode=parameters.get("local", False), use_gpu=False)
    arguments = (plan["inputs"]["customer_sequences"], week, plan["outputs"]["rnn_model"], asdict(config))
    return {"written": (), "counts": {}, "metrics": team.run(train_share, *arguments)}
