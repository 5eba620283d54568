"""Baskets to shopping missions: a topic model over item counts, its topics as a table, and baskets tagged with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import LDA, LocalLDAModel
from pyspark.ml.feature import CountVectorizerModel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

# Spark adds up what the partitions learnt in the order they finish. With two partitions that is a + b or b + a, which
# is the same float; with more it is not, and topics would depend on chance. So: two, on any cluster.
_PARTITIONS = 2
_DECIMALS = 4  # of a mission weight; with k <= 20 rounded weights still add up to 1 within 0.001
UNASSIGNED = "unassigned"


@dataclass(frozen=True, kw_only=True)
class MissionSettings:
    """How the topic model is fitted. Sizes are of the training sample, not of the lake."""

    k: int = 10  # missions
    seed: int = 1
    max_quantity: int = 3  # units of one item that count: a twelve-pack is no twelvefold mission
    min_item_baskets: int = 20  # an item in fewer baskets has no stable topic
    min_known_items: int = 2  # a basket of one item says nothing about what goes together
    max_baskets: int = 60_000  # sample by stable hash
    batch_share: float = 0.05  # of the sample, per iteration
    passes: int = 20  # over the sample
    learning_offset: float = 64.0  # larger: the first batches count less
    learning_decay: float = 0.7
    document_concentration: float = 0.1  # smaller: fewer missions per basket
    topic_concentration: float = 0.05  # smaller: fewer items per mission
    topic_items: int = 200  # most probable items of each mission that the topics table lists


def item_counts(baskets: DataFrame, min_item_baskets: int) -> DataFrame:
    """item, baskets: how many baskets hold it; in the vocabulary's order, items in too few baskets left out."""
    return (
        baskets.select(F.explode("items.item").alias("item"))
        .groupBy("item")
        .agg(F.count(F.lit(1)).alias("baskets"))
        .where(F.col("baskets") >= min_item_baskets)
        .orderBy(F.desc("baskets"), "item")
    )


def documents(baskets: DataFrame, vocabulary: Sequence[str], max_quantity: int) -> DataFrame:
    """The baskets with `features`, a sparse vector of item counts over the vocabulary, and `known_items`."""
    words = F.flatten(
        F.transform("items", lambda line: F.array_repeat(line["item"], F.least(line["quantity"], F.lit(max_quantity))))
    )
    counter = CountVectorizerModel.from_vocabulary(list(vocabulary), inputCol="words", outputCol="features")
    known = F.expr(f"size(filter(items.item, item -> item in ({', '.join(map(_quoted, vocabulary))})))")
    return counter.transform(baskets.withColumn("words", words).withColumn("known_items", known)).drop("words")


def _quoted(code: str) -> str:
    return "'" + code.replace("\\", "\\\\").replace("'", "\\'") + "'"


def training_sample(documents_: DataFrame, settings: MissionSettings, share: float) -> DataFrame:
    """Documents to fit on: the same rows in the same order of the same partitions, however the input was laid out."""
    draw = F.pmod(F.xxhash64("week", "basket", F.lit(settings.seed)), F.lit(1_000_000)) / 1_000_000
    return (
        documents_.where((F.col("known_items") >= settings.min_known_items) & (draw < share))
        .select("week", "basket", "features")
        .repartition(_PARTITIONS, F.xxhash64("week", "basket"))
        .sortWithinPartitions("week", "basket")
    )


def fit(sample: DataFrame, settings: MissionSettings) -> LocalLDAModel:
    """Online LDA on a sample of documents."""
    model = LDA(
        k=settings.k,
        seed=settings.seed,
        optimizer="online",
        maxIter=max(1, round(settings.passes / settings.batch_share)),
        subsamplingRate=settings.batch_share,
        learningOffset=settings.learning_offset,
        learningDecay=settings.learning_decay,
        docConcentration=[settings.document_concentration] * settings.k,
        topicConcentration=settings.topic_concentration,
        optimizeDocConcentration=False,
    ).fit(sample)
    assert isinstance(model, LocalLDAModel)  # what the online optimiser makes
    return model


def mission_order(topics: NDArray[np.float64]) -> list[int]:
    """Spark's topic numbers, the largest share of items first. `topics`: weight of each item in each topic, V x K."""
    return [int(topic) for topic in np.argsort(-topics.sum(axis=0), kind="stable")]


def mission_ids(k: int) -> list[str]:
    """M01, M02, ... in the order of `mission_order`."""
    return [f"M{number:02d}" for number in range(1, k + 1)]


def topic_rows(
    topics: NDArray[np.float64], vocabulary: Sequence[str], item_share: NDArray[np.float64], limit: int
) -> list[tuple[Any, ...]]:
    """mission, item, probability, lift, rank of each mission's most probable items.

    Args:
        topics: weight of each item in each of Spark's topics, V x K.
        vocabulary: item codes, V.
        item_share: share of each item among all items bought, V.
        limit: items per mission.
    """
    rows: list[tuple[Any, ...]] = []
    probability = topics / topics.sum(axis=0)
    for mission, topic in zip(mission_ids(topics.shape[1]), mission_order(topics), strict=True):
        # Ties go by the vocabulary's order, most frequent first.
        for rank, item in enumerate(np.argsort(-probability[:, topic], kind="stable")[:limit], start=1):
            chance = float(probability[item, topic])
            rows.append((mission, vocabulary[item], chance, chance / float(item_share[item]), rank))
    return rows


def tagged(documents_: DataFrame, model: LocalLDAModel, order: Sequence[int], version: str) -> DataFrame:
    """Baskets with mission_weights, mission, confidence; one basket alone is tagged as in a large file."""
    weights = _as_array("topicDistribution")
    ordered = F.array(*(F.round(weights[topic], _DECIMALS).cast("float") for topic in order))
    assigned = model.setTopicDistributionCol("topicDistribution").transform(documents_)
    known = F.col("known_items") > 0
    weighted = assigned.withColumn("mission_weights", F.when(known, ordered).otherwise(_no_weights()))
    best = F.expr("array_position(mission_weights, array_max(mission_weights))")  # the first: ties go by mission id
    names = F.lit(mission_ids(len(order)))
    return weighted.select(
        *("week", "basket", "customer"),
        F.when(known, F.element_at(names, best.cast("int"))).otherwise(UNASSIGNED).alias("mission"),
        F.when(known, F.array_max("mission_weights")).otherwise(F.lit(0.0)).cast("float").alias("confidence"),
        *("mission_weights", "known_items"),
        F.lit(version).alias("mission_model"),
    )


def untagged(baskets: DataFrame) -> DataFrame:
    """Every basket unassigned: what is known before there is a model."""
    return baskets.select(
        *("week", "basket", "customer"),
        F.lit(UNASSIGNED).alias("mission"),
        F.lit(0.0).cast("float").alias("confidence"),
        _no_weights().alias("mission_weights"),
        F.lit(0).alias("known_items"),
        F.lit(None).cast("string").alias("mission_model"),
    )


def _no_weights() -> Column:
    return F.array().cast("array<float>")


def _as_array(vector: str) -> Column:
    """`pyspark.ml.functions.vector_to_array`, whose module needs pandas, which nothing else here does."""
    java = SparkSession.active()._jvm.org.apache.spark.ml.functions  # type: ignore[union-attr]
    return Column(java.vector_to_array(F.col(vector)._jc, "float64"))
