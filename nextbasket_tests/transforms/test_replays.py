"""Replayed baskets are counted, chance repeats are not."""

from datetime import date

from pyspark.sql import SparkSession

from nextbasket_assets.transforms.replays import replay_counts

ONE, TWO, THREE = date(2006, 4, 10), date(2006, 4, 17), date(2006, 4, 24)
MEAL = ["A", "B", "C", "D"]


def count(spark: SparkSession, *baskets: tuple[date, str | None, list[str]]) -> dict[date, tuple[int, int]]:
    """Week -> baskets of four items or more, replayed ones; "AA" are two units of A."""
    rows = [(week, customer, [(item[0], len(item)) for item in items]) for week, customer, items in baskets]
    frame = spark.createDataFrame(rows, "week date, customer string, items array<struct<item:string,quantity:int>>")
    return {row["week"]: (row["baskets"], row["replayed"]) for row in replay_counts(frame).collect()}


def test_a_copy_in_a_later_week_is_a_replay(spark: SparkSession) -> None:
    """The same customer, items and quantities in a later week count there, and the original does not."""
    assert count(spark, (ONE, "c1", MEAL), (THREE, "c1", MEAL)) == {ONE: (1, 0), THREE: (1, 1)}


def test_what_is_no_replay(spark: SparkSession) -> None:
    """Another customer, item or quantity, the same week, a basket of three items and an anonymous one are no replays."""
    found = count(
        spark,
        *[(ONE, "c1", MEAL), (ONE, "c1", MEAL), (TWO, "c2", MEAL), (TWO, "c1", [*MEAL[:3], "E"])],
        *[(ONE, "c3", MEAL[:3]), (TWO, "c3", MEAL[:3]), (ONE, None, MEAL), (TWO, None, MEAL)],
        (TWO, "c1", ["AA", *MEAL[1:]]),
    )

    assert found == {ONE: (2, 0), TWO: (3, 0)}
