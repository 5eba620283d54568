"""What a customer's own record says about each item, at every prefix of the sequence, computed once.

A purchase event is (customer, item, basket). Everything the repeat term wants to know about an item before basket p
follows from the state at its last purchase before p and from the time since: a count, sums that decay with baskets and
with days, the gaps. So the states are computed once per event, and an event speaks for the prefixes p with
`position < p <= next_position`.
"""

from dataclasses import dataclass

import numpy as np
import torch

from nextbasket_assets.recommender.histories import Histories, known

BASKET_RATES = (0.5, 0.8, 0.9, 0.95, 0.98)  # decay per basket
DAY_HALF_LIVES = (7.0, 30.0, 120.0)  # days until a purchase counts half
LOG_RATES = np.log2(np.array(BASKET_RATES)).astype(np.float32)
LOG_HALVES = (-1.0 / np.array(DAY_HALF_LIVES)).astype(np.float32)
FEATURES = 12 + len(BASKET_RATES) + len(DAY_HALF_LIVES)
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Purchases:
    """Events by customer, item, position; E events: all of them, or the last one of each item.

    Attributes:
        offsets: (C + 1,) events of customer c.
        items: (E,) ids.
        positions: (E,) basket of the purchase, counted from the customer's first one, 0.
        next_positions: (E,) basket of the item's next purchase; `NEVER` if there is none.
        days: (E,) day of the purchase.
        counts: (E,) purchases of the item so far, this one included.
        first_positions, first_days: (E,) of the item's first purchase.
        last_gaps: (E,) baskets since the purchase before; 0 for the first one.
        decayed: (rates, E) sums over the purchases so far, just after this one.
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


def collect(histories: Histories) -> Purchases:
    """The events of all customers with their states."""
    customer, items, position, day = _in_order(histories)
    begins, starts, sizes = _runs(customer, items)
    first = np.repeat(starts, sizes)
    count = np.arange(1, len(items) + 1) - first
    gap = np.where(begins, 0, np.diff(position, prepend=position[:1]))
    upcoming = np.full(len(items), NEVER, np.int32)
    upcoming[:-1] = np.where(begins[1:], NEVER, position[1:])
    return Purchases(
        offsets=np.searchsorted(customer, np.arange(histories.customers + 1)),
        items=items,
        positions=position,
        next_positions=upcoming,
        days=day,
        counts=count.astype(np.int32),
        first_positions=np.repeat(position[starts], sizes),
        first_days=np.repeat(day[starts], sizes),
        last_gaps=gap,
        decayed=_decayed_sums(count, gap, np.where(begins, 0, np.diff(day, prepend=day[:1]))),
    )


def latest(histories: Histories) -> Purchases:
    """The last event of each customer's items, with its state: all that the ends of the histories ask for, and quicker."""
    customer, items, position, day = _in_order(histories)
    _, starts, sizes = _runs(customer, items)
    last = starts + sizes - 1
    return Purchases(
        offsets=np.searchsorted(customer[starts], np.arange(histories.customers + 1)),
        items=items[last],
        positions=position[last],
        next_positions=np.full(len(last), NEVER, np.int32),
        days=day[last],
        counts=sizes.astype(np.int32),
        first_positions=position[starts],
        first_days=day[starts],
        last_gaps=position[last] - position[np.maximum(last - 1, starts)],
        decayed=_final_sums(starts, sizes, position, day),
    )


def _runs(customer: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(E,) whether an event is the first one of its customer and item; where each item's events begin; how many they are."""
    begins = np.ones(len(items), bool)
    begins[1:] = (customer[1:] != customer[:-1]) | (items[1:] != items[:-1])
    starts = np.flatnonzero(begins)
    return begins, starts, np.diff(np.append(starts, len(items)))


def _in_order(histories: Histories) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(E,) customer, item, position and day of each event, by the first three.

    They are packed into one distinct whole number each, so that numpy's fastest sort does it and nothing is gathered.
    """
    lengths = histories.lengths
    customer_of_basket = np.repeat(np.arange(histories.customers), lengths)
    position_of_basket = np.arange(len(histories.days)) - histories.basket_offsets[customer_of_basket]
    item_bits = int(histories.items.max(initial=0)).bit_length()
    bits = int(lengths.max(initial=0)).bit_length()
    keys = np.repeat((customer_of_basket << (item_bits + bits)) + position_of_basket, np.diff(histories.item_offsets))
    keys += histories.items.astype(np.int64) << bits
    keys = np.sort(keys[known(histories)])
    customer, position = keys >> (item_bits + bits), keys & ((1 << bits) - 1)
    items = (keys >> bits) & ((1 << item_bits) - 1)
    day = histories.days.astype(np.int32)[histories.basket_offsets[customer] + position]
    return customer, items.astype(np.int32), position.astype(np.int32), day


def _decayed_sums(count: np.ndarray, basket_gap: np.ndarray, day_gap: np.ndarray) -> np.ndarray:
    """(rates, E): S(e) = S(e - 1) * rate ** gap + 1, all first purchases, then all second ones, and so on."""
    kept = np.exp2(
        np.concatenate([basket_gap[:, None] * LOG_RATES, day_gap[:, None] * LOG_HALVES], axis=1, dtype=np.float32)
    )
    sums = np.ones_like(kept)
    by_count = np.argsort(count, kind="stable")
    edges = np.cumsum(np.bincount(count)) if len(count) else np.zeros(1, np.int64)
    for rank in range(2, len(edges)):
        events = by_count[edges[rank - 1] : edges[rank]]
        sums[events] = sums[events - 1] * kept[events] + 1
    return np.ascontiguousarray(sums.T)


def _final_sums(starts: np.ndarray, sizes: np.ndarray, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """(rates, items): the decayed sums at each item's last purchase."""
    if not len(starts):
        return np.zeros((len(BASKET_RATES) + len(DAY_HALF_LIVES), 0), np.float32)
    last = starts + sizes - 1
    parts = [
        _summed(log_rates, np.repeat(when[last], sizes) - when, starts)
        for log_rates, when in ((LOG_RATES, position), (LOG_HALVES, day))
    ]
    return np.concatenate([part.T for part in parts])


def _summed(log_rates: np.ndarray, ages: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(items, rates): sums of 2 ** (log rate * age) from each start to the next; torch adds looked-up rows quickest."""
    bags = torch.from_numpy(starts.astype(np.int32))
    table = torch.from_numpy(_table(log_rates, ages))
    sums: np.ndarray = torch.nn.functional.embedding_bag(torch.from_numpy(ages), table, bags, mode="sum").numpy()
    return sums


def _powers(log_rates: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """(rates, E): 2 ** (log rate * age), looked up: ages are few whole numbers, and many events share them."""
    powers: np.ndarray = np.ascontiguousarray(_table(log_rates, ages).T).take(ages, axis=1)
    return powers


def _table(log_rates: np.ndarray, ages: np.ndarray) -> np.ndarray:
    table: np.ndarray = np.exp2(np.arange(int(ages.max(initial=0)) + 1, dtype=np.float32)[:, None] * log_rates)
    return table


def pair_features(
    purchases: Purchases, events: np.ndarray, prefixes: np.ndarray, today: np.ndarray, lifts: np.ndarray
) -> np.ndarray:
    """(Q, FEATURES + windows) what the repeat term sees of each pair of prefix and item, about in the range of a unit.

    Args:
        purchases: the events.
        events: (Q,) the item's last purchase before the prefix.
        prefixes: (Q,) baskets before the one to be predicted.
        today: (Q,) day of the last basket of the prefix.
        lifts: (Q, windows) of the item just then, which come last.
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
    # row by row in memory: a column would touch every line
    features = np.empty((FEATURES + lifts.shape[1], len(events)), np.float32)
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
    sums = purchases.decayed.take(events, axis=1)
    since = (trips - 1).astype(np.int64), days.astype(np.int64)
    features[12:split] = sums[: len(BASKET_RATES)] * _powers(LOG_RATES, since[0])
    # a share of the decayed trips: 1 when in every basket
    features[12:split] *= (1 - np.exp2(LOG_RATES))[:, None] / (1 - _powers(LOG_RATES, prefixes))
    features[split:FEATURES] = _log1p(sums[len(BASKET_RATES) :] * _powers(LOG_HALVES, since[1]))
    features[FEATURES:] = lifts.T
    return features.T


def _log1p(values: np.ndarray) -> np.ndarray:
    """log(1 + x) of 32-bit numbers that are not tiny: numpy has fast code for `log` and none for `log1p`."""
    logs: np.ndarray = np.log(values + np.float32(1))
    return logs
