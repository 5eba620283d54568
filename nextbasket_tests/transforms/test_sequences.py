"""Baskets to sequences: order, truncation, who is known when, and nothing from the future."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from nextbasket_tests.transforms.plans import WEEK, broken, keep, rows, stage

LATER = WEEK + timedelta(weeks=1)
MUCH_LATER = WEEK + timedelta(weeks=5)


def basket(number: int, customer: str | None, day: date, hour: int, *items: str) -> dict[str, Any]:
    """A row of staged_baskets, one unit of each item."""
    bought = [{"item": item, "quantity": 1, "spend": Decimal("1.00")} for item in items]
    labels = ("price_sensitivity", "lifestage", "basket_size", "basket_price_sensitivity", "basket_type")
    return {
        "week": day - timedelta(days=day.weekday()),
        "basket": f"99410010000000{number}",
        "customer": customer,
        "date": day,
        "hour": hour,
        **dict.fromkeys((*labels, "basket_dominant_mission", "store_format", "store_region")),
        "store": "S1",
        "units": len(items),
        "spend": Decimal(len(items)),
        "items": bought,
    }


def tag(row: dict[str, Any], *weights: float) -> dict[str, Any]:
    """The basket's row of mission_tagged_baskets."""
    return {
        **{name: row[name] for name in ("week", "basket", "customer")},
        "mission": "M01",
        "confidence": max(weights),
        "mission_weights": list(weights),
        "known_items": 1,
        "mission_model": "v",
    }


def sequences(
    spark: SparkSession,
    folder: Path,
    baskets: list[dict[str, Any]],
    *weeks: date,
    tags: list[dict[str, Any]] | None = None,
    history: list[dict[str, Any]] | None = None,
    **parameters: Any,
) -> tuple[dict[tuple[date, str], dict[str, Any]], dict[str, Any]]:
    """Rows of customer_sequences by week and customer, and the report."""
    inputs = {"staged_baskets": keep(spark, folder, "staged_baskets", baskets)}
    if tags:
        inputs["mission_tagged_baskets"] = keep(spark, folder, "mission_tagged_baskets", tags)
    if history:
        past = [{**row, "basket_week": row["week"], "week": WEEK} for row in history]
        inputs["mission_history"] = keep(spark, folder, "mission_history", past)
    asked = [week.isoformat() for week in weeks]
    report = stage(spark, folder, "customer_sequences", inputs, ("customer_sequences",), weeks=asked, **parameters)
    assert broken(report) == []
    found = rows(spark, folder, "customer_sequences")
    return {(row["week"], row["customer"]): row for row in found}, report


def bought(row: dict[str, Any]) -> list[str]:
    """The items of each basket, run together."""
    return ["".join(entry["items"]) for entry in row["baskets"]]


def test_order_is_time_and_never_the_id(spark: SparkSession, tmp_path: Path) -> None:
    """Baskets go by date and hour; ids run backwards here, and exchanging two ids changes nothing."""
    visits = [
        basket(9, "C1", WEEK, 9, "A"),
        basket(5, "C1", WEEK, 20, "B"),
        basket(1, "C1", WEEK + timedelta(days=6), 8, "D", "C"),
        basket(3, "C2", WEEK, 12, "X"),
        basket(2, "C2", WEEK, 12, "Y"),  # the same hour: the order is free, but must not hang on the ids
    ]
    swapped = [{**row, "basket": visits[index]["basket"]} for row, index in zip(visits, (0, 1, 2, 4, 3), strict=True)]

    found, _ = sequences(spark, tmp_path / "one", visits, WEEK)
    other, _ = sequences(spark, tmp_path / "two", swapped, WEEK)

    assert bought(found[WEEK, "C1"]) == ["A", "B", "CD"]
    assert found == other


def test_weeks_of_one_call_are_what_each_week_knew(spark: SparkSession, tmp_path: Path) -> None:
    """A customer appears from the first visit on, keeps a row in silent weeks, and no week shows a later basket."""
    visits = [
        basket(1, "C1", WEEK, 9, "A"),
        basket(2, "C1", LATER, 9, "B"),
        basket(3, "C2", LATER + timedelta(days=6), 9, "C"),
        basket(4, None, WEEK, 9, "D"),
        basket(5, "C3", WEEK, 9),  # bags only
        basket(6, None, WEEK, 10),  # bags only, and nobody's
    ]

    found, report = sequences(spark, tmp_path / "all", visits, WEEK, LATER, MUCH_LATER)
    alone, _ = sequences(spark, tmp_path / "alone", visits[:1] + visits[3:], WEEK)

    assert {key: (row["baskets_seen"], bought(row)) for key, row in found.items()} == {
        (WEEK, "C1"): (1, ["A"]),
        (WEEK, "C3"): (0, []),
        (LATER, "C1"): (2, ["A", "B"]),
        (LATER, "C2"): (1, ["C"]),
        (LATER, "C3"): (0, []),
        (MUCH_LATER, "C1"): (2, ["A", "B"]),
        (MUCH_LATER, "C2"): (1, ["C"]),
        (MUCH_LATER, "C3"): (0, []),
    }
    assert alone == {key: row for key, row in found.items() if key[0] == WEEK}
    assert report["counts"]["2006-04-10"] == {
        "rows_in": 4,
        "removed": {"anonymous": 2, "without_merchandise": 1},
        "rows_out": 1,
    }


def test_a_week_looks_back_on_its_own_window(spark: SparkSession, tmp_path: Path) -> None:
    """Made together or alone, a week holds the weeks of its window and no older one, which a week beside it still holds."""
    visits = [
        basket(1, "C1", WEEK, 9, "A"),
        basket(2, "C1", LATER, 9, "B"),
        basket(3, "C2", WEEK + timedelta(days=6), 9, "C"),
        basket(4, "C3", WEEK, 9),  # bags only
        basket(5, "C1", MUCH_LATER, 9, "D"),
    ]
    asked = (WEEK, LATER, MUCH_LATER)
    together, _ = sequences(spark, tmp_path / "together", visits, *asked, window_weeks=5)
    alone = {}
    for week in asked:
        held = [row for row in visits if week - timedelta(weeks=4) <= row["week"] <= week]
        found, _ = sequences(spark, tmp_path / f"{week}", held, week, window_weeks=5)
        alone |= found

    assert together == alone
    assert {key: (row["baskets_seen"], bought(row)) for key, row in together.items() if key[0] == MUCH_LATER} == {
        (MUCH_LATER, "C1"): (2, ["B", "D"])
    }
    assert {customer for week, customer in together if week == LATER} == {"C1", "C2", "C3"}


def test_truncation_keeps_the_most_recent(spark: SparkSession, tmp_path: Path) -> None:
    """A heavy customer is cut to the last baskets, never dropped, and the count says how many there were."""
    visits = [basket(hour, "C1", WEEK, hour, f"I{hour}") for hour in range(1, 6)]

    found, _ = sequences(spark, tmp_path, visits, WEEK, max_baskets=2)

    assert (found[WEEK, "C1"]["baskets_seen"], bought(found[WEEK, "C1"])) == (5, ["I4", "I5"])


def test_mission_weights_come_with_their_basket(spark: SparkSession, tmp_path: Path) -> None:
    """The past's weights come from the history, later ones from the tags of the model asked for; other baskets have none."""
    visits = [
        basket(1, "C1", WEEK, 9, "A"),
        basket(2, "C1", LATER, 9, "B"),
        basket(3, "C1", LATER, 10, "C"),
        basket(1, "C2", LATER, 9, "D"),  # an id of another week
    ]
    tags = [tag(visits[1], 1.0, 0.0), {**tag(visits[2], 0.5, 0.5), "mission_model": "another"}]

    found, _ = sequences(
        spark, tmp_path, visits, LATER, history=[tag(visits[0], 0.25, 0.75)], tags=tags, mission_model="v"
    )

    assert [entry["mission_weights"] for entry in found[LATER, "C1"]["baskets"]] == [[0.25, 0.75], [1.0, 0.0], []]
    assert found[LATER, "C2"]["baskets"][0]["mission_weights"] == []
