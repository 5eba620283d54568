"""The columns of an export: names, types and meanings, which the data dictionary of every export repeats."""

from collections.abc import Sequence

import pyarrow as pa

from nextbasket_assets.columns import TABLES, Column

_ARROW = {
    "string": pa.string(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
}


def _of(table: str, *names: str) -> tuple[Column, ...]:
    """Columns that come from a table as they are."""
    columns = {column.name: column for column in TABLES[table]}
    return tuple(columns[name] for name in names)


_WHO = (
    *_of("next_basket_scores", "week", "customer"),
    Column("holdout", "boolean", "true: leave this customer alone in the campaign; see the manifest for its name"),
)
_TRIP = _of("next_trip_outlook", "visit_within_7_days", "expected_days", "expected_items", "mission")
_SCORED = _of("next_basket_scores", "source", "model_version")

LONG: tuple[Column, ...] = (
    *_WHO,
    Column("rank", "integer", "1 for the most probable item of those that the lists let through; no gaps"),
    *_of("next_basket_scores", "item"),
    Column("item_name", "string", "the retailer's name of the item; empty without one in products.csv"),
    *_of("next_basket_scores", "probability", "probability_7_days", "reason"),
    *_TRIP,
    *_SCORED,
)
PER_CUSTOMER: tuple[Column, ...] = (
    *_WHO,
    Column("items", "integer", "items on the customer's list; 0 when the lists left nothing"),
    Column("wanted_items", "integer", "items that the list was to have"),
    *_TRIP,
    *_SCORED,
)
_PLACE = ("item", "item_name", "probability")


def wide_columns(places: int) -> tuple[Column, ...]:
    """Columns of the wide form: the customer's own, then three for every place of the list."""
    meanings = {column.name: column for column in LONG}
    return PER_CUSTOMER + tuple(
        Column(f"{name}_{number}", meanings[name].type, f"place {number}: {meanings[name].meaning}", nullable=True)
        for number in range(1, places + 1)
        for name in _PLACE
    )


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of these columns."""
    return pa.schema([pa.field(column.name, _ARROW[str(column.type)], column.nullable) for column in columns])


def dictionary(shapes: dict[str, Sequence[Column]]) -> pa.Table:
    """The data dictionary: one row per file and column, in order."""
    rows = [
        {
            "file": shape,
            "column": column.name,
            "type": column.type,
            "may_be_empty": column.nullable,
            "meaning": column.meaning,
        }
        for shape, columns in shapes.items()
        for column in columns
    ]
    return pa.Table.from_pylist(rows)
