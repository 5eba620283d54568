"""The stages from baskets to missions and sequences: what is read, written and counted around the pure functions."""

import json
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.transforms import missions, sequences
from nextbasket_assets.transforms.files import read_text
from nextbasket_assets.transforms.tables import read, week_iso, write


def mission_documents(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets and raw_transactions of the training window to a sample of documents and its vocabulary.

    Parameters:
        weeks: [as-of week]; the inputs hold weeks up to it and no later.
        any field of SampleSettings, by name.

    `outputs["documents"]` becomes a folder with items (positions), held_out and half of each basket;
    `outputs["vocabulary"]` one with index, item, baskets and group (the item's category).

    Raises:
        ValueError: no item is frequent enough, or no basket holds `min_known_items` of those.
    """
    parameters, outputs = plan["parameters"], plan["outputs"]
    fields = asdict(missions.SampleSettings())
    settings = replace(missions.SampleSettings(), **{name: parameters[name] for name in fields if name in parameters})
    baskets = read(spark, "staged_baskets", plan["inputs"]["staged_baskets"])
    groups = missions.item_groups(read(spark, "raw_transactions", plan["inputs"]["raw_transactions"]))
    counted = missions.item_counts(baskets, settings.min_item_baskets).collect()
    if not counted:
        raise ValueError(
            f"no item is in {settings.min_item_baskets} baskets or more: there is nothing to learn missions from. "
            "Ingest more weeks, or lower min_item_baskets."
        )
    rows = [(index, row["item"], row["baskets"]) for index, row in enumerate(counted)]
    vocabulary = spark.createDataFrame(rows, "index int, item string, baskets long")
    known = missions.known_baskets(baskets, vocabulary).persist()
    try:
        learnable = known.where(F.size("items") >= settings.min_known_items).count()
        if not learnable:
            raise ValueError(
                f"none of {baskets.count()} baskets holds {settings.min_known_items} known items or more: there is nothing to "
                "learn. Ingest more weeks, or lower min_item_baskets or min_known_items."
            )
        _write(missions.documents(known, settings), outputs["documents"])
    finally:
        known.unpersist()
    _write(vocabulary.join(groups, "item", "left").orderBy("index").coalesce(1), outputs["vocabulary"])
    metrics = {
        "vocabulary": len(rows),
        "learnable_baskets": learnable,
        "baskets": min(learnable, settings.max_baskets),
    }
    return {"written": (), "counts": {}, "metrics": metrics}


def _write(frame: DataFrame, folder: str) -> None:
    frame.write.mode("errorifexists").parquet(folder)


def tag_baskets(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets of some weeks to mission_tagged_baskets, or to mission_history when that is the output.

    Parameters:
        weeks: for mission_tagged_baskets the baskets' weeks; for mission_history [as-of week].
        model: folder of a mission model; null tags every basket unassigned.
        files_per_week: of mission_history, whose files hold many weeks' baskets.
    """
    parameters, (output,) = plan["parameters"], plan["outputs"]
    baskets = read(spark, "staged_baskets", plan["inputs"]["staged_baskets"])
    model = parameters["model"]
    tags = missions.tagged(baskets, _topics(spark, model)) if model else missions.untagged(baskets)
    if output == "mission_history":
        as_of = F.lit(parameters["weeks"][0]).cast("date")
        spread = tags.repartition(parameters.get("files_per_week", 1), "basket")
        tags = spread.withColumn("basket_week", F.col("week")).withColumn("week", as_of)
        tags = tags.sortWithinPartitions("basket_week", "basket")
    else:
        tags = tags.sortWithinPartitions("week", "basket")
    write(tags, output, plan["outputs"][output])
    return {"written": (output,), "counts": {}, "metrics": {}}


def _topics(spark: SparkSession, folder: str) -> missions.FittedTopics:
    config = json.loads(read_text(spark, f"{folder}/config.json"))
    columns = "index int, item string, weights array<double>"
    rows = sorted(spark.read.schema(columns).parquet(f"{folder}/topics.parquet").collect())
    return missions.FittedTopics(
        vocabulary=[row["item"] for row in rows],
        weights_VK=np.array([row["weights"] for row in rows]),
        prior_K=np.array(config["mission_prior"]),
        missions=config["missions"],
        version=config["version"],
    )


def customer_sequences(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets and their tags, of all weeks that the windows hold, to customer_sequences.

    The weeks of one call share a mission model, as of week M: tags of baskets up to M are in `mission_history` (one
    partition), tags of later ones in `mission_tagged_baskets`. Both lists may be empty.

    Parameters:
        weeks: Mondays, any number.
        mission_model: version whose tags count; a basket that another version tagged later has no weights.
        window_weeks: weeks that a week looks back on, itself included.
        max_baskets: most recent baskets to keep per customer.
        files_per_week: files, and Spark tasks, that the customers are spread over.
    """
    parameters, inputs = plan["parameters"], plan["inputs"]
    baskets = read(spark, "staged_baskets", inputs["staged_baskets"])
    history = read(spark, "mission_history", inputs.get("mission_history", []))
    tags = read(spark, "mission_tagged_baskets", inputs.get("mission_tagged_baskets", []))
    tags = tags.where(F.col("mission_model") == F.lit(parameters.get("mission_model")))
    columns = ("week", "basket", "customer", "mission_weights")
    past = history.withColumn("week", F.col("basket_week")).select(*columns)
    frame = sequences.customer_sequences(
        baskets,
        past.unionByName(tags.select(*columns)),
        [date.fromisoformat(week) for week in parameters["weeks"]],
        window_weeks=parameters.get("window_weeks", 104),
        max_baskets=parameters.get("max_baskets", 200),
        files_per_week=parameters.get("files_per_week", 2),
        mission_model=parameters.get("mission_model"),
    )
    write(frame, "customer_sequences", plan["outputs"]["customer_sequences"])
    return {
        "written": ("customer_sequences",),
        "counts": {week_iso(row["week"]): _kinds(row) for row in sequences.basket_kinds(baskets).collect()},
        "metrics": {},
    }


def _kinds(row: Any) -> dict[str, Any]:
    removed = {"anonymous": row["anonymous"], "without_merchandise": row["without_merchandise"]}
    return {"rows_in": row["baskets"], "removed": removed, "rows_out": row["baskets"] - sum(removed.values())}
