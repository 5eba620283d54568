"""Lists of items for some customers: by the model where it knows a purchase of theirs, by counting where it does not.

R customers, K length of the lists, V ids, M missions.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nextbasket_assets.errors import BAD_INPUT
from nextbasket_assets.recommender import baselines, outlook, purchases, ranking, reasons
from nextbasket_assets.recommender.batches import Batch, Prefixes
from nextbasket_assets.recommender.explainer import Explainer
from nextbasket_assets.recommender.heads import Forecast
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.ranking import Ranked, ScoreError
from nextbasket_assets.recommender.reasons import Evidence
from nextbasket_assets.recommender.scorer import FALLBACK, MODEL, Scorer
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, Vocabulary


class TooFewItemsError(ScoreError):
    """Longer lists were asked for than there are items."""

    exit_code = BAD_INPUT


SCHEMA = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("probability_7_days", pa.float32(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Lists:
    """(R, K) ids, P(item in next basket) in falling order, P(item within 7 days) and evidence of some customers' lists."""

    items: np.ndarray
    probabilities: np.ndarray
    within_week: np.ndarray
    evidence: Evidence

    @classmethod
    def empty(cls, rows: int, k: int) -> "Lists":
        """Lists to be filled in."""
        evidence = Evidence(*(np.zeros((rows, k), np.int64) for _ in range(3)))
        return cls(np.zeros((rows, k), np.int64), np.zeros((rows, k)), np.zeros((rows, k)), evidence)

    def put(self, rows: np.ndarray, part: "Lists") -> None:
        """Fills in the lists of these rows; what `part` holds beyond them is filling."""
        count = len(rows)
        self.items[rows], self.probabilities[rows] = part.items[:count], part.probabilities[:count]
        self.within_week[rows] = part.within_week[:count]
        for name in ("kinds", "first", "second"):
            getattr(self.evidence, name)[rows] = getattr(part.evidence, name)[:count]


def require(scorer: Scorer, k: int) -> None:
    """Refuses lists that are longer than the items known.

    Raises:
        TooFewItemsError: fewer than k items are known.
    """
    if scorer.words.size - FIRST_ITEM < k:
        raise TooFewItemsError(
            f"{k} items per customer are wanted and {scorer.words.size - FIRST_ITEM} are known: "
            "ask for shorter lists or train on more weeks"
        )


def table(
    scorer: Scorer, sequences: Sequences, k: int, reasons_wanted: bool = True, mission: int | None = None
) -> tuple[pa.Table, int]:
    """The rows of these customers, and how many of them got the fallback.

    Args:
        scorer: a model, or none.
        sequences: of the scored week.
        k: length of the lists.
        reasons_wanted: whether to say why; empty strings otherwise.
        mission: for a trip of this mission (its place among the weights), where the model knows the missions.
    """
    encoded = scorer.encode(sequences)
    bought = purchases.latest(encoded)
    modelled = (np.diff(bought.offsets) > 0) & (scorer.model is not None)
    lists = Lists.empty(encoded.customers, k)
    if len(known := np.flatnonzero(modelled)):
        rows = ranking.filled(Rows(known, encoded.lengths[known]))
        lists.put(known, _modelled(scorer, encoded, bought, rows, k, mission))
    if len(others := np.flatnonzero(~modelled)):
        # with baskets, of unknown items alone: their outlook is the model's all the same
        strangers = ~modelled & (encoded.lengths > 0) & (scorer.model is not None)
        trips = outlook.next_trips(scorer, sequences, np.flatnonzero(strangers))
        lists.put(others, _fallback(scorer, encoded, Rows(others, encoded.lengths[others]), k, trips))
    told = lists.evidence if reasons_wanted else None
    return _table(scorer.words, scorer.version, sequences, lists, told, modelled), int((~modelled).sum())


def _modelled(
    scorer: Scorer,
    encoded: Histories,
    bought: purchases.Purchases,
    rows: Rows,
    k: int,
    mission: int | None,
) -> Lists:
    assert scorer.model is not None
    model, moving = scorer.model, scorer.moving
    weights = None if mission is None else np.eye(model.network.config.missions, dtype=np.float32)[mission]
    prefixes = Prefixes.of(encoded, bought, moving)
    explained: list[Evidence] = []
    explainer = Explainer.of(model.network, moving, scorer.week, weights)

    def explain(batch: Batch, ranked: Ranked) -> None:
        begin = sum(len(before.kinds) for before in explained)
        run = slice(begin, begin + len(ranked.items))
        part = Rows(rows.customers[run], rows.prefixes[run])
        explained.append(explainer.evidence(batch, ranked, prefixes, part, scorer.today))

    ranked = ranking.rank(model.network, prefixes, rows, k, scorer.week, explain, weights)
    probability = model.calibration.probability(ranked.log_shares, ranking.log_basket_sizes(encoded, rows)[:, None])
    forecast = scorer.forecast(encoded, rows, ranked.states)
    within_week = model.within_week.probability(probability, forecast.within_week[:, None])
    joined = Evidence(*(np.concatenate([getattr(e, n) for e in explained]) for n in ("kinds", "first", "second")))
    return Lists(ranked.items, probability, within_week, joined)


def _fallback(scorer: Scorer, encoded: Histories, rows: Rows, k: int, trips: Forecast) -> Lists:
    counts = baselines.count(encoded, rows.customers, rows.prefixes)
    items, probabilities, own = baselines.frequency_probabilities(counts, scorer.rates, k)
    before = np.broadcast_to(rows.prefixes[:, None], own.shape)
    nobody = reasons.NOTHING_KNOWN if scorer.model else reasons.SHOP_FREQUENCY
    kinds = np.where(own > 0, reasons.OWN_FREQUENCY, np.where(before == 0, reasons.NEW_CUSTOMER, nobody))
    coming = trips.within_week[rows.customers][:, None]
    within_week = -np.expm1(np.log1p(-coming) * probabilities)  # trips at random, of which P(item) hold the item
    return Lists(items, probabilities, within_week, Evidence(kinds, own, np.where(own > 0, before, 0)))


def _table(
    words: Vocabulary,
    version: str,
    sequences: Sequences,
    lists: Lists,
    told: Evidence | None,
    modelled: np.ndarray,
) -> pa.Table:
    customers, k = lists.items.shape
    size = customers * k
    source = pa.DictionaryArray.from_arrays(np.repeat(modelled, k).astype(np.int8), pa.array([FALLBACK, MODEL]))
    columns = [
        sequences.customers.take(pa.array(np.repeat(np.arange(customers), k))),
        pa.array(np.tile(np.arange(1, k + 1, dtype=np.int32), customers)),
        words.decode(lists.items.ravel()),
        pa.array(lists.probabilities.ravel().astype(np.float32)),
        pa.array(lists.within_week.ravel().astype(np.float32)),
        reasons.sentences(told) if told else pa.array([""] * size, pa.string()),
        source.cast(pa.string()),
        pa.DictionaryArray.from_arrays(np.zeros(size, np.int8), pa.array([version])).cast(pa.string()),
    ]
    return pa.table(columns, schema=SCHEMA)
