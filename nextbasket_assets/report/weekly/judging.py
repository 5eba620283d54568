"""Lists against what people then bought: one row per customer who had a list and came, from plain tables.

The target is a customer's first basket with merchandise of the week after the lists. An item is a repeat when the customer
had bought it before the lists were made, else it is explored.
"""

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.lake.tables import Lake

LENGTH = 10  # places of a list that are judged
_PAIR = ["customer", "item"]


def first_baskets(baskets: pa.Table) -> pa.Table:
    """The first basket with merchandise of every customer, by date, hour and id.

    Args:
        baskets: rows of staged_baskets with customer, date, hour, basket and items.
    """
    sold = pc.and_(pc.is_valid(baskets["customer"]), pc.greater(pc.list_value_length(baskets["items"]), 0))
    kept = baskets.filter(sold)
    order = [(name, "ascending") for name in ("customer", "date", "hour", "basket")]
    kept = kept.take(pc.sort_indices(kept.drop_columns("items"), sort_keys=order)).combine_chunks()
    numbered = kept.append_column("place", pa.array(range(kept.num_rows), pa.int64()))
    first = numbered.group_by("customer").aggregate([("place", "min")])["place_min"].combine_chunks()
    return kept.take(first.sort())


def bought_items(baskets: pa.Table) -> pa.Table:
    """(customer, item) of rows of staged_baskets, each pair once."""
    lists = baskets["items"].combine_chunks()
    items = pc.struct_field(pc.list_flatten(lists), "item")
    pairs = pa.table(
        {"customer": baskets["customer"].combine_chunks().take(pc.list_parent_indices(lists)), "item": items}
    )
    return pairs.filter(pc.is_valid(pairs["customer"])).group_by(_PAIR).aggregate([])


def bought_before(sequences: pa.Table, customers: pa.Array) -> pa.Table:
    """(customer, item, trips) of these customers' histories: how many of their baskets held the item.

    Args:
        sequences: rows of customer_sequences with customer and baskets.
        customers: codes.
    """
    kept = sequences.filter(pc.is_in(sequences["customer"], value_set=customers)).combine_chunks()
    baskets = kept["baskets"].combine_chunks()
    items = pc.struct_field(pc.list_flatten(baskets), "items")
    owner = pc.list_parent_indices(baskets).take(pc.list_parent_indices(items))
    pairs = pa.table({"customer": kept["customer"].combine_chunks().take(owner), "item": pc.list_flatten(items)})
    counted = pairs.append_column("one", pa.array([1] * pairs.num_rows, pa.int64())).group_by(_PAIR)
    return counted.aggregate([("one", "sum")]).rename_columns([*_PAIR, "trips"])


def usual_items(history: pa.Table, length: int = LENGTH) -> pa.Table:
    """(customer, item) each customer bought on most trips: the plainest list there is; ties by item code."""
    order = [("customer", "ascending"), ("trips", "descending"), ("item", "ascending")]
    ranked = history.sort_by(order)
    numbered = ranked.append_column("place", pa.array(range(ranked.num_rows), pa.int64()))
    starts = numbered.group_by("customer").aggregate([("place", "min")])
    joined = numbered.join(starts, "customer").filter(pc.field("place") - pc.field("place_min") < length)
    return joined.select(_PAIR)


def judge(lists: pa.Table, history: pa.Table, targets: pa.Table) -> pa.Table:
    """One row per customer with a list and a target, by customer.

    Args:
        lists: (customer, item) the places that are judged.
        history: (customer, item, trips) before the lists were made.
        targets: (customer, item) of the first basket afterwards.

    Returns:
        customer, items, hits, repeats, repeat_hits, explored, explore_hits, usual_hits: numbers of target items.
    """
    listed = targets.filter(pc.is_in(targets["customer"], value_set=pc.unique(lists["customer"])))
    marked = _marked(_marked(listed, lists, "hits"), history, "repeats")
    marked = _marked(marked, usual_items(history), "usual_hits")
    both = pc.multiply(marked["hits"], marked["repeats"])
    explored = pc.subtract(pa.scalar(1, pa.int64()), marked["repeats"])
    numbers = {
        **{name: marked[name] for name in ("hits", "repeats", "usual_hits")},
        **{"items": pa.array([1] * marked.num_rows, pa.int64()), "repeat_hits": both},
        **{"explored": explored, "explore_hits": pc.subtract(marked["hits"], both)},
    }
    summed = pa.table({"customer": marked["customer"], **numbers}).group_by("customer")
    found = summed.aggregate([(name, "sum") for name in numbers])
    return found.rename_columns([name.removesuffix("_sum") for name in found.schema.names]).sort_by("customer")


def _marked(pairs: pa.Table, others: pa.Table, name: str) -> pa.Table:
    """The pairs with a column that is 1 for those among the others and 0 for the rest."""
    ones = others.select(_PAIR).append_column(name, pa.array([1] * others.num_rows, pa.int64()))
    joined = pairs.join(ones, _PAIR, join_type="left outer")
    return joined.set_column(joined.schema.get_field_index(name), name, pc.fill_null(joined[name], 0))


def judged_week(lake: Lake, week: date) -> pa.Table:
    """The lists of a week against the week after it: the rows of `judge` with what is known of each customer.

    Returns:
        Also baskets_seen before the lists, and lifestage, price_sensitivity and store_format of the target basket.
    """
    labels = ["lifestage", "price_sensitivity", "store_format"]
    columns = ["customer", "date", "hour", "basket", "items", *labels]
    first = first_baskets(lake.read("staged_baskets", [week + timedelta(weeks=1)], columns))
    came = pc.unique(first["customer"].combine_chunks())
    lists = lake.read("next_basket_scores", [week], ["customer", "rank", "item"])
    sequences = lake.read("customer_sequences", [week], ["customer", "baskets_seen", "baskets"])
    shown = lists.filter(pc.less_equal(lists["rank"], LENGTH)).select(_PAIR)
    found = judge(shown, bought_before(sequences, came), bought_items(first))
    known = found.join(first.select(["customer", *labels]), "customer", join_type="left outer")
    return known.join(sequences.select(["customer", "baskets_seen"]), "customer", join_type="left outer").sort_by(
        "customer"
    )


def within_week(lake: Lake, week: date) -> tuple[pa.Array, pa.Array]:
    """What the lists said of the 7 days after a week, and what happened, for every place of every list.

    Returns:
        probability_7_days, and whether the customer bought the item in the week after.
    """
    lists = lake.read("next_basket_scores", [week], ["customer", "item", "probability_7_days"]).drop_columns("week")
    bought = bought_items(lake.read("staged_baskets", [week + timedelta(weeks=1)], ["customer", "items"]))
    marked = _marked(lists, bought, "happened").sort_by([("customer", "ascending"), ("item", "ascending")])
    return marked["probability_7_days"], pc.cast(marked["happened"], pa.float64())
