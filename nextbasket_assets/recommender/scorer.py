"""What it takes to score a week: a model or none, the shop's rates, what sells just now, and when people come."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.recommender import artifact, histories, trends
from nextbasket_assets.recommender.habits import Habits
from nextbasket_assets.recommender.heads import Forecast
from nextbasket_assets.recommender.histories import Histories, SequenceError, Sequences
from nextbasket_assets.recommender.side_by_side import side_by_side
from nextbasket_assets.recommender.split import DAYS_PER_WEEK, Rows
from nextbasket_assets.recommender.trends import Trends
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed
from nextbasket_assets.recommender.vocabulary import Vocabulary

CUSTOMERS = 1024  # customers in memory at a time, per core
MODEL, FALLBACK = "model", "fallback"
FALLBACK_VERSION = "top-frequency"


@dataclass(frozen=True)
class Scorer:
    """A model, or none, and what one pass over the week's sequences tells.

    Attributes:
        model: None while there is none.
        words: the items that may be recommended.
        rates: (V,) share of baskets with each id.
        version: written in each row.
        today: the day after the scored week, as a day number. week: its week's number.
        moving: what sells just now; the model reads it.
        habits: when people come.
        missions_known: False when the sequences are in the terms of another mission model than the model's.
    """

    model: artifact.Model | None
    words: Vocabulary
    rates: np.ndarray
    version: str
    today: int
    moving: Trends
    habits: Habits
    missions_known: bool = True

    @property
    def week(self) -> int:
        """Number of the week after the scored one."""
        return int(trends.week_number(self.today))

    @classmethod
    def load(cls, artifact_dir: str, week: datetime.date, sequence_files: list[str]) -> "Scorer":
        """The scorer of an artifact; one pass over the sequences tells it what sells just now.

        Raises:
            ArtifactError: it is damaged, not finite, or newer than the week, which would be time travel.
        """
        loaded = artifact.load(artifact_dir)
        model = loaded.model
        artifact.require_finite(model.network)
        if model.as_of > week:
            raise artifact.ArtifactError(
                f"the model was trained as of {model.as_of.isoformat()}, after the week {week.isoformat()}: "
                "score with a model that is not newer than the week"
            )
        rates = model.vocabulary.rates(model.baskets)
        today = first_day_after(week)
        now = int(trends.week_number(today))
        weekly = trends.Weekly.empty(now - trends.FURTHEST, now - 1, model.vocabulary.size)
        habits, known = Habits(today), True

        def read(sequences: Sequences) -> tuple[Sequences, Histories]:
            return sequences, model.encode(sequences)

        for sequences, encoded in side_by_side(histories.stream(sequence_files, CUSTOMERS), read):
            weekly.add(encoded)
            habits.add(sequences)
            known &= sequences.mission_model == model.mission_model
        moving = trends.trends(weekly, rates)
        return cls(model, model.vocabulary, rates, loaded.version, today, moving, habits, known)

    @classmethod
    def without_model(cls, week: datetime.date, sequence_files: list[str]) -> "Scorer":
        """The scorer of the first weeks: rates of the sequences themselves, counted in one pass."""
        today = first_day_after(week)
        counted, habits = Counted(), Habits(today)
        for sequences in histories.stream(sequence_files, CUSTOMERS):
            counted.add(sequences)
            habits.add(sequences)
        words = counted.vocabulary()
        rates = words.rates(int(habits.baskets))
        moving = trends.trends(trends.Weekly.empty(0, -1, words.size), rates)
        return cls(None, words, rates, FALLBACK_VERSION, today, moving, habits)

    def encode(self, sequences: Sequences) -> Histories:
        """The sequences in the scorer's ids."""
        return self.model.encode(sequences) if self.model else histories.encode(sequences, self.words, 0, NOBODYS)

    def forecast(self, encoded: Histories, rows: Rows, states_RH: np.ndarray) -> Forecast:
        """The model's word about the next trip of these rows, whose baskets are all of their customers'."""
        assert self.model is not None
        away = elapsed(encoded, rows.customers, rows.prefixes, self.today)
        return self.model.network.trips.forecast(inputs(states_RH, Trips.of(encoded), rows), away)


NOBODYS = "of no mission model"  # what the fallback's missions are in the terms of: it has none


class Counted:
    """Baskets with each item, over batches of sequences."""

    def __init__(self) -> None:
        self.counts: pa.Table | None = None

    def add(self, sequences: Sequences) -> None:
        """Counts these customers in."""
        values = pc.value_counts(sequences.items)
        part = pa.table({"item": values.field("values"), "n": values.field("counts")})
        merged: Iterable[pa.Table] = [part] if self.counts is None else [self.counts, part]
        grouped = pa.concat_tables(merged).group_by("item").aggregate([("n", "sum")])
        self.counts = grouped.rename_columns(["item", "n"])

    def vocabulary(self) -> Vocabulary:
        """All items, however rare.

        Raises:
            SequenceError: nothing was counted.
        """
        if self.counts is None:
            raise SequenceError("there are no customer sequences: materialise customer_sequences for the week first")
        counts = self.counts.sort_by("item").combine_chunks()
        return Vocabulary(counts["item"].cast(pa.string()).combine_chunks(), counts["n"].to_numpy())


def first_day_after(week: datetime.date) -> int:
    """Day number of the Monday after a week."""
    return histories.day_number(week) + DAYS_PER_WEEK
