"""What it takes to score a week: a model or none, the shop's rates, what sells just now, and when people come."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nextbasket_assets.recommender import artifact, histories, trends
from nextbasket_assets.recommender.everybody import require_somebody
from nextbasket_assets.recommender.habits import Habits
from nextbasket_assets.recommender.heads import Forecast
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.sequence_files import batches
from nextbasket_assets.recommender.side_by_side import side_by_side
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.tally import Tally
from nextbasket_assets.recommender.trends import Trends
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed
from nextbasket_assets.recommender.vocabulary import Vocabulary

Result = TypeVar("Result")

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
        moving: what sells just now, in this one week; the model reads it.
        habits: when people come. customers: how many there are.
        missions_known: False when the sequences are in the terms of another mission model than the model's.
    """

    model: artifact.Model | None
    words: Vocabulary
    rates: np.ndarray
    version: str
    today: int
    moving: Trends
    habits: Habits
    customers: int
    missions_known: bool = True

    @property
    def week(self) -> int:
        """Number of the week after the scored one."""
        return int(trends.week_number(self.today))

    @classmethod
    def of(cls, loaded: artifact.Loaded | None, tally: Tally) -> "Scorer":
        """The scorer of a model, or of none, for the week of a tally.

        Raises:
            SequenceError: nobody was tallied; the week would be published without a row.
        """
        require_somebody(tally.customers)
        if loaded is None:
            words = tally.vocabulary()
            rates = words.rates(int(tally.habits.baskets))
            weekly = trends.Weekly.empty(0, -1, words.size)
        else:
            words = loaded.model.vocabulary
            rates, weekly = words.rates(loaded.model.baskets), tally.weekly
        model, version = (loaded.model, loaded.version) if loaded else (None, FALLBACK_VERSION)
        moving = trends.trends(weekly, rates).at(int(trends.week_number(tally.today)))
        return cls(
            model, words, rates, version, tally.today, moving, tally.habits, tally.customers, tally.missions_known
        )

    @classmethod
    def load(cls, artifact_dir: str | None, week: datetime.date, sequence_files: list[str]) -> "Scorer":
        """The scorer of an artifact, or of none; one pass over the sequences tells it what sells just now.

        Raises:
            ArtifactError: it is damaged, not finite, or newer than the week, which would be time travel.
            SequenceError: there are no sequences.
        """
        loaded = open_model(artifact_dir, week) if artifact_dir else None
        tally = Tally(loaded.model if loaded else None, week)
        for part in on_all_cores(sequence_files, tally.of):
            tally.merge(part)
        return cls.of(loaded, tally)

    def encode(self, sequences: Sequences) -> Histories:
        """The sequences in the scorer's ids."""
        return self.model.encode(sequences) if self.model else histories.encode(sequences, self.words, 0, NOBODYS)

    def forecast(self, encoded: Histories, rows: Rows, states_RH: np.ndarray) -> Forecast:
        """The model's word about the next trip of these rows, whose baskets are all of their customers'."""
        assert self.model is not None
        away = elapsed(encoded, rows.customers, rows.prefixes, self.today)
        return self.model.network.trips.forecast(inputs(states_RH, Trips.of(encoded), rows), away)


NOBODYS = "of no mission model"  # what the fallback's missions are in the terms of: it has none


def on_all_cores(sequence_files: list[str], work: Callable[[Sequences], Result]) -> Iterator[Result]:
    """The work's result on each batch of the files' customers, a batch per core at a time, in the order of the files."""
    read = batches(sequence_files, CUSTOMERS, in_dictionaries=True)
    return side_by_side(read, lambda batch: work(histories.of_batch(batch)))


def open_model(artifact_dir: str, week: datetime.date) -> artifact.Loaded:
    """A verified model that may score the week.

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
    return loaded
