"""Held-out customers and their targets in ids that every method shares, and the methods' values on them.

Items are compared by their codes, so models with different vocabularies meet on equal terms, and a target item that a
model does not know counts against it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender import baselines, histories, metrics, purchases, ranking, trends, vocabulary
from nextbasket_assets.recommender.artifact import Loaded, Model
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.heads import WEEK
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.trends import week_number
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, Vocabulary

GLOBAL, PERSONAL, COMBINED = "global top-frequency", "personal top-frequency", "combined top-frequency"
LONGEST = max(metrics.CUTS)
CALIBRATED = 50  # places of the list over which probabilities are checked
NEXT_BASKET, WITHIN_WEEK, VISIT = "next_basket", "within_week", "visit"  # what probabilities are of
ERRORS = {NEXT_BASKET: ("", CALIBRATED), WITHIN_WEEK: ("_7_days", CALIBRATED), VISIT: ("_visit", 0)}

Values = dict[tuple[str, int], np.ndarray]


@dataclass(frozen=True)
class Bench:
    """Held-out customers and targets in ids that every method shares.

    Attributes:
        sequences: as delivered. everything: the vocabulary of all items in them. shared: the sequences in its ids.
        rows: the customers and the baskets before their targets. truth: the targets.
        popularity: (V,) baskets with each id before the held-out weeks.
        week: number of the week in which the targets are predicted.
        everyone: rows of the customers of the same hand, whether they came again or not.
        start: day on which the targets' weeks begin.
    """

    sequences: Sequences
    everything: Vocabulary
    shared: Histories
    rows: Rows
    truth: metrics.Truth
    popularity: np.ndarray
    week: int
    everyone: Rows
    start: int


def bench(sequences: Sequences, rows: Rows, everyone: Rows, start: int) -> Bench:
    """The bench of these rows; items are popular by the baskets before the day `start`."""
    everything = vocabulary.build(sequences.items, 1)
    shared = histories.encode(sequences, everything, sequences.missions.shape[1], sequences.mission_model)
    inside = np.repeat(shared.days < start, np.diff(shared.item_offsets))
    popularity = np.bincount(shared.items[inside], minlength=everything.size)
    return Bench(
        sequences,
        everything,
        shared,
        rows,
        ranking.truth(shared, rows),
        popularity,
        int(week_number(start)),
        everyone,
        start,
    )


def frequency_baselines(bench: Bench) -> dict[str, Values]:
    """The frequency baselines on the bench."""
    counts = baselines.count(bench.shared, bench.rows.customers, bench.rows.prefixes)
    lists = {
        GLOBAL: baselines.global_top(bench.popularity, len(bench.rows.customers), LONGEST),
        PERSONAL: baselines.personal_top(counts, LONGEST),
        COMBINED: baselines.combined_top(counts, bench.popularity, LONGEST),
    }
    return {name: metrics.per_customer(top, bench.truth) for name, top in lists.items()}


@dataclass(frozen=True)
class Judged:
    """A model's values per customer, and how reliable its probabilities are, by what they are of."""

    values: Values
    reliability: dict[str, metrics.Reliability]


def judge(bench: Bench, loaded: Loaded) -> Judged:
    """A model on the bench: its lists, and its probabilities of items and of trips.

    Raises:
        ScoreError: its scores are not finite.
    """
    model = loaded.model
    encoded = model.encode(bench.sequences)
    moving = trends.of_histories(encoded, model.vocabulary.rates(model.baskets))
    prefixes = Prefixes.of(encoded, purchases.collect(encoded), moving)
    codes = np.full(model.vocabulary.size + 1, -1)  # the last place serves the empty places of a list, -1
    codes[FIRST_ITEM:-1] = shared_ids(bench.everything, model.vocabulary.codes)
    ranked = ranking.rank(model.network, prefixes, bench.rows, CALIBRATED, bench.week)
    values = metrics.per_customer(codes[ranked.items], bench.truth)
    sizes = ranking.log_basket_sizes(encoded, bench.rows)[:, None]
    probability = model.calibration.probability(ranked.log_shares, sizes)
    shown = np.isfinite(ranked.log_shares)
    happened = metrics.hits(codes[ranked.items], bench.truth)
    found = {NEXT_BASKET: metrics.reliability(probability[shown], happened[shown])}
    found |= _within_week(bench, model, prefixes, codes)
    errors = {(f"calibration_error{suffix}", k): found[name] for name, (suffix, k) in ERRORS.items()}
    means = {key: np.full(len(happened), part.error) for key, part in errors.items()}
    return Judged(values | means, found)


def _within_week(bench: Bench, model: Model, prefixes: Prefixes, codes: np.ndarray) -> dict[str, metrics.Reliability]:
    """What was said of the first held-out week, of all customers of the hand, whether they came or not."""
    encoded, rows = prefixes.histories, bench.everyone
    ranked = ranking.rank(model.network, prefixes, rows, CALIBRATED, bench.week)
    known = inputs(ranked.states, Trips.of(encoded), rows)
    trip = model.network.trips.forecast(known, elapsed(encoded, rows.customers, rows.prefixes, bench.start))
    sizes = ranking.log_basket_sizes(encoded, rows)[:, None]
    probability = model.within_week.probability(
        model.calibration.probability(ranked.log_shares, sizes), trip.within_week[:, None]
    )
    bought = ranking.bought_between(bench.shared, rows, bench.start, bench.start + WEEK)
    came = np.bincount(bought.rows, minlength=bought.customers) > 0
    shown = np.isfinite(ranked.log_shares)
    happened = metrics.hits(codes[ranked.items], bought)
    return {
        WITHIN_WEEK: metrics.reliability(probability[shown], happened[shown]),
        VISIT: metrics.reliability(trip.within_week, came),
    }


def shared_ids(everything: Vocabulary, codes: pa.Array) -> np.ndarray:
    """Ids of item codes in the shared vocabulary; below zero for an item that none of these customers bought."""
    ids = everything.encode(codes)
    return np.where(ids >= FIRST_ITEM, ids, -1)


def table_rows(methods: dict[str, Values], version: str) -> list[dict[str, Any]]:
    """The means as rows of model_evaluation, the week left out."""
    return [
        _row(version, method, metric, k, value, customers)
        for method, values in methods.items()
        for (metric, k), (value, customers) in metrics.means(values).items()
    ]


def reliability_rows(
    found: dict[str, metrics.Reliability], method: str, version: str, customers: int
) -> list[dict[str, Any]]:
    """The reliability tables as rows of model_evaluation: predicted, observed and pairs of each decile."""
    return [
        _row(version, method, f"{name}_{column}", ERRORS[name][1], float(value), customers) | {"decile": decile}
        for name, table in found.items()
        for column in ("predicted", "observed", "pairs")
        for decile, value in enumerate(getattr(table, column), start=1)
    ]


def _row(version: str, method: str, metric: str, k: int, value: float, customers: int) -> dict[str, Any]:
    return {
        "model_version": version,
        "method": method,
        "metric": metric,
        "k": k,
        "decile": None,
        "value": value,
        "customers": customers,
    }
