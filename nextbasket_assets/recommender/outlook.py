"""One row per customer about their next trip: when, what for, how large. R customers, M missions."""

from collections.abc import Sequence as Ids

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender import ranking
from nextbasket_assets.recommender.batches import Prefixes, Slices
from nextbasket_assets.recommender.heads import Forecast
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.purchases import latest
from nextbasket_assets.recommender.ranking import ScoreError
from nextbasket_assets.recommender.scorer import FALLBACK, MODEL, Scorer
from nextbasket_assets.recommender.split import Rows

SCHEMA = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("visit_within_7_days", pa.float32(), nullable=False),
        pa.field("expected_days", pa.float32(), nullable=False),
        pa.field("expected_items", pa.float32(), nullable=False),
        pa.field("mission", pa.string()),
        pa.field("mission_probabilities", pa.list_(pa.field("element", pa.float32(), nullable=False)), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
    ]
)


def table(scorer: Scorer, sequences: Sequences, missions: Ids) -> tuple[pa.Table, int]:
    """The rows of these customers, and how many of them were predicted by counting.

    The model speaks for everybody with a basket. While it knows another mission model than the sequences are in the
    terms of, it says when and how much, and the missions are counted.

    Raises:
        ScoreError: there are not as many `missions` (ids) as weights in the sequences.
    """
    modelled = (np.diff(sequences.basket_offsets) > 0) & (scorer.model is not None)
    forecast = next_trips(scorer, sequences, np.flatnonzero(modelled))
    names = np.array(FALLBACK), np.array(MODEL)
    version = pa.DictionaryArray.from_arrays(np.zeros(len(modelled), np.int8), pa.array([scorer.version]))
    columns = [
        sequences.customers,
        *(pa.array(part.astype(np.float32)) for part in (forecast.within_week, forecast.days, forecast.size)),
        *_missions(forecast.missions, missions),
        pa.array(np.where(modelled, names[1], names[0])),
        version.cast(pa.string()),
    ]
    return pa.table(columns, schema=SCHEMA), int((~modelled).sum())


def next_trips(scorer: Scorer, sequences: Sequences, customers: np.ndarray) -> Forecast:
    """The model's forecast of these customers, who have baskets, and the counted one of all others."""
    counted = scorer.habits.forecast(sequences)
    if scorer.model is None or not len(customers):
        return counted
    encoded = scorer.encode(sequences)
    rows = ranking.filled(Rows(customers, encoded.lengths[customers]))
    prefixes = Prefixes.of(encoded, latest(encoded), scorer.moving)
    states = ranking.states(scorer.model.network, prefixes, Slices(rows.customers, rows.prefixes, rows.prefixes))
    told = scorer.forecast(encoded, rows, states)
    parts = [counted.within_week.copy(), counted.days.copy(), counted.size.copy(), counted.missions.copy()]
    heard = [told.within_week, told.days, told.size]
    if told.missions.shape[1] == counted.missions.shape[1] and scorer.missions_known:
        heard.append(told.missions)
    for part, values in zip(parts, heard, strict=False):
        part[customers] = values[: len(customers)]
    return Forecast(*parts)


def _missions(shares: np.ndarray, ids: Ids) -> tuple[pa.Array, pa.Array]:
    """The most probable mission of each row, null where there is none, and the chances of all of them."""
    rows, missions = shares.shape
    offsets = pa.array((np.arange(rows + 1) * missions).astype(np.int32))
    values = pa.array(shares.ravel().astype(np.float32))
    lists = pa.ListArray.from_arrays(offsets, values).cast(SCHEMA.field("mission_probabilities").type)
    if not missions:
        return pa.nulls(rows, pa.string()), lists
    if missions != len(ids):
        raise ScoreError(
            f"the sequences carry {missions} missions and {len(ids)} are known by name: "
            "materialise customer_sequences for the week again"
        )
    return pa.array(list(ids)).take(pa.array(shares.argmax(1))), lists
