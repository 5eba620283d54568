"""Frequency baselines: what everybody buys, what the customer buys, and both. They are also the fallback.

R customers, V ids, Q pairs of customer and item bought before, K length of the lists.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender.histories import Histories, known
from nextbasket_assets.recommender.runs import spelled_out
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

PRIOR_TRIPS = 5.0  # trips that the shop's rate is worth beside the customer's own
NONE = -1


@dataclass(frozen=True)
class Counts:
    """Purchases of customer and item before a prefix.

    Attributes:
        rows, items: (Q,) customer and id, sorted. counts: (Q,) baskets with it. firsts: (Q,) position of the first one.
        trips: (R,) baskets of the prefix.
    """

    rows: np.ndarray
    items: np.ndarray
    counts: np.ndarray
    firsts: np.ndarray
    trips: np.ndarray


def count(histories: Histories, customers: np.ndarray, prefixes: np.ndarray) -> Counts:
    """What these customers bought in their first `prefixes` baskets, unknown items left out."""
    first = histories.basket_offsets[customers]
    low, high = histories.item_offsets[first], histories.item_offsets[first + prefixes]
    row, entry = spelled_out(low, high - low)
    basket = np.searchsorted(histories.item_offsets, entry, side="right") - 1
    keep = known(histories)[entry]
    row, item, position = row[keep], histories.items[entry][keep], (basket - first[row])[keep]
    span = int(histories.items.max(initial=0)) + 1
    keys, firsts, counts = np.unique(row * np.int64(span) + item, return_index=True, return_counts=True)
    return Counts(keys // span, keys % span, counts, position[firsts], prefixes)


def global_top(popularity: np.ndarray, rows: int, k: int) -> np.ndarray:
    """(rows, K) the most bought items; ties go to the lower id; `NONE` where fewer than K were ever bought.

    Args:
        popularity: (V,) baskets with each id.
    """
    return np.tile(_popular(popularity, k), (rows, 1))


def personal_top(counts: Counts, k: int) -> np.ndarray:
    """(R, K) each customer's most bought items, ties to the one bought first; `NONE` where there are fewer than K."""
    order = np.lexsort((counts.items, counts.firsts, -counts.counts, counts.rows))
    rows = counts.rows[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    top = np.full((len(counts.trips), k), NONE, np.int64)
    keep = place < k
    top[rows[keep], place[keep]] = counts.items[order][keep]
    return top


def combined_top(counts: Counts, popularity: np.ndarray, k: int) -> np.ndarray:
    """(R, K) the personal list, filled up with popular items that are not on it."""
    own = personal_top(counts, k)
    popular = _popular(popularity, 2 * k)
    span = len(popularity)
    rows = np.arange(len(own))[:, None]
    fresh = ~np.isin(rows * span + popular, (rows * span + own)[own != NONE])
    place = (own != NONE).sum(1)[:, None] + np.cumsum(fresh, axis=1) - 1
    fits = fresh & (place < k)
    own[np.nonzero(fits)[0], place[fits]] = np.broadcast_to(popular, fits.shape)[fits]
    return own


def frequency_probabilities(counts: Counts, rates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The fallback: the customer's own purchase rate, shrunk to the shop's.

    P(item) = (count + PRIOR_TRIPS * rate) / (trips + PRIOR_TRIPS), a mean of both with the weight of the trips seen.

    Args:
        counts: the customers' purchases.
        rates: (V,) share of all baskets that hold each id.
        k: length of the lists; the ids must be at least as many.

    Returns:
        (R, K) ids, (R, K) probabilities in falling order, (R, K) own purchases.
    """
    rows, scale = len(counts.trips), counts.trips + PRIOR_TRIPS
    shown = min(2 * k, len(rates) - FIRST_ITEM)
    popular = _popular(rates, shown)
    span = np.int64(len(rates))
    all_rows = np.concatenate([counts.rows, np.repeat(np.arange(rows), shown)])
    all_items = np.concatenate([counts.items, np.tile(popular, rows)])
    bought = np.concatenate([counts.counts, np.zeros(rows * shown, np.int64)])
    _, index = np.unique(all_rows * span + all_items, return_index=True)  # the first is the bought one
    all_rows, all_items, bought = all_rows[index], all_items[index], bought[index]
    probability = (bought + PRIOR_TRIPS * rates[all_items]) / scale[all_rows]
    order = np.lexsort((all_items, -probability, all_rows))
    place = np.arange(len(order)) - np.searchsorted(all_rows[order], all_rows[order])
    order = order[place < k]
    shape = (rows, k)
    return all_items[order].reshape(shape), probability[order].reshape(shape), bought[order].reshape(shape)


def _popular(popularity: np.ndarray, k: int) -> np.ndarray:
    bought = popularity[FIRST_ITEM:]
    top = np.argsort(-bought, kind="stable")[:k]
    top = np.where(bought[top] > 0, top + FIRST_ITEM, NONE)
    return np.concatenate([top, np.full(k - len(top), NONE)]).astype(np.int64)
