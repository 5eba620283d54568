"""What the validation customers say about the curves from scores to probabilities."""

import numpy as np

from nextbasket_assets.recommender import calibration, metrics, ranking
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.calibration import Calibration, WithinWeek
from nextbasket_assets.recommender.heads import WEEK
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.split import Split
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed

CALIBRATED_RANKS = 50  # places of the list whose probabilities are promised


def in_basket(network: Network, prefixes: Prefixes, parts: Split) -> Calibration:
    """The curve of P(item in next basket), from the validation customers' first held-out baskets."""
    rows = parts.validation
    if not len(rows.customers):
        return calibration.START
    ranked = ranking.rank(network, prefixes, rows, CALIBRATED_RANKS, parts.week)
    happened = metrics.hits(ranked.items, ranking.truth(prefixes.histories, rows))
    sizes = np.broadcast_to(ranking.log_basket_sizes(prefixes.histories, rows)[:, None], happened.shape)
    shown = np.isfinite(ranked.log_shares)
    return calibration.fit(ranked.log_shares[shown], sizes[shown], happened[shown])


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
