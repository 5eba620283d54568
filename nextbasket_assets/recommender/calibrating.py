"""What the validation customers, and the prefixes that were withheld, say about the curves from scores to probabilities."""

import numpy as np

from nextbasket_assets.recommender import calibration, metrics, ranking, withholding
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.calibration import Calibration, Pairs, WithinWeek
from nextbasket_assets.recommender.examples import newest_day
from nextbasket_assets.recommender.heads import WEEK
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.row_weights import faded
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed

CALIBRATED_RANKS = 50  # places of the list whose probabilities are promised


def in_basket(
    network: Network, prefixes: Prefixes, parts: Split, withheld: np.ndarray, half_life: float
) -> Calibration:
    """The curve of P(item in next basket), from the validation customers' first held-out baskets.

    Its floor is also told by the `withheld` (N,) baskets, of which older ones say less, as in training.
    """
    histories, rows = prefixes.histories, withholding.rows_of(prefixes.histories, withheld)
    age = newest_day(histories, parts.trained) - histories.days[withheld]
    return calibration.fit(
        _pairs(network, prefixes, parts.validation, parts.week, np.ones(len(parts.validation.customers))),
        _pairs(network, prefixes, rows, None, faded(age, half_life)),
    )


def _pairs(network: Network, prefixes: Prefixes, rows: Rows, week: int | None, weights: np.ndarray) -> Pairs:
    """What became of the items of the rows' lists; (R,) weights of the rows."""
    ranked = ranking.rank(network, prefixes, rows, CALIBRATED_RANKS, week)
    happened = metrics.hits(ranked.items, ranking.truth(prefixes.histories, rows))
    shown = np.isfinite(ranked.log_shares)
    sizes, heavy = (
        np.broadcast_to(of_R[:, None], shown.shape)[shown]
        for of_R in (ranking.log_basket_sizes(prefixes.histories, rows), weights)
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
