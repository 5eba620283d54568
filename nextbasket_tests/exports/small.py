"""Three customers and a shop of five items: what the tests of the exports export."""

from datetime import date

import pyarrow as pa

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.exports.settings import ExportSettings, ItemList
from nextbasket_assets.exports.week import WeekOfScores
from nextbasket_assets.lake.tables import arrow_schema

MONDAY = date(2006, 4, 10)
LISTS = {"ANN": "abcd", "BOB": "bcde", "CAT": "eabc"}
EXPECTED_ITEMS = {"ANN": 1.2, "BOB": 2.0, "CAT": 9.0}


def schema(table: str) -> pa.Schema:
    return arrow_schema(tuple(column for column in TABLES[table] if column.name != WEEK))


def scores() -> pa.Table:
    rows = [
        {
            "customer": customer,
            "rank": rank,
            "item": item,
            "probability": 0.5 / rank,
            "probability_7_days": 0.25 / rank,
            "reason": "bought in 3 of 4 baskets",
            "source": "fallback" if customer == "CAT" else "model",
            "model_version": "2006-04-03-abc",
        }
        for customer, items in reversed(LISTS.items())
        for rank, item in enumerate(items, 1)
    ]
    return pa.Table.from_pylist(rows, schema("next_basket_scores"))


def outlook() -> pa.Table:
    rows = [
        {
            "customer": customer,
            "visit_within_7_days": 0.5,
            "expected_days": 3.0,
            "expected_items": items,
            "mission": None,
            "mission_probabilities": [],
            "source": "model",
            "model_version": "2006-04-03-abc",
        }
        for customer, items in reversed(EXPECTED_ITEMS.items())
    ]
    return pa.Table.from_pylist(rows, schema("next_trip_outlook"))


def made(names: dict[str, str] | None = None) -> WeekOfScores:
    return WeekOfScores(
        week=MONDAY,
        scores=scores(),
        outlook=outlook(),
        tables={"next_basket_scores": 3, "next_trip_outlook": 2},
        names=names or {},
        known=frozenset("f"),
    )


def listed(items: str) -> ItemList:
    return ItemList("items.txt", "0" * 64, frozenset(items.split()))


PLAIN = ExportSettings()
