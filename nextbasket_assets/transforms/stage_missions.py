"""The stages from baskets to missions and sequences: what is read, written and counted around the pure functions."""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import LocalLDAModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.transforms import missions, sequences
from nextbasket_assets.transforms.files import read_text, write_text
from nextbasket_assets.transforms.tables import read, week_iso, write


def mission_model(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets of the training window to a topic model and its mission_topics.

    Parameters:
        weeks: [as-of week]; the inputs hold weeks up to it and no later.
        version: the model's version.
        any field of MissionSettings, by name.

    `outputs["model"]` becomes a folder: lda/ (Spark's model), vocabulary.parquet/, config.json.

    Raises:
        ValueError: too few items or baskets to learn from.
    """
    parameters = plan["parameters"]
    settings = replace(
        missions.MissionSettings(),
        **{name: parameters[name] for name in asdict(missions.MissionSettings()) if name in parameters},
    )
    baskets = read(spark, "staged_baskets", plan["inputs"]["staged_baskets"])
    counted = missions.item_counts(baskets, settings.min_item_baskets).collect()
    vocabulary, counts = [row["item"] for row in counted], np.array([row["baskets"] for row in counted], np.float64)
    if len(vocabulary) < settings.k:
        raise ValueError(
            f"{len(vocabulary)} items are in {settings.min_item_baskets} baskets or more: too few for {settings.k} "
            "missions. Ingest more weeks, or lower k or min_item_baskets."
        )
    documents = missions.documents(baskets, vocabulary, settings.max_quantity)
    learnable = documents.where(documents["known_items"] >= settings.min_known_items).count()
    sample = missions.training_sample(documents, settings, min(1.0, settings.max_baskets / max(learnable, 1))).persist()
    try:
        sampled = sample.count()
        if not sampled:
            raise ValueError("no basket holds two known items: there is nothing to learn. Ingest more weeks.")
        model = missions.fit(sample, settings)
    finally:
        sample.unpersist()
    topics = model.topicsMatrix().toArray()
    order = missions.mission_order(topics)
    # Spark puts random names into the files of a model, so their digests say nothing about it; this one does.
    digest = hashlib.sha256(topics.tobytes() + "\n".join(vocabulary).encode()).hexdigest()
    config = {**asdict(settings), "version": parameters["version"], "order": order, "topics_sha256": digest}
    _save(spark, plan, model, counted, config)
    _write_topics(spark, plan, topics, vocabulary, counts, settings.topic_items)
    return {
        "written": ("mission_topics",),
        "counts": {},
        "metrics": {"vocabulary": len(vocabulary), "learnable_baskets": learnable, "baskets": sampled},
    }


def _save(
    spark: SparkSession, plan: dict[str, Any], model: LocalLDAModel, items: list[Any], config: dict[str, Any]
) -> None:
    folder = plan["outputs"]["model"]
    model.write().save(f"{folder}/lda")
    rows = [(index, row["item"], row["baskets"]) for index, row in enumerate(items)]
    frame = spark.createDataFrame(rows, "index int, item string, baskets long").coalesce(1)
    frame.write.mode("errorifexists").parquet(f"{folder}/vocabulary.parquet")
    write_text(spark, f"{folder}/config.json", json.dumps(config, indent=1, sort_keys=True))


def _write_topics(
    spark: SparkSession,
    plan: dict[str, Any],
    topics: NDArray[np.float64],
    vocabulary: list[str],
    counts: NDArray[np.float64],
    limit: int,
) -> None:
    week, version = date.fromisoformat(plan["parameters"]["weeks"][0]), plan["parameters"]["version"]
    rows = missions.topic_rows(topics, vocabulary, counts / counts.sum(), limit)
    frame = spark.createDataFrame(
        [(week, version, *row) for row in rows],
        "week date, mission_model string, mission string, item string, probability double, lift double, rank int",
    )
    write(
        frame.coalesce(1).sortWithinPartitions("mission", "rank"), "mission_topics", plan["outputs"]["mission_topics"]
    )


def tag_baskets(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets of some weeks to mission_tagged_baskets, or to mission_history when that is the output.

    Parameters:
        weeks: for mission_tagged_baskets the baskets' weeks; for mission_history [as-of week].
        model: folder of a mission model; null tags every basket unassigned.
        files_per_week: of mission_history, whose files hold many weeks' baskets.
    """
    parameters, (output,) = plan["parameters"], plan["outputs"]
    baskets = read(spark, "staged_baskets", plan["inputs"]["staged_baskets"])
    tags = _tagged(spark, baskets, parameters["model"]) if parameters["model"] else missions.untagged(baskets)
    if output == "mission_history":
        as_of = F.lit(parameters["weeks"][0]).cast("date")
        spread = tags.repartition(parameters.get("files_per_week", 1), "basket")
        tags = spread.withColumn("basket_week", F.col("week")).withColumn("week", as_of)
        tags = tags.sortWithinPartitions("basket_week", "basket")
    else:
        tags = tags.sortWithinPartitions("week", "basket")
    write(tags, output, plan["outputs"][output])
    return {"written": (output,), "counts": {}, "metrics": {}}


def _tagged(spark: SparkSession, baskets: DataFrame, folder: str) -> DataFrame:
    config = json.loads(read_text(spark, f"{folder}/config.json"))
    rows = spark.read.schema("index int, item string, baskets long").parquet(f"{folder}/vocabulary.parquet").collect()
    vocabulary = [row["item"] for row in sorted(rows)]
    documents = missions.documents(baskets, vocabulary, config["max_quantity"])
    return missions.tagged(documents, LocalLDAModel.load(f"{folder}/lda"), config["order"], config["version"])


def customer_sequences(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """staged_baskets and their tags, of all weeks up to the last one asked for, to customer_sequences.

    The weeks of one call share a mission model, as of week M: tags of baskets up to M are in `mission_history` (one
    partition), tags of later ones in `mission_tagged_baskets`. Both lists may be empty.

    Parameters:
        weeks: Mondays, any number.
        mission_model: version whose tags count; a basket that another version tagged later has no weights.
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
