"""The sample that missions are learnt from, each function by itself on a few rows."""

from pyspark.sql import SparkSession

from nextbasket_assets.transforms.missions import SampleSettings, documents, item_counts, item_groups, known_baskets
from nextbasket_tests.transforms.plans import WEEK


def test_an_item_of_two_categories_has_the_first(spark: SparkSession) -> None:
    """An item's group is its first category by code, as in the profiles; '' where no line has one."""
    lines = [("A", "G2"), ("A", "G1"), ("A", None), ("B", None)]

    found = item_groups(spark.createDataFrame(lines, "item string, category_20 string"))

    assert {row["item"]: row["group"] for row in found.collect()} == {"A": "G1", "B": ""}


def test_the_vocabulary_begins_with_the_most_frequent_item(spark: SparkSession) -> None:
    """Items in two baskets or more, by count and then code; a basket has its known ones by their places there."""
    held = [("1", "C1", "BZ"), ("2", None, "ACZ"), ("3", "C1", "ABCDZ"), ("4", "C1", "D"), ("5", "C1", "E")]
    rows = [(WEEK, basket, customer, [(item,) for item in items]) for basket, customer, items in held]
    baskets = spark.createDataFrame(rows, "week date, basket string, customer string, items array<struct<item:string>>")

    counts = [tuple(row) for row in item_counts(baskets, 2).collect()]
    vocabulary = spark.createDataFrame(
        [(index, item) for index, (item, _) in enumerate(counts)], "index int, item string"
    )
    known = {row["basket"]: (row["owner"], row["items"]) for row in known_baskets(baskets, vocabulary).collect()}

    assert counts == [("Z", 3), ("A", 2), ("B", 2), ("C", 2), ("D", 2)]
    assert known == {"1": ("C1", [0, 2]), "2": ("2", [0, 1, 3]), "3": ("C1", [0, 1, 2, 3, 4]), "4": ("C1", [4])}


def test_a_sample_is_drawn_from_everywhere(spark: SparkSession) -> None:
    """A fifth of the customers is held out, half are in each half; another seed draws others, from all of the codes."""
    rows = [(WEEK, f"{number:04d}", f"C{number}", [number, number + 1]) for number in range(1000)]
    known = spark.createDataFrame(rows, "week date, basket string, owner string, items array<int>").coalesce(1)
    everyone = documents(known, SampleSettings()).collect()
    one, other = (
        {row["items"][0] for row in documents(known, SampleSettings(max_baskets=100, seed=seed)).collect()}
        for seed in (1, 2)
    )

    assert 160 < sum(row["held_out"] for row in everyone) < 240
    assert 450 < sum(row["half"] for row in everyone) < 550
    assert len(one & other) < 30
    assert all(35 < sum(number < 500 for number in drawn) < 65 for drawn in (one, other))
