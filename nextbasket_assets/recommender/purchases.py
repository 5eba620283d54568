"""What a customer's own record says about each item, at every prefix of the sequence, computed once.

A purchase event is (customer, item, basket). Everything the repeat term wants to know about an item before basket p
follows from the state at its last purchase before p and from the time since: a count, sums that decay with baskets and
with days, the gaps. So the states are computed once per event, and an event speaks for the prefixes p with
`position < p <= next_position`.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender.histories import Histories, known

BASKET_RATES = (0.5, 0.8, 0.9, 0.95, 0.98)  # decay per basket
DAY_HALF_LIVES = (7.0, 30.0, 120.0)  # days until a purchase counts half
LOG_RATES = np.log2(np.array(BASKET_RATES)).astype(np.float32)
LOG_HALVES = (-1.0 / np.array(DAY_HALF_LIVES)).astype(np.float32)
FEATURES = 12 + len(BASKET_RATES) + len(DAY_HALF_LIVES)
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Purchases:
    """Events by customer, item, position; E events.

    Attributes:
        offsets: (C + 1,) events of customer c.
        items: (E,) ids.
        positions: (E,) basket of the purchase, counted from the customer's first one, 0.
        next_positions: (E,) basket of the item's next purchase; `NEVER` if there is none.
        days: (E,) day of the purchase.
        counts: (E,) purchases of the item so far, this one included.
        first_positions, first_days: (E,) of the item's first purchase.
        last_gaps: (E,) baskets since the purchase before; 0 for the first one.
        decayed: (E, rates) sums over the purchases so far, just after this one.
    """

    offsets: np.ndarray
    items: np.ndarray
    positions: np.ndarray
    next_positions: np.ndarray
    days: np.ndarray
    counts: np.ndarray
    first_positions: np.ndarray
    first_days: np.ndarray
    last_gaps: np.ndarray
    decayed: np.ndarray


def collect(histories: Histories, every_prefix: bool = True) -> Purchases:
    """The events of all customers with their states.

    Args:
        histories: the sequences.
        every_prefix: False when only the ends of the histories will be asked for, which is quicker: the decayed sums of
            an item's earlier purchases are then not a number.
    """
    lengths = histories.lengths
    customer_of_basket = np.repeat(np.arange(histories.customers), lengths)
    position_of_basket = np.arange(len(histories.days)) - histories.basket_offsets[customer_of_basket]
    keep = known(histories)
    basket = np.repeat(np.arange(len(histories.days)), np.diff(histories.item_offsets))[keep]
    items = histories.items[keep].astype(np.int64)
    # one distinct key each, so that numpy's fastest integer sort gives customer, item, position
    longest = int(lengths.max(initial=0)) + 1
    span = int(histories.items.max(initial=0)) + 1
    order = np.argsort((customer_of_basket[basket] * span + items) * longest + position_of_basket[basket])
    basket, items = basket[order], items[order]
    customer, position, day = customer_of_basket[basket], position_of_basket[basket], histories.days[basket]
    starts = np.ones(len(items), bool)
    starts[1:] = (customer[1:] != customer[:-1]) | (items[1:] != items[:-1])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(items)), 0))
    count = np.arange(len(items)) - first + 1
    gap = np.where(starts, 0, np.diff(position, prepend=0))
    upcoming = np.full(len(items), NEVER, np.int64)
    upcoming[:-1][~starts[1:]] = position[1:][~starts[1:]]
    return Purchases(
        offsets=np.searchsorted(customer, np.arange(histories.customers + 1)),
        items=items.astype(np.int32),
        positions=position.astype(np.int32),
        next_positions=upcoming.astype(np.int32),
        days=day.astype(np.int32),
        counts=count.astype(np.int32),
        first_positions=position[first].astype(np.int32),
        first_days=day[first].astype(np.int32),
        last_gaps=gap.astype(np.int32),
        decayed=_decayed_sums(count, gap, np.where(starts, 0, np.diff(day, prepend=0)))
        if every_prefix
        else _final_sums(first, position, day),
    )


def _decayed_sums(count: np.ndarray, basket_gap: np.ndarray, day_gap: np.ndarray) -> np.ndarray:
    """(E, rates): S(e) = S(e - 1) * rate ** gap + 1, all first purchases, then all second ones, and so on."""
    kept = np.exp2(
        np.concatenate([basket_gap[:, None] * LOG_RATES, day_gap[:, None] * LOG_HALVES], axis=1, dtype=np.float32)
    )
    sums = np.ones_like(kept)
    by_count = np.argsort(count, kind="stable")
    edges = np.cumsum(np.bincount(count)) if len(count) else np.zeros(1, np.int64)
    for rank in range(2, len(edges)):
        events = by_count[edges[rank - 1] : edges[rank]]
        sums[events] = sums[events - 1] * kept[events] + 1
    return sums


def _final_sums(first: np.ndarray, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """(E, rates): the decayed sums at each item's last purchase, and NaN at the earlier ones."""
    starts = np.flatnonzero(first == np.arange(len(first)))
    last = np.append(starts[1:], len(first)) - 1
    sums = np.full((len(first), len(BASKET_RATES) + len(DAY_HALF_LIVES)), np.nan, np.float32)
    if len(starts):
        own_last = np.repeat(last, last - starts + 1)
        kept = _powers(LOG_RATES, position[own_last] - position), _powers(LOG_HALVES, day[own_last] - day)
        sums[last] = np.concatenate([np.add.reduceat(part, starts, axis=0) for part in kept], axis=1)
    return sums


def _powers(log_rates: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """(E, rates): 2 ** (log rate * age), looked up: ages are few whole numbers, and many events share them."""
    table = np.exp2(np.arange(int(ages.max(initial=0)) + 1, dtype=np.float32)[:, None] * log_rates)
    powers: np.ndarray = table.take(ages, axis=0)
    return powers


def pair_features(purchases: Purchases, events: np.ndarray, prefixes: np.ndarray, today: np.ndarray) -> np.ndarray:
    """(Q, FEATURES) what the repeat term sees of each pair of prefix and item, about in the range of a unit.

    Args:
        purchases: the events.
        events: (Q,) the item's last purchase before the prefix.
        prefixes: (Q,) baskets before the one to be predicted.
        today: (Q,) day of the last basket of the prefix.
    """
    p = prefixes.astype(np.float32)
    count = purchases.counts[events].astype(np.float32)
    trips = p - purchases.positions[events]  # 1 when the last basket holds the item
    days = (today - purchases.days[events]).astype(np.float32)
    known_trips = p - purchases.first_positions[events]
    known_days = (today - purchases.first_days[events]).astype(np.float32)
    cycle = (known_trips - trips + 1) / count  # baskets between purchases, shrunk to 1 for a single one
    day_cycle = (known_days - days + 7) / count
    last_gap = purchases.last_gaps[events].astype(np.float32)
    features = np.empty((FEATURES, len(events)), np.float32)  # row by row in memory: a column would touch every line
    for row, values in enumerate(
        (
            _log1p(count) * 0.5,
            count / p,
            count / known_trips,
            np.log(trips) * 0.5,
            _log1p(days) * 0.3,
            _log1p(known_trips) * 0.3,
            _log1p(cycle) * 0.5,
            np.log(trips / cycle) * 0.5,
            _log1p(days / day_cycle) * 0.5,
            _log1p(last_gap) * 0.5,
            trips == 1,
            count == 1,
        )
    ):
        features[row] = values
    split = 12 + len(BASKET_RATES)
    sums = purchases.decayed[events].T
    since = (trips - 1).astype(np.int64), days.astype(np.int64)
    features[12:split] = sums[: len(BASKET_RATES)] * _powers(LOG_RATES, since[0]).T
    # a share of the decayed trips: 1 when in every basket
    features[12:split] *= ((1 - np.exp2(LOG_RATES)) / (1 - _powers(LOG_RATES, prefixes))).T
    features[split:] = _log1p(sums[len(BASKET_RATES) :] * _powers(LOG_HALVES, since[1]).T)
    return features.T


def _log1p(values: np.ndarray) -> np.ndarray:
    """log(1 + x) of 32-bit numbers that are not tiny: numpy has fast code for `log` and none for `log1p`."""
    logs: np.ndarray = np.log(values + np.float32(1))
    return logs
