"""The counts behind a profile, each function by itself on a few rows."""

from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from nextbasket_assets.transforms.profile_numbers import ProfileSettings
from nextbasket_assets.transforms.profiles import (
    label_counts,
    level_counts,
    measure_sums,
    timeline,
    training_counts,
    transition_facts,
)
from nextbasket_tests.transforms.plans import WEEK

LATER = WEEK + timedelta(weeks=1)
HISTORY = "mission_model string, week date, basket_week date, basket string, mission string"
TAGS = "week date, basket string, mission string, mission_model string"


def ago(weeks: int) -> date:
    return WEEK - timedelta(weeks=weeks)


def history(spark: SparkSession) -> DataFrame:
    """A model as of WEEK, and what it says of a basket of that week and of each of the three before it."""
    rows = [("v", WEEK, ago(weeks), basket, "M01") for weeks, basket in enumerate("abcd")]
    return spark.createDataFrame([*rows, ("v", WEEK, WEEK, "e", "unassigned")], HISTORY)


def test_a_timeline_has_the_weeks_that_are_looked_back_on(spark: SparkSession) -> None:
    """Two weeks back and no more, no later week, and each basket once, though the model's own week is tagged twice."""
    tags = spark.createDataFrame(
        [(WEEK, "a", "M01", "v"), (WEEK, "e", "unassigned", "v"), (LATER, "f", "M02", "v")], TAGS
    )
    found = timeline(tags, history(spark), ProfileSettings(look_back_weeks=2)).collect()

    assert sorted((row["asked"], row["basket"]) for row in found) == [
        *((WEEK, basket) for basket in "abce"),
        *((LATER, basket) for basket in "abef"),
    ]


def test_the_training_window_ends_at_its_first_week(spark: SparkSession) -> None:
    """Of a window of two weeks: the model's own and the one before; a basket without a mission is in no share."""
    (found,) = training_counts(history(spark), ProfileSettings(training_weeks=2)).collect()

    assert (found["mission_model"], found["mission"], found["baskets"]) == ("v", "M01", 2)


def test_an_id_of_another_week_is_another_basket(spark: SparkSession) -> None:
    """C1 goes from the first week's basket 1 to basket 2; the basket 1 of the second week is C2's, who makes no move."""
    visits = spark.createDataFrame(
        [(week, number, customer, week, 9, "S1", []) for week, number, customer in _visits()],
        "week date, basket string, customer string, date date, hour int, store string, items array<struct<item:string>>",
    )
    line = [
        (LATER, week, number, mission)
        for (week, number, _), mission in zip(_visits(), ("M01", "M02", "M03"), strict=True)
    ]
    told = spark.createDataFrame(line, "asked date, week date, basket string, mission string")
    moves = transition_facts(visits, told).collect()

    assert [(row["mission"], row["basket"], row["levels"][0]["level"]) for row in moves] == [("M01", "2", "M02")]


def _visits() -> list[tuple[date, str, str]]:
    return [(WEEK, "1", "C1"), (LATER, "2", "C1"), (LATER, "1", "C2")]


def test_an_item_in_as_many_baskets_as_asked_for_is_typical(spark: SparkSession) -> None:
    """Of a minimum of two: an item in two baskets of the mission counts, one in a single basket does not."""
    facts = [("M01", "item", 1, [("A", 1), ("B", 1)]), ("M01", "item", 1, [("A", 1)]), ("M02", "item", 1, [("B", 1)])]

    assert _levels(spark, facts) == {
        ("M01", None): (2, 2, 2, 2),
        ("M01", "A"): (2, 2, 2, 2),
        ("M02", None): (1, 1, 1, 1),
        ("all", None): (3, 3, 3, 3),
        ("all", "A"): (2, 2, 2, 2),
        ("all", "B"): (2, 2, 2, 2),
    }


def test_lines_of_a_category_are_summed_and_squared(spark: SparkSession) -> None:
    """Two baskets, of three lines and of four: 2 + 1 of fruit, 4 + 1 in squares, 2 * 3 + 1 * 4 with the basket's lines."""
    facts = [
        ("M01", "category_10", 3, [("fruit", 2), ("soap", 1)]),
        ("M01", "category_10", 4, [("fruit", 1), ("soap", 3)]),
    ]
    found = _levels(spark, facts)

    assert found["M01", "fruit"] == found["all", "fruit"] == (2, 3, 5, 10)
    assert found["M01", None] == (2, 7, 25, 25)


def _levels(spark: SparkSession, facts: list[tuple[Any, ...]]) -> dict[tuple[str, str | None], tuple[int, ...]]:
    """Mission and level -> baskets, x, xx, xm."""
    schema = "week date, mission string, name string, cases long, levels array<struct<level:string,count:long>>"
    frame = spark.createDataFrame([(WEEK, *fact) for fact in facts], schema)
    rows = level_counts(frame, ProfileSettings(min_item_baskets=2)).collect()
    return {(row["mission"], row["level"]): (row["baskets"], row["x"], row["xx"], row["xm"]) for row in rows}


def test_a_basket_without_a_known_item_has_no_confidence(spark: SparkSession) -> None:
    """It counts for what was bought, and neither as small nor as unsure; two known items are few, three are not."""
    visits = [("M01", 2, 0.5), ("M01", 3, 0.75), ("unassigned", 0, 0.0)]
    frame = spark.createDataFrame(
        [(WEEK, mission, known, sure, ["A"], 1, 2) for mission, known, sure in visits],
        "week date, mission string, known_items int, confidence float, items array<string>, units long, spend int",
    )
    found = {(row["mission"], row["name"]): (row["n"], int(row["x"])) for row in measure_sums(frame).collect()}

    assert {name: numbers for (mission, name), numbers in found.items() if mission == "M01"} == {
        "mean_items": (2, 2),
        "mean_units": (2, 2),
        "mean_spend": (2, 400),
        "mean_confidence": (2, 1_250_000),
        "share_of_small_baskets": (2, 1),
        "mean_confidence_of_small_baskets": (1, 500_000),
        "mean_confidence_of_larger_baskets": (1, 750_000),
    }
    assert {name for mission, name in found if mission == "unassigned"} == {"mean_items", "mean_units", "mean_spend"}


def test_agreement_is_of_baskets_with_a_mission_and_a_class(spark: SparkSession) -> None:
    """Unassigned, not classified (XX) or without a label: no pair."""
    visits = [("M01", "Fresh", "Top Up"), ("unassigned", "Fresh", "Top Up"), ("M01", "XX", None)]
    frame = spark.createDataFrame(
        [(WEEK, *visit) for visit in visits],
        "week date, mission string, basket_dominant_mission string, basket_type string",
    )
    found = {(row["label"], row["mission"], row["class"], row["n"]) for row in label_counts(frame).collect()}

    assert found == {("basket_dominant_mission", "M01", "Fresh", 1), ("basket_type", "M01", "Top Up", 1)}
