"""A week's numbers of every table, with names that stay, so that the UI plots them over the weeks.

What a stage counts on its way (rows in, removed, out) is beside them; here is what the published rows say. Shares and
probabilities are from 0 to 1, money is in the currency of the landing files.
"""

from collections.abc import Callable, Collection
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from nextbasket_assets.columns import WEEK
from nextbasket_assets.lake.tables import Lake

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = dict[str, float]


def week_numbers(lake: Lake, table: str, weeks: Collection[date]) -> dict[date, Numbers]:
    """The numbers of each of a table's published weeks, one week in memory at a time; a week without rows has none."""
    import pyarrow as pa

    if table not in _NUMBERS:
        return {}
    columns, numbers = _NUMBERS[table]
    files = (rows for rows in lake.batches(table, weeks, columns) if rows.num_rows)
    by_week = groupby(files, key=lambda rows: rows[WEEK][0].as_py())
    return {week: numbers(pa.concat_tables(parts)) for week, parts in by_week}


def _mean(rows: "pa.Table", column: str) -> float:
    import pyarrow.compute as pc

    return float(pc.mean(pc.cast(rows[column], "float64")).as_py() or 0.0)


def _share(rows: "pa.Table", column: str, value: str) -> float:
    import pyarrow.compute as pc

    return float(pc.sum(pc.equal(rows[column], value)).as_py() or 0) / float(rows.num_rows)


def _distinct(rows: "pa.Table", column: str) -> int:
    import pyarrow.compute as pc

    return int(pc.count_distinct(rows[column], mode="only_valid").as_py())


def _baskets(rows: "pa.Table") -> Numbers:
    import pyarrow.compute as pc

    return {
        "customers": _distinct(rows, "customer"),
        "anonymous_share": rows["customer"].null_count / rows.num_rows,
        "stores": _distinct(rows, "store"),
        "spend": float(pc.sum(rows["spend"]).as_py()),
        "mean_spend": _mean(rows, "spend"),
        "mean_units": _mean(rows, "units"),
    }


def _tags(rows: "pa.Table") -> Numbers:
    return {
        "missions_seen": _distinct(rows, "mission"),
        "unassigned_share": _share(rows, "mission", "unassigned"),
        "mean_confidence": _mean(rows, "confidence"),
        "mean_known_items": _mean(rows, "known_items"),
    }


def _topics(rows: "pa.Table") -> Numbers:
    import pyarrow.compute as pc

    return {
        "missions": _distinct(rows, "mission"),
        "items": _distinct(rows, "item"),
        "mean_lift": _mean(rows, "lift"),
        "largest_lift": float(pc.max(rows["lift"]).as_py()),
        "largest_probability": float(pc.max(rows["probability"]).as_py()),
    }


def _identities(rows: "pa.Table") -> Numbers:
    import pyarrow.compute as pc

    counts = {f"missions_{status}": _share(rows, "status", status) * rows.num_rows for status in _STATUSES}
    kept = {"mean_similarity": _mean(rows, "similarity")} if counts["missions_kept"] else {}
    return {**counts, "largest_share": float(pc.max(rows["share"]).as_py()), **kept}


def _candidates(rows: "pa.Table") -> Numbers:
    chosen = rows.filter(rows["chosen"]).to_pylist()  # none where there is no structure
    names = ("k", "perplexity", "gain", "gain_error", "coherence", "distinctness")
    return {"candidates": rows.num_rows} | {f"chosen_{name}": float(one[name]) for one in chosen for name in names}


def _sequences(rows: "pa.Table") -> Numbers:
    import pyarrow.compute as pc

    seen = rows["baskets_seen"]
    return {
        "mean_baskets_seen": _mean(rows, "baskets_seen"),
        "median_baskets_seen": float(pc.approximate_median(seen).as_py()),
        "most_baskets_seen": float(pc.max(seen).as_py()),
        "customers_without_baskets": float(pc.sum(pc.equal(seen, 0)).as_py()),
        "customers_with_one_basket": float(pc.sum(pc.equal(seen, 1)).as_py()),
    }


def _scores(rows: "pa.Table") -> Numbers:
    import pyarrow.compute as pc

    first = rows.filter(pc.equal(rows["rank"], 1))
    return {
        "customers": first.num_rows,
        "items": _distinct(rows, "item"),
        "mean_first_probability": _mean(first, "probability"),
        "mean_probability_7_days": _mean(rows, "probability_7_days"),
    }


def _outlooks(rows: "pa.Table") -> Numbers:
    return {
        "mean_expected_days": _mean(rows, "expected_days"),
        "mean_expected_items": _mean(rows, "expected_items"),
        "missions_foretold": _distinct(rows, "mission"),
    }


_STATUSES = ("new", "kept", "retired")
_TAG_COLUMNS = ("mission", "confidence", "known_items")
# Table -> the columns that are read, and what is made of them.
_NUMBERS: dict[str, tuple[tuple[str, ...], Callable[["pa.Table"], Numbers]]] = {
    "staged_baskets": (("customer", "store", "spend", "units"), _baskets),
    "mission_topics": (("mission", "item", "lift", "probability"), _topics),
    "mission_identities": (("status", "share", "similarity"), _identities),
    "mission_candidates": (
        ("chosen", "k", "perplexity", "gain", "gain_error", "coherence", "distinctness"),
        _candidates,
    ),
    "mission_history": (_TAG_COLUMNS, _tags),
    "mission_tagged_baskets": (_TAG_COLUMNS, _tags),
    "customer_sequences": (("baskets_seen",), _sequences),
    "next_basket_scores": (("rank", "item", "probability", "probability_7_days"), _scores),
    "next_trip_outlook": (("expected_days", "expected_items", "mission"), _outlooks),
}
