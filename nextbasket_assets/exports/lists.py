"""From a week's scores and outlooks to the lists that leave: filtered, cut to length, renumbered, with their group.

Everything works on whole columns: a customer's rows lie together, so a list is a span of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.exports.dictionary import LONG, PER_CUSTOMER, schema, wide_columns
from nextbasket_assets.exports.holdout import held_out
from nextbasket_assets.exports.settings import OWN, ExportError, ExportSettings


@dataclass(frozen=True)
class Lists:
    """What is exported of a week.

    Attributes:
        long: one row per customer and item.
        customers: one row per customer, those with an empty list included.
        places: items that the longest possible list has; columns of the wide form are made for these.
        removed: rows that the allow list and the exclusion list took, by name.
    """

    long: pa.Table
    customers: pa.Table
    places: int
    removed: Mapping[str, int]


def lists(week: date, scores: pa.Table, outlook: pa.Table, settings: ExportSettings, names: Mapping[str, str]) -> Lists:
    """The lists of a week.

    Args:
        week: its Monday.
        scores: rows of next_basket_scores of the week.
        outlook: rows of next_trip_outlook of the week.
        settings: what was asked for.
        names: of items; a code without one keeps an empty name.

    Raises:
        ExportError: there are no scores, or customers without an outlook.
    """
    if not scores.num_rows:
        raise ExportError(f"week {week} has no scores. Score the week first.")
    scores = scores.sort_by([("customer", "ascending"), ("rank", "ascending")])
    scored = int(pc.max(scores["rank"]).as_py())
    customers = _customers(week, scores, outlook, settings, settings.k or scored)
    kept, removed = _filtered(scores, settings)
    owner = _owner(kept, customers)
    position = _position(owner)
    inside = position < customers["wanted_items"].to_numpy()[owner]
    kept, owner, position = kept.filter(pa.array(inside)), owner[inside], position[inside]
    lengths = np.bincount(owner, minlength=customers.num_rows).astype(np.int32)
    customers = customers.append_column("items", pa.array(lengths)).select(schema(PER_CUSTOMER).names)
    trip = customers.take(pa.array(owner))
    columns = {
        **{name: trip[name] for name in trip.schema.names},
        **{name: kept[name] for name in ("item", "probability", "probability_7_days", "reason", "source")},
        "rank": pa.array(position + 1, pa.int32()),
        "item_name": _named(kept["item"], names),
    }
    long = pa.table({column.name: columns[column.name] for column in LONG}).cast(schema(LONG))
    return Lists(long, customers.cast(schema(PER_CUSTOMER)), min(settings.k or scored, scored), removed)


def _customers(week: date, scores: pa.Table, outlook: pa.Table, settings: ExportSettings, most: int) -> pa.Table:
    """One row per scored customer, by code: their trip, their group, and how long a list they are to get."""
    first = scores.filter(pc.equal(scores["rank"], 1)).select(["customer", "source", "model_version"])
    found = pc.index_in(first["customer"], outlook["customer"].combine_chunks())
    if found.null_count:
        raise ExportError(
            f"next_trip_outlook of week {week} lacks {found.null_count} of {first.num_rows} scored customers: one was made "
            "again without the other. Materialise both for the week, the outlook after the scores."
        )
    trip = outlook.take(found).select(["visit_within_7_days", "expected_days", "expected_items", "mission"])
    held = held_out(first["customer"].to_pylist(), settings.campaign, settings.holdout_share)
    wanted = np.full(first.num_rows, most)
    if settings.length == OWN:
        wanted = np.clip(np.ceil(trip["expected_items"].to_numpy()), min(settings.shortest, most), most)
    columns = {
        "week": pa.array([week] * first.num_rows, pa.date32()),
        **{name: first[name] for name in first.schema.names},
        **{name: trip[name] for name in trip.schema.names},
        "holdout": pa.array(held),
        "wanted_items": pa.array(wanted.astype(np.int32)),
    }
    return pa.table(columns)


def _filtered(scores: pa.Table, settings: ExportSettings) -> tuple[pa.Table, dict[str, int]]:
    """The rows that both lists let through, and how many each of them took."""
    removed = {"allow": 0, "exclude": 0}
    for name, listed, inside in (("allow", settings.allow, True), ("exclude", settings.exclude, False)):
        if listed:
            on_it = pc.is_in(scores["item"], pa.array(sorted(listed.items), pa.string()))
            kept = scores.filter(on_it if inside else pc.invert(on_it))
            removed[name] = scores.num_rows - kept.num_rows
            scores = kept
    return scores, removed


def _owner(rows: pa.Table, customers: pa.Table) -> np.ndarray:
    """Row of `customers` that each row belongs to."""
    return np.asarray(pc.index_in(rows["customer"], customers["customer"].combine_chunks()))


def _position(owner: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal numbers.

    >>> _position(np.array([0, 0, 0, 2, 2])).tolist()
    [0, 1, 2, 0, 1]
    """
    index = np.arange(len(owner))
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return index - np.repeat(starts, np.diff(np.append(starts, len(owner))))


def _named(items: pa.ChunkedArray, names: Mapping[str, str]) -> pa.ChunkedArray:
    encoded = items.combine_chunks().dictionary_encode()
    return pa.array([names.get(item, "") for item in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def wide(long: pa.Table, customers: pa.Table, places: int) -> pa.Table:
    """One row per customer: their trip, then the item, name and probability of every place; empty places are null."""
    owner, place = _owner(long, customers), long["rank"].to_numpy()
    table = customers
    for number in range(1, places + 1):
        row_of = np.full(customers.num_rows, -1)
        at = np.flatnonzero(place == number)
        row_of[owner[at]] = at
        rows = long.take(pa.array(row_of, mask=row_of < 0))
        for column in ("item", "item_name", "probability"):
            table = table.append_column(f"{column}_{number}", rows[column])
    return table.cast(schema(wide_columns(places)))
