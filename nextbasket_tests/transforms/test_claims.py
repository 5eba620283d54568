"""Claims notice what they claim: for every claim of every table a row that breaks it, beside sound rows that do not."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from nextbasket_assets.columns import TABLES
from nextbasket_assets.transforms.claims import CLAIMS
from nextbasket_assets.transforms.tables import audit, schema, write
from nextbasket_tests.transforms.plans import WEEK
from nextbasket_tests.transforms.test_baskets import raw
from nextbasket_tests.transforms.test_sequences import basket

LONG_AGO, LATE = date(2000, 1, 3), date(2030, 1, 7)  # outside every week of these tests
NAN, INFINITY = float("nan"), float("inf")
Fields = dict[str, Any]

TAG: Fields = {
    **{"basket": "1", "customer": "C1", "mission": "M02", "confidence": 0.75, "mission_weights": [0.25, 0.75]},
    **{"known_items": 1, "mission_model": "v"},
}
TOPIC = {
    "mission_model": "v",
    "mission": "M01",
    "item": "A",
    "probability": 0.5,
    "lift": 2.0,
    "baskets": 9.0,
    "rank": 1,
}
IDENTITY = {"mission_model": "v", "mission": "M01", "name": "Bread", "status": "new", "share": 0.5}
NEW = {"previous_model": None, "similarity": None}
KEPT = {"status": "kept", "previous_model": "u", "similarity": 0.9}
CANDIDATE: Fields = {
    **{"mission_model": "v", "k": 5, "item_prior": 0.05, "seeds": 3, "perplexity": 400.0, "gain": 0.1},
    **{"gain_error": 0.01, "coherence": 0.1, "distinctness": 0.9, "stability_seeds": None, "stability_halves": None},
    "chosen": False,
}
SHARE: Fields = {
    **{"mission_model": "v", "mission": "M01", "section": "overall", "name": "share_of_baskets", "level": ""},
    **{"baskets": 5, "value": 0.5, "index": None, "low": 0.4, "high": 0.6},
}
AVERAGE = {"mission": "all", "name": "mean_spend", "index": 100.0, "low": None, "high": None}
VISIT = {"date": LONG_AGO, "hour": 9, "items": ["A"], "mission_weights": [1.0]}
SEQUENCE = {"customer": "C1", "baskets_seen": 2, "mission_model": "v", "baskets": [VISIT, {**VISIT, "hour": 10}]}
SCORE: Fields = {
    **{"customer": "C1", "rank": 1, "item": "A", "probability": 0.5, "probability_7_days": 0.25},
    **{"reason": "bought often", "source": "model", "model_version": "v"},
}
OUTLOOK: Fields = {
    **{"customer": "C1", "visit_within_7_days": 0.5, "expected_days": 9.0, "expected_items": 3.0, "mission": "M02"},
    **{"mission_probabilities": [0.25, 0.75], "source": "model", "model_version": "v"},
}
REJECTED = {"source_file": "f", "line_number": 2, "rule": "week", "detail": "SHOP_WEEK is another", "raw_text": ","}

SOUND: dict[str, list[Fields]] = {
    "raw_transactions": [raw(2), raw(3)],
    "rejected_lines": [REJECTED, {**REJECTED, "line_number": 3}],
    "staged_baskets": [{**basket(number, "C1", WEEK, 9, "A", "B"), "basket": str(number)} for number in (1, 2)],
    "mission_topics": [TOPIC, {**TOPIC, "item": "B", "rank": 2}],
    "mission_identities": [{**IDENTITY, **NEW}, {**IDENTITY, **KEPT, "mission": "M02", "name": "Wine"}],
    "mission_candidates": [CANDIDATE, {**CANDIDATE, "k": 8, "chosen": True}],
    "mission_tagged_baskets": [TAG, {**TAG, "basket": "2"}],
    "mission_history": [{**TAG, "basket_week": LONG_AGO}, {**TAG, "basket_week": LONG_AGO, "basket": "2"}],
    "mission_profiles": [SHARE, {**SHARE, "mission": "M02"}, {**SHARE, **AVERAGE}],
    "customer_sequences": [SEQUENCE, {**SEQUENCE, "customer": "C2"}],
    "next_basket_scores": [SCORE, {**SCORE, "rank": 2, "item": "B"}],
    "next_trip_outlook": [OUTLOOK, {**OUTLOOK, "customer": "C2"}],
}


def bought(*items: tuple[str, int, str]) -> Fields:
    """The items of a basket, with the units and the spend that belong to them."""
    return {
        "items": [{"item": item, "quantity": quantity, "spend": Decimal(spend)} for item, quantity, spend in items],
        "units": sum(quantity for _, quantity, _ in items),
        "spend": sum((Decimal(spend) for _, _, spend in items), Decimal(0)),
    }


DATES: dict[str, list[Fields]] = {
    "every date lies in its week": [{"date": LONG_AGO}, {"date": LATE}],
    "hour is from 0 to 23": [{"hour": -1}, {"hour": 24}],
}
LABELS: dict[str, list[Fields]] = {
    f"{label} is a documented code or null": [{label: code}]
    for label, code in {
        "price_sensitivity": "XL",
        "lifestage": "YY",
        "basket_size": "XX",
        "basket_price_sensitivity": "S",
        "basket_type": "Big Shop",
        "basket_dominant_mission": "Non Food",
        "store_format": "XS",
    }.items()
}
TAGS: dict[str, list[Fields]] = {
    "weights add up to 1, or there are none": [{"mission_weights": [0.5, 0.75]}, {"mission_weights": [0.75]}],
    "weights are numbers from 0 to 1": [{"mission_weights": weights} for weights in ([NAN, 0.75], [-0.5], [1.5, 0.75])],
    "a mission is assigned if and only if the model knows an item": [
        {"known_items": 0},
        {"mission": "unassigned", "known_items": 0},
        {"mission_weights": [], "confidence": 0.0},
    ],
    "confidence is the mission's weight, 0 when unassigned": [
        {"confidence": 0.25},
        {"mission": "unassigned", "known_items": 0, "mission_weights": []},
    ],
}

# Table -> claim -> what to make of the first sound row, so that the rows of its week break the claim.
BREAKERS: dict[str, dict[str, list[Fields]]] = {
    "raw_transactions": {
        **DATES,
        "source_file and line_number are unique": [{"line_number": 3}],
        "quantity and spend are given": [{"quantity": None}, {"spend": None}],
        "item, basket and store are given": [{"item": ""}, {"basket": ""}, {"store": ""}],
        **LABELS,
    },
    "rejected_lines": {
        "source_file and line_number are unique": [{"line_number": 3}],
        "rule and detail are given": [{"rule": ""}, {"detail": ""}],
    },
    "staged_baskets": {
        **DATES,
        "every basket is there once": [{"basket": "2"}],
        "units and spend are the sums over the items": [{"units": 7}, {"spend": Decimal(7)}],
        "every item is there once, in order, with a quantity above 0": [
            bought(("B", 1, "1"), ("A", 1, "1")),
            bought(("A", 1, "1"), ("A", 1, "1")),
            bought(("A", 0, "1")),
            bought(("A", 1, "-1")),
        ],
        **LABELS,
    },
    "mission_topics": {
        "every mission has an item once": [{"item": "B"}],
        "every mission has a rank once": [{"rank": 2}],
        "probability is from 0 to 1 and lift is not negative": [
            *({"probability": value} for value in (NAN, -0.5, 1.5)),
            *({"lift": value} for value in (NAN, -1.0)),
        ],
    },
    "mission_identities": {
        "every mission is there once": [{"mission": "M02"}],
        "every mission of the model has a name of its own": [{"name": "Wine"}, {"name": " "}],
        "shares of the missions add up to 1": [{"share": 0.75}, {"share": NAN}],
        "a kept mission is similar to its former self": [
            {"status": "kept"},
            {"similarity": 0.9},
            *({**KEPT, "similarity": value} for value in (0.25, 1.25, NAN)),
        ],
    },
    "mission_candidates": {
        "every candidate is there once": [{"k": 8}],
        "one candidate at most is chosen": [{"chosen": True}],
        "evidence is numbers": [
            {"perplexity": 0.0},
            *({name: value} for name in ("perplexity", "gain", "gain_error") for value in (NAN, INFINITY)),
            {"gain": -INFINITY},
        ],
    },
    "mission_tagged_baskets": {"every basket is there once": [{"basket": "2"}], **TAGS},
    "mission_history": {
        "every basket is there once": [{"basket": "2"}],
        "no basket is later than the model's week": [{"basket_week": LATE}],
        **TAGS,
    },
    "mission_profiles": {
        "every measure of a mission is there once": [{"mission": "M02"}],
        "every value is a number": [
            *({"value": value} for value in (NAN, INFINITY, None)),
            *({"index": value} for value in (NAN, INFINITY)),
            {"baskets": -1},
        ],
        "an interval holds its number": [
            {"low": None},
            {"high": None},
            {"low": 0.55},
            {"high": 0.45},
            {"index": 120.0},
        ],
        "the missions' shares of baskets add up to 1": [{"value": 0.25}, {"name": "share_of_spend"}],
        "index 100 is the average of all baskets": [{"mission": "all", "name": "mean_items", "index": 90.0}],
    },
    "customer_sequences": {
        "every customer is there once": [{"customer": "C2"}],
        "baskets are in the order of date and hour": [
            {"baskets": [VISIT, {**VISIT, "hour": 8}]},
            {"baskets": [VISIT, {**VISIT, "date": LONG_AGO - timedelta(days=1)}]},
        ],
        "no basket is later than the week": [{"baskets": [VISIT, {**VISIT, "date": LATE}]}],
        "no more baskets are kept than were seen, and some if any were": [{"baskets_seen": 1}, {"baskets": []}],
        "every basket has an item": [{"baskets": [VISIT, {**VISIT, "items": []}]}],
    },
    "next_basket_scores": {
        "every customer has each rank once": [{"rank": 2}],
        "every customer has each item once": [{"item": "B"}],
        "every customer has as many items as the longest list": [{"customer": "C2"}],
        "ranks start at 1": [{"rank": 0}],
        "probability is a number from 0 to 1": [{"probability": value} for value in (NAN, -0.5, 1.5)],
        "probability_7_days is a number from 0 to 1": [{"probability_7_days": value} for value in (NAN, -0.5, 1.5)],
        "every row says why and what scored it": [{"reason": ""}, {"model_version": ""}, {"source": "guess"}],
    },
    "next_trip_outlook": {
        "every customer is there once": [{"customer": "C2"}],
        "visit_within_7_days is a number from 0 to 1": [{"visit_within_7_days": value} for value in (NAN, -0.5, 1.5)],
        "expected_days is from 1 to 365": [{"expected_days": value} for value in (NAN, 0.5, 366.0)],
        "expected_items is above 0": [{"expected_items": value} for value in (NAN, 0.0)],
        "mission_probabilities add up to 1, or there are none": [
            {"mission_probabilities": [0.5, 0.75]},
            {"mission_probabilities": [NAN, 0.75]},
        ],
        "a mission is named if and only if there are probabilities": [{"mission": None}, {"mission_probabilities": []}],
        "every row says what foretold it": [{"model_version": ""}, {"source": "guess"}],
    },
}


def in_week(week: date, table: str, rows: list[Fields]) -> list[Fields]:
    """The rows as those of this week; one whose date lies in WEEK moves along."""
    dated = "date" in {column.name for column in TABLES[table]}
    moved = [{**row, "date": week} if dated and row["date"].year == WEEK.year else row for row in rows]
    return [{**row, "week": week} for row in moved]


def audited(spark: SparkSession, folder: Path, table: str, weeks: list[list[Fields]]) -> list[set[str]]:
    """The claims that each week's rows break. One job for all; nulls are written where the table has none."""
    days = [WEEK + timedelta(weeks=number) for number in range(len(weeks))]
    columns = StructType([StructField(field.name, field.dataType) for field in schema(table)])
    rows = [row for day, found in zip(days, weeks, strict=True) for row in in_week(day, table, found)]
    values = [tuple(row[name] for name in columns.names) for row in rows]
    write(spark.createDataFrame(values, columns).coalesce(1), table, str(folder / table))
    report = audit(spark, table, str(folder / table), [])
    return [
        {claim for claim, offenders in report[day.isoformat()]["violations"].items() if offenders > 0} for day in days
    ]


@pytest.mark.parametrize("table", CLAIMS)
def test_claims_notice(spark: SparkSession, tmp_path: Path, table: str) -> None:
    """Every breaker is counted under the claim it breaks, and sound rows under none."""
    first, *others = SOUND[table]
    cases = [(claim, fields) for claim, breakers in BREAKERS[table].items() for fields in breakers]

    sound, *found = audited(
        spark, tmp_path, table, [SOUND[table], *([{**first, **case}, *others] for _, case in cases)]
    )

    assert sound == set()
    unnoticed = [case for case, broken in zip(cases, found, strict=True) if case[0] not in broken]
    assert unnoticed == []


def test_every_claim_has_a_breaker() -> None:
    """No claim is without a row that breaks it."""
    assert {table: set(claims) for table, claims in CLAIMS.items()} == {
        table: {claim for claim, breakers in claims.items() if breakers} for table, claims in BREAKERS.items()
    }


def test_claims_are_of_tables() -> None:
    """Every table with claims is a table of the lake."""
    assert CLAIMS.keys() <= TABLES.keys()
