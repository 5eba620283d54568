"""Held-out customers and their targets in ids that every method shares, and the methods' values on them.

Items are compared by their codes, so models with different vocabularies meet on equal terms, and a target item that a
model does not know counts against it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender import baselines, histories, metrics, purchases, ranking, trends, vocabulary
from nextbasket_assets.recommender.artifact import Loaded
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.trends import week_number
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, Vocabulary

GLOBAL, PERSONAL, COMBINED = "global top-frequency", "personal top-frequency", "combined top-frequency"
LONGEST = max(metrics.CUTS)
CALIBRATED = 50  # places of the list over which probabilities are checked

Values = dict[tuple[str, int], np.ndarray]


@dataclass(frozen=True)
class Bench:
    """Held-out customers and targets in ids that every method shares.

    Attributes:
        sequences: as delivered. everything: the vocabulary of all items in them. shared: the sequences in its ids.
        rows: the customers and the baskets before their targets. truth: the targets.
        popularity: (V,) baskets with each id before the held-out weeks.
        week: number of the week in which the targets are predicted.
    """

    sequences: Sequences
    everything: Vocabulary
    shared: Histories
    rows: Rows
    truth: metrics.Truth
    popularity: np.ndarray
    week: int


def bench(sequences: Sequences, rows: Rows, start: int) -> Bench:
    """The bench of these rows; items are popular by the baskets before the day `start`."""
    everything = vocabulary.build(sequences.items, 1)
    shared = histories.encode(sequences, everything, sequences.missions.shape[1])
    inside = np.repeat(shared.days < start, np.diff(shared.item_offsets))
    popularity = np.bincount(shared.items[inside], minlength=everything.size)
    return Bench(sequences, everything, shared, rows, ranking.truth(shared, rows), popularity, int(week_number(start)))


def frequency_baselines(bench: Bench) -> dict[str, Values]:
    """The counting baselines on the bench."""
    counts = baselines.count(bench.shared, bench.rows.customers, bench.rows.prefixes)
    lists = {
        GLOBAL: baselines.global_top(bench.popularity, len(bench.rows.customers), LONGEST),
        PERSONAL: baselines.personal_top(counts, LONGEST),
        COMBINED: baselines.combined_top(counts, bench.popularity, LONGEST),
    }
    return {name: metrics.per_customer(top, bench.truth) for name, top in lists.items()}


def model_values(bench: Bench, loaded: Loaded) -> Values:
    """A model on the bench, calibration included under ("calibration_error", 50).

    Raises:
        ScoreError: its scores are not finite.
    """
    model = loaded.model
    encoded = histories.encode(bench.sequences, model.vocabulary, model.network.config.missions)
    moving = trends.of_histories(encoded, model.vocabulary.rates(model.baskets))
    prefixes = Prefixes.of(encoded, purchases.collect(encoded), moving)
    ranked = ranking.rank(model.network, prefixes, bench.rows, CALIBRATED, bench.week)
    codes = np.full(model.vocabulary.size + 1, -1)  # the last place serves the empty places of a list, -1
    codes[FIRST_ITEM:-1] = shared_ids(bench.everything, model.vocabulary.codes)
    top = codes[ranked.items]
    values = metrics.per_customer(top, bench.truth)
    shown = np.isfinite(ranked.log_shares)
    sizes = ranking.log_basket_sizes(encoded, bench.rows)[:, None]
    probability = model.calibration.probability(ranked.log_shares, sizes)[shown]
    error = metrics.calibration_error(probability, metrics.hits(top, bench.truth)[shown])
    return values | {("calibration_error", CALIBRATED): np.full(len(top), error)}


def shared_ids(everything: Vocabulary, codes: pa.Array) -> np.ndarray:
    """Ids of item codes in the shared vocabulary; below zero for an item that none of these customers bought."""
    ids = everything.encode(codes)
    return np.where(ids >= FIRST_ITEM, ids, -1)


def table_rows(methods: dict[str, Values], version: str) -> list[dict[str, Any]]:
    """The means as rows of model_evaluation, the week left out."""
    return [
        {
            "model_version": version,
            "method": method,
            "metric": metric,
            "k": k,
            "value": value,
            "customers": customers,
        }
        for method, values in methods.items()
        for (metric, k), (value, customers) in metrics.means(values).items()
    ]
