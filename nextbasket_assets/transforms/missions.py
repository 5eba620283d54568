"""Baskets and shopping missions: a sample of documents for the fit, and every basket tagged with fitted topics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import LocalLDAModel
from pyspark.ml.feature import CountVectorizerModel
from pyspark.mllib.common import _py2java
from pyspark.mllib.linalg import DenseMatrix, DenseVector
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

UNASSIGNED = "unassigned"
_SCALE = 1e6  # a mission weight has six decimals: what is left of a float's accuracy whatever the processor
_GAMMA_SHAPE = 100.0  # Spark's own; the start of its inference
_HELD_OUT = 5  # one customer in five


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """Which baskets the fit reads."""

    seed: int = 1
    min_item_baskets: int = 20  # an item in fewer baskets has no stable mission
    min_known_items: int = 2  # a basket of one item says nothing about what goes together
    max_baskets: int = 30_000  # by stable hash


def item_counts(baskets: DataFrame, min_item_baskets: int) -> DataFrame:
    """item, baskets: how many baskets hold it; in the vocabulary's order, items in too few baskets left out."""
    return (
        baskets.select(F.explode("items.item").alias("item"))
        .groupBy("item")
        .agg(F.count(F.lit(1)).alias("baskets"))
        .where(F.col("baskets") >= min_item_baskets)
        .orderBy(F.desc("baskets"), "item")
    )


def item_groups(lines: DataFrame) -> DataFrame:
    """item, group: the category (level 20) of each item; as in profiles the first by code of several, '' for none."""
    return lines.groupBy("item").agg(F.coalesce(F.min("category_20"), F.lit("")).alias("group"))


def known_baskets(baskets: DataFrame, vocabulary: DataFrame) -> DataFrame:
    """week, basket, owner, items: known items as rising positions in the vocabulary; baskets without one are left out.

    The owner is the customer, and an anonymous basket its own: what is held out is held out by owner.
    """
    owner = F.coalesce("customer", "basket").alias("owner")
    lines = baskets.select("week", "basket", owner, F.explode("items.item").alias("item"))
    return (
        lines.join(F.broadcast(vocabulary.select("item", "index")), "item")
        .groupBy("week", "basket", "owner")
        .agg(F.sort_array(F.collect_list("index")).alias("items"))
    )


def documents(known: DataFrame, settings: SampleSettings) -> DataFrame:
    """items, held_out, half of the sampled baskets: the same rows in the same order, however the input was laid out.

    Who is held out never changes, not with the seed and not from one model to the next: a refit that starts from the
    former model is judged by customers that neither has seen.
    """
    return (
        known.where(F.size("items") >= settings.min_known_items)
        .withColumn("draw", F.xxhash64("week", "basket", F.lit(settings.seed)))
        .orderBy("draw", "week", "basket")
        .limit(settings.max_baskets)
        .select(
            "items",
            (F.pmod(F.xxhash64(F.lit("held out"), "owner"), F.lit(_HELD_OUT)) == 0).alias("held_out"),
            F.pmod(F.xxhash64(F.lit("half"), "owner"), F.lit(2)).cast("int").alias("half"),
        )
        .coalesce(1)
    )


@dataclass(frozen=True)
class FittedTopics:
    """What tagging needs of a mission model: V items, K missions.

    Attributes:
        vocabulary: item codes, V.
        weights_VK: how often each item was bought on each mission, with the prior.
        prior_K: concentration of a basket's missions.
        missions: their ids, K.
        version: of the model.
    """

    vocabulary: Sequence[str]
    weights_VK: NDArray[np.float64]
    prior_K: NDArray[np.float64]
    missions: Sequence[str]
    version: str


def tagged(baskets: DataFrame, topics: FittedTopics) -> DataFrame:
    """Baskets with mission_weights, mission, confidence; one basket alone is tagged as in a large file."""
    weights = F.unwrap_udt("topicDistribution")["values"]
    rounded = F.transform(weights, lambda weight: (F.rint(weight * _SCALE) / _SCALE).cast("float"))
    assigned = _spark_model(baskets.sparkSession, topics).transform(_with_features(baskets, topics.vocabulary))
    known = F.col("known_items") > 0
    weighted = assigned.withColumn("mission_weights", F.when(known, rounded).otherwise(_no_weights()))
    best = F.expr("array_position(mission_weights, array_max(mission_weights))")  # the first: ties go by mission id
    names = F.array(*(F.lit(mission) for mission in topics.missions))
    return weighted.select(
        *("week", "basket", "customer"),
        F.when(known, F.element_at(names, best.cast("int"))).otherwise(UNASSIGNED).alias("mission"),
        F.when(known, F.array_max("mission_weights")).otherwise(F.lit(0.0)).cast("float").alias("confidence"),
        *("mission_weights", "known_items"),
        F.lit(topics.version).alias("mission_model"),
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


def _with_features(baskets: DataFrame, vocabulary: Sequence[str]) -> DataFrame:
    """The baskets with `features`, a sparse vector of the items they hold, and `known_items`, how many those are."""
    held = baskets.withColumn("words", F.col("items.item"))
    counter = CountVectorizerModel.from_vocabulary(list(vocabulary), inputCol="words", outputCol="features")
    return counter.transform(held).withColumn("known_items", F.size(F.unwrap_udt("features")["indices"]))


def _spark_model(spark: SparkSession, topics: FittedTopics) -> LocalLDAModel:
    """Spark ML's model of topics that were fitted elsewhere. Its constructors are what its own `load` calls."""
    context, java = spark.sparkContext, spark._jvm.org.apache.spark  # type: ignore[union-attr]
    items, missions = topics.weights_VK.shape
    matrix = _py2java(context, DenseMatrix(items, missions, topics.weights_VK.ravel(order="F")))
    prior = _py2java(context, DenseVector(topics.prior_K))
    local = java.mllib.clustering.LocalLDAModel(matrix, prior, 1.0 / missions, _GAMMA_SHAPE)
    model = LocalLDAModel(java.ml.clustering.LocalLDAModel("missions", items, local, spark._jsparkSession))
    return model.setSeed(0).setTopicDistributionCol("topicDistribution")


def _no_weights() -> Column:
    return F.array().cast("array<float>")
