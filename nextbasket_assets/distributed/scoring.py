"""The stages that score on Spark's workers: the model is broadcast, the workers run the recommender on Arrow batches.

Tables and bits are those of `recommender.scoring` on one machine. The workers' Python needs torch; the driver's does not.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark import Broadcast
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from nextbasket_assets.columns import WEEK
from nextbasket_assets.transforms.files import read_folder
from nextbasket_assets.transforms.tables import read, schema, write

if TYPE_CHECKING:
    import pyarrow as pa

_TALLY = "tally binary, customers long, missions_known boolean"
# Some 20 s of a core, beside which a process that loads torch (1.3 s) is little; 260 MB of a shuffle for histories of 90
# baskets, so that a task fits a node's memory. Smaller tasks would only make more files.
_CUSTOMERS_PER_TASK = 65_536


def next_basket_scores(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """customer_sequences of a week to its lists.

    Parameters:
        weeks: [week].
        model: folder of the model; null scores everybody with the fallback.
        k: rows per customer.
    """
    return _stage(spark, plan, "next_basket_scores", _score, plan["parameters"]["k"], "probability")


def next_trip_outlook(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """customer_sequences of a week to its outlooks.

    Parameters:
        weeks: [week].
        model: folder of the model; null scores everybody with the fallback.
        missions: ids of the missions, in the order of the weights in the sequences.
    """
    return _stage(spark, plan, "next_trip_outlook", _foretell, plan["parameters"]["missions"], "visit_within_7_days")


def _stage(
    spark: SparkSession, plan: dict[str, Any], table: str, work: Callable[..., Any], option: Any, chance: str
) -> dict[str, Any]:
    """Tally everybody, write everybody's rows, say what was written.

    Raises:
        SequenceError: there is nobody. LostError: customers that were tallied have no rows.
    """
    from nextbasket_assets.recommender.everybody import require_everybody, require_somebody  # wants pyarrow

    (week,), model = plan["parameters"]["weeks"], plan["parameters"]["model"]
    folder = plan["outputs"][table]
    sequences = read(spark, "customer_sequences", plan["inputs"]["customer_sequences"])
    frame = sequences.select("customer", "baskets", "mission_model")
    columns = StructType([field for field in schema(table).fields if field.name != WEEK])
    with _to_workers(spark, (read_folder(spark, model) if model else None, date.fromisoformat(week))) as told:
        tally = _tally(frame, told)
        require_somebody(tally["customers"])
        dealt = frame.repartition(_tasks(tally["customers"]), "customer").sortWithinPartitions("customer")
        with _to_workers(spark, tally["tally"]) as whole:
            rows = dealt.mapInArrow(partial(work, told, whole, option), columns)
            write(rows.withColumn(WEEK, F.lit(week).cast("date")), table, folder)
    found = _written(spark, table, folder, chance)
    require_everybody(tally["customers"], found["customers"])
    metrics = {**found, "customers_read": tally["customers"], "missions_known": tally["missions_known"]}
    return {"written": (table,), "counts": {}, "metrics": metrics}


def _tasks(customers: int) -> int:
    """How many tasks write, and so how many files: by the customers alone, whatever Spark's shuffles are set to."""
    return math.ceil(customers / _CUSTOMERS_PER_TASK)


@contextmanager
def _to_workers(spark: SparkSession, value: Any) -> Iterator[Broadcast]:
    """The value on every worker, until the block is left."""
    broadcast = spark.sparkContext.broadcast(value)
    try:
        yield broadcast
    finally:
        broadcast.destroy()


def _tally(frame: DataFrame, told: Broadcast) -> Row:
    counted = frame.mapInArrow(partial(_count, told), _TALLY).repartition(1).mapInArrow(partial(_join, told), _TALLY)
    (row,) = counted.collect()
    found: Row = row
    return found


def _written(spark: SparkSession, table: str, folder: str, chance: str) -> dict[str, Any]:
    """What the written rows say about themselves."""
    (row,) = (
        spark.read.schema(schema(table))
        .parquet(folder)
        .agg(
            F.first("model_version").alias("model_version"),
            F.count_distinct("customer").alias("customers"),
            F.count_distinct(F.when(F.col("source") == "fallback", F.col("customer"))).alias("fallback_customers"),
            F.avg(chance).alias("mean_probability"),
        )
        .collect()
    )
    found: dict[str, Any] = row.asDict()
    return found


# What the workers run. Torch is imported there and nowhere else.


def _count(told: Broadcast, batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
    from nextbasket_assets.recommender import shards

    return shards.count(shards.Task(*told.value), batches)


def _join(told: Broadcast, batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
    from nextbasket_assets.recommender import shards

    return shards.join(shards.Task(*told.value), batches)


def _score(
    told: Broadcast, whole: Broadcast, k: int, batches: Iterator["pa.RecordBatch"]
) -> Iterator["pa.RecordBatch"]:
    from nextbasket_assets.recommender import shards

    return shards.score(shards.Task(*told.value), whole.value, k, batches)


def _foretell(
    told: Broadcast, whole: Broadcast, missions: list[str], batches: Iterator["pa.RecordBatch"]
) -> Iterator["pa.RecordBatch"]:
    from nextbasket_assets.recommender import shards

    return shards.foretell(shards.Task(*told.value), whole.value, missions, batches)
