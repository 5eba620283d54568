"""What the validation customers, and the prefixes that were withheld, say about the curves from scores to probabilities."""

from dataclasses import replace

import numpy as np

from nextbasket_assets.recommender import calibration, metrics, ranking, withholding
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.calibration import Calibration, Pairs, WithinWeek
from nextbasket_assets.recommender.examples import newest_day
from nextbasket_assets.recommender.heads import WEEK
from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.ranking import Ranked
from nextbasket_assets.recommender.row_weights import faded
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed

CALIBRATED_RANKS = 50  # places of the list whose probabilities are promised


def floor(network: Network, prefixes: Prefixes, parts: Split, withheld: np.ndarray, half_life: float) -> float:
    """The log odds that no item is below, from the `withheld` (N,) baskets; older ones say less, as in training."""
    rows = withholding.rows_of(prefixes.histories, withheld)
    if not len(rows.customers):
        return calibration.START.floor
    ranked = ranking.rank(network, prefixes, rows, CALIBRATED_RANKS, week=None)
    age = newest_day(prefixes.histories, parts.trained) - prefixes.histories.days[withheld]
    return calibration.fit_floor(_pairs(ranked, prefixes.histories, rows, faded(age, half_life)))


def in_basket(network: Network, prefixes: Prefixes, parts: Split, floor: float) -> Calibration:
    """The curve of P(item in next basket) above a floor, from the validation customers' first held-out baskets."""
    rows = parts.validation
    if not len(rows.customers):
        return replace(calibration.START, floor=floor)
    ranked = ranking.rank(network, prefixes, rows, CALIBRATED_RANKS, parts.week)
    return calibration.fit(_pairs(ranked, prefixes.histories, rows, np.ones(len(rows.customers))), floor)


def _pairs(ranked: Ranked, histories: Histories, rows: Rows, weights: np.ndarray) -> Pairs:
    """What became of the lists' items; (R,) weights of the rows."""
    happened = metrics.hits(ranked.items, ranking.truth(histories, rows))
    shown = np.isfinite(ranked.log_shares)
    sizes, heavy = (
        np.broadcast_to(of_R[:, None], shown.shape)[shown]
        for of_R in (ranking.log_basket_sizes(histories, rows), weights)
    )
    return Pairs(ranked.log_shares[shown], sizes, happened[shown], heavy)


def within_week(network: Network, prefixes: Prefixes, parts: Split, curve: Calibration) -> WithinWeek:
    """The curve of P(item within 7 days), from what the validation customers bought in the first held-out week."""
    rows = parts.watched
    if not len(rows.customers):
        return calibration.START_WITHIN_WEEK
    histories = prefixes.histories
    ranked = ranking.rank(network, prefixes, rows, CALIBRATED_RANKS, parts.week)
    probability = curve.probability(ranked.log_shares, ranking.log_basket_sizes(histories, rows)[:, None])
    known = inputs(ranked.states, Trips.of(histories), rows)
    trip = network.trips.forecast(known, elapsed(histories, rows.customers, rows.prefixes, parts.start))
    happened = metrics.hits(ranked.items, ranking.bought_between(histories, rows, parts.start, parts.start + WEEK))
    shown = np.isfinite(ranked.log_shares)
    chance = np.broadcast_to(trip.within_week[:, None], shown.shape)
    return calibration.fit_within_week(probability[shown], chance[shown], happened[shown])
