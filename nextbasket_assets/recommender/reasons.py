"""Why an item is on a list, told from the model's own terms, as short sentences.

An item the customer has bought before is there by its repeat term, and the reason names the evidence that term reads.
Any other item is there by its bias (what everybody buys) or by the query (what goes with this customer's baskets),
whichever lifts it further above the average item.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.purchases import Purchases
from nextbasket_assets.recommender.runs import spelled_out
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

RECENT_TRIPS = 8
DUE = 0.8  # share of the usual gap after which an item counts as due
LIFTED = float(np.log(1.5))  # a term counts as a lift when it raises the odds by half or more
(
    POPULAR,
    FITTING,
    RECENT,
    DUE_NOW,
    SELDOM,
    NEW_CUSTOMER,
    NOTHING_KNOWN,
    OWN_FREQUENCY,
    SHOP_FREQUENCY,
    POPULAR_NOW,
    MISSION,
) = range(11)


@dataclass(frozen=True)
class Evidence:
    """Kind of reason and the two numbers it names, all of one shape."""

    kinds: np.ndarray
    first: np.ndarray
    second: np.ndarray


def average(values_V: np.ndarray) -> float:
    """Mean over the items."""
    return float(values_V[FIRST_ITEM:].mean())


def of_others(popular: np.ndarray, trend: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """(Q,) kinds of reason of items never bought before, from the terms of their logits above the average item's."""
    kinds = np.where(trend >= LIFTED, POPULAR_NOW, POPULAR)
    chosen: np.ndarray = np.where(fits > popular + trend, FITTING, kinds)
    return chosen


def recent_trips(histories: Histories, rows: Rows, items_RK: np.ndarray) -> np.ndarray:
    """(R, K) how many of the last RECENT_TRIPS trips before each row's prefix hold the item."""
    end = histories.basket_offsets[rows.customers] + rows.prefixes
    low, high = (histories.item_offsets[place] for place in (end - np.minimum(rows.prefixes, RECENT_TRIPS), end))
    owner, entry = spelled_out(low, high - low)
    span = int(max(histories.items.max(initial=0), items_RK.max(initial=0))) + 1
    keys = np.sort(owner * span + histories.items[entry])
    wanted = np.arange(len(end))[:, None] * span + items_RK
    trips: np.ndarray = np.searchsorted(keys, wanted, "right") - np.searchsorted(keys, wanted, "left")
    return trips


def of_repeats(
    purchases: Purchases, events: np.ndarray, prefixes: np.ndarray, recent: np.ndarray, today: int
) -> Evidence:
    """Reasons of items bought before.

    Args:
        purchases: the events.
        events: (Q,) the item's last purchase. prefixes: (Q,) trips so far. recent: (Q,) of the last RECENT_TRIPS.
        today: the day after the scored week.
    """
    count = purchases.counts[events]
    window = np.minimum(prefixes, RECENT_TRIPS)
    days = today - 1 - purchases.days[events]  # as of the last day of the week
    usual = np.rint((purchases.days[events] - purchases.first_days[events]) / np.maximum(count - 1, 1)).astype(np.int64)
    due = (recent < 3) & (count >= 3) & (usual >= 1) & (days >= DUE * usual) & (days <= 3 * usual)
    kinds = np.where(due, DUE_NOW, np.where(recent >= 1, RECENT, SELDOM))
    trips = prefixes - purchases.positions[events]
    first = np.select([due, recent >= 1], [usual, recent], count)
    return Evidence(
        kinds, first.astype(np.int64), np.select([due, recent >= 1], [days, window], trips).astype(np.int64)
    )


def sentences(evidence: Evidence) -> pa.Array:
    """The reasons in words, in one row; each distinct one is written once."""
    span = int(max(evidence.first.max(initial=0), evidence.second.max(initial=0))) + 1
    keys = (evidence.kinds.ravel() * span + evidence.first.ravel()) * span + evidence.second.ravel()
    distinct, index = np.unique(keys, return_inverse=True)
    told = zip(distinct // span**2, distinct // span % span, distinct % span, strict=True)
    words = pa.array([_sentence(int(kind), int(first), int(second)) for kind, first, second in told], pa.string())
    return words.take(pa.array(index))


@lru_cache(maxsize=2**16)  # batches have most of their sentences in common
def _sentence(kind: int, first: int, second: int) -> str:
    trips = "trip" if second == 1 else "trips"
    times = "once" if first == 1 else f"{first} times"
    days = "day" if first == 1 else f"{first} days"
    return {
        POPULAR: "popular with all customers",
        FITTING: "goes with this customer's baskets",
        RECENT: f"bought on {first} of the last {second} {trips}",
        DUE_NOW: f"usually every {days}, last {second} {'day' if second == 1 else 'days'} ago",
        SELDOM: f"bought {times}, last {second} {trips} ago",
        NEW_CUSTOMER: "popular with all customers; no purchases known yet",
        NOTHING_KNOWN: "popular with all customers; only unknown items bought so far",
        OWN_FREQUENCY: f"bought on {first} of {second} {trips}; no model yet",
        SHOP_FREQUENCY: "popular with all customers; no model yet",
        POPULAR_NOW: "popular now",
        MISSION: "goes with this mission",
    }[kind]
