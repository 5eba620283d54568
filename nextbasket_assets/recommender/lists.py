"""Lists of items for some customers: by the model where it knows a purchase of theirs, by counting where it does not.

R customers, K length of the lists, V ids.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.recommender import artifact, baselines, histories, purchases, ranking, reasons, trends
from nextbasket_assets.recommender.batches import Batch, Prefixes
from nextbasket_assets.recommender.histories import Histories, SequenceError, Sequences
from nextbasket_assets.recommender.ranking import Ranked
from nextbasket_assets.recommender.reasons import Evidence
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.trends import Trends
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, Vocabulary

CUSTOMERS = 1024  # customers in memory at a time, per core
MODEL, FALLBACK = "model", "fallback"
FALLBACK_VERSION = "top-frequency"
SCHEMA = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Lists:
    """(R, K) ids, probabilities in falling order, and (R * K,) evidence of some customers' lists."""

    items: np.ndarray
    probabilities: np.ndarray
    evidence: Evidence


@dataclass(frozen=True)
class Scorer:
    """A model, or none, and the shop's rates: what it takes to make lists.

    Attributes:
        model: None while there is none.
        words: the items that may be recommended.
        rates: (V,) share of baskets with each id.
        version: written in each row.
        moving: what sells just now; the model reads it.
    """

    model: artifact.Model | None
    words: Vocabulary
    rates: np.ndarray
    version: str
    moving: Trends | None = None

    @classmethod
    def load(cls, artifact_dir: str, week: datetime.date, sequence_files: list[str]) -> "Scorer":
        """The scorer of an artifact; one pass over the sequences tells it what sells just now.

        Raises:
            ArtifactError: it is damaged, not finite, or newer than the week, which would be time travel.
        """
        loaded = artifact.load(artifact_dir)
        artifact.require_finite(loaded.model.network)
        if loaded.model.as_of > week:
            raise artifact.ArtifactError(
                f"the model was trained as of {loaded.model.as_of.isoformat()}, after the week {week.isoformat()}: "
                "score with a model that is not newer than the week"
            )
        model = loaded.model
        rates = model.vocabulary.rates(model.baskets)
        now = next_week(week)
        weekly = trends.Weekly.empty(now - trends.FURTHEST, now - 1, model.vocabulary.size)
        for sequences in histories.stream(sequence_files, CUSTOMERS):
            recent = histories.since(sequences, histories.day_number(week) - 7 * trends.FURTHEST)
            weekly.add(histories.encode(recent, model.vocabulary, model.network.config.missions))
        return cls(model, model.vocabulary, rates, loaded.version, trends.trends(weekly, rates))

    @classmethod
    def without_model(cls, sequence_files: list[str]) -> "Scorer":
        """The scorer of the first weeks: rates of the sequences themselves, counted in one pass."""
        counts: pa.Table | None = None
        baskets = 0
        for sequences in histories.stream(sequence_files, CUSTOMERS):
            values = pc.value_counts(sequences.items)
            part = pa.table({"item": values.field("values"), "n": values.field("counts")})
            merged = part if counts is None else pa.concat_tables([counts, part])
            counts = merged.group_by("item").aggregate([("n", "sum")]).rename_columns(["item", "n"])
            baskets += len(sequences.days)
        if counts is None:
            raise SequenceError("there are no customer sequences: materialise customer_sequences for the week first")
        counts = counts.sort_by("item").combine_chunks()
        codes = counts["item"].cast(pa.string()).combine_chunks()
        words = Vocabulary(codes, counts["n"].to_numpy())
        return cls(None, words, words.rates(baskets), FALLBACK_VERSION)

    def table(self, sequences: Sequences, k: int, week: int, reasons_wanted: bool) -> tuple[pa.Table, int]:
        """The rows of these customers for trips in a week (its number), and how many customers got the fallback."""
        missions = self.model.network.config.missions if self.model else sequences.missions.shape[1]
        encoded = histories.encode(sequences, self.words, missions)
        bought = purchases.collect(encoded, every_prefix=False)
        modelled = (np.diff(bought.offsets) > 0) & (self.model is not None)
        everyone = Rows(np.arange(encoded.customers), encoded.lengths)
        chosen, others = np.flatnonzero(modelled), np.flatnonzero(~modelled)
        items = np.zeros((encoded.customers, k), np.int64)
        probabilities = np.zeros((encoded.customers, k))
        evidence = Evidence(*(np.zeros((encoded.customers, k), np.int64) for _ in range(3)))
        for customers, make in ((chosen, self._modelled), (others, self._fallback)):
            if len(customers):
                lists = make(encoded, bought, Rows(customers, everyone.prefixes[customers]), k, week)
                items[customers], probabilities[customers] = lists.items, lists.probabilities
                evidence.kinds[customers], evidence.first[customers], evidence.second[customers] = (
                    part.reshape(-1, k) for part in (lists.evidence.kinds, lists.evidence.first, lists.evidence.second)
                )
        flat = Evidence(evidence.kinds.ravel(), evidence.first.ravel(), evidence.second.ravel())
        return self._rows(sequences, items, probabilities, flat if reasons_wanted else None, modelled), len(others)

    def _modelled(self, encoded: Histories, bought: purchases.Purchases, rows: Rows, k: int, week: int) -> Lists:
        assert self.model is not None
        assert self.moving is not None
        evidence: list[Evidence] = []
        network = self.model.network
        bias = network.bias.detach().numpy()
        bias = bias - bias[FIRST_ITEM:].mean()

        def explain(batch: Batch, ranked: Ranked) -> None:
            evidence.append(_evidence(batch, ranked, bought, encoded, rows, len(evidence), bias))

        ranked = ranking.rank(network, Prefixes.of(encoded, bought, self.moving), rows, k, week, explain)
        sizes = ranking.log_basket_sizes(encoded, rows)[:, None]
        joined = Evidence(
            *(np.concatenate([getattr(e, name) for e in evidence]) for name in ("kinds", "first", "second"))
        )
        return Lists(ranked.items, self.model.calibration.probability(ranked.log_shares, sizes), joined)

    def _fallback(self, encoded: Histories, bought: purchases.Purchases, rows: Rows, k: int, week: int) -> Lists:
        counts = baselines.count(encoded, rows.customers, rows.prefixes)
        items, probabilities, own = baselines.frequency_probabilities(counts, self.rates, k)
        trips = np.broadcast_to(rows.prefixes[:, None], own.shape)
        nobody = reasons.NOTHING_KNOWN if self.model else reasons.SHOP_FREQUENCY
        kinds = np.where(own > 0, reasons.OWN_FREQUENCY, np.where(trips == 0, reasons.NEW_CUSTOMER, nobody))
        return Lists(items, probabilities, Evidence(kinds.ravel(), own.ravel(), np.where(own > 0, trips, 0).ravel()))

    def _rows(
        self,
        sequences: Sequences,
        items: np.ndarray,
        probabilities: np.ndarray,
        evidence: Evidence | None,
        modelled: np.ndarray,
    ) -> pa.Table:
        customers, k = items.shape
        size = customers * k
        source = pa.DictionaryArray.from_arrays(np.repeat(modelled, k).astype(np.int8), pa.array([FALLBACK, MODEL]))
        columns = [
            sequences.customers.take(pa.array(np.repeat(np.arange(customers), k))),
            pa.array(np.tile(np.arange(1, k + 1, dtype=np.int32), customers)),
            self.words.decode(items.ravel()),
            pa.array(probabilities.ravel().astype(np.float32)),
            reasons.sentences(evidence) if evidence else pa.array([""] * size, pa.string()),
            source.cast(pa.string()),
            pa.DictionaryArray.from_arrays(np.zeros(size, np.int8), pa.array([self.version])).cast(pa.string()),
        ]
        return pa.table(columns, schema=SCHEMA)


def next_week(week: datetime.date) -> int:
    """Number of the week after a week's Monday: the one that is scored for."""
    return int(trends.week_number(histories.day_number(week))) + 1


def _evidence(
    batch: Batch,
    ranked: Ranked,
    bought: purchases.Purchases,
    encoded: Histories,
    rows: Rows,
    part: int,
    bias: np.ndarray,
) -> Evidence:
    """Reasons of one batch's lists: the repeat term where there is one, else the larger of bias and query."""
    span = len(bias)
    keys = batch.pair_rows.numpy() * span + batch.pair_items.numpy()
    wanted = (np.arange(len(ranked.items))[:, None] * span + ranked.items).ravel()
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    repeat = keys[place] == wanted
    row = part * ranking.BATCH_ROWS + np.repeat(np.arange(len(ranked.items)), ranked.items.shape[1])
    prefixes = rows.prefixes[row]
    today = encoded.days[encoded.basket_offsets[rows.customers[row]] + prefixes - 1]
    told = reasons.of_repeats(bought, batch.pair_events.numpy()[place], prefixes, today)
    fitting = ranked.fits.ravel() > bias[ranked.items.ravel()]
    kinds = np.where(repeat, told.kinds, np.where(fitting, reasons.FITTING, reasons.POPULAR))
    return Evidence(kinds, np.where(repeat, told.first, 0), np.where(repeat, told.second, 0))
