"""What one pass over a week's sequences tells: what sells just now, when people come, what there is to sell.

Sums of whole numbers (and of mission weights, which are read as such), so tallies of parts join to that of the whole bit
for bit, whatever the parts and their order.
"""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.recommender import artifact, histories, trends
from nextbasket_assets.recommender.habits import Habits
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.split import DAYS_PER_WEEK
from nextbasket_assets.recommender.trends import Weekly
from nextbasket_assets.recommender.vocabulary import Vocabulary

COUNTS = ("trips", "days", "baskets", "items")  # of the habits


class Tally:
    """Counts of a week's customers, with a model or, in the first weeks, without.

    Attributes:
        model: whose items are counted week by week; None counts every item instead.
        week: Monday of the week. today: the day after the week, as a day number.
        customers: counted so far.
        weekly: baskets of the newest weeks that hold each of the model's items.
        sold: items and the baskets that hold them, without a model.
        habits: when people come.
        missions_known: False once a customer's missions are those of another mission model than the model's.
    """

    def __init__(self, model: artifact.Model | None, week: datetime.date) -> None:
        self.model, self.week, self.today = model, week, first_day_after(week)
        now = int(trends.week_number(self.today))
        words = model.vocabulary.size if model else 0
        self.weekly = Weekly.empty(now - trends.FURTHEST, now - 1, words) if model else Weekly.empty(0, -1, 0)
        self.sold = pa.table({"item": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
        self.habits, self.customers, self.missions_known = Habits(self.today), 0, True

    def of(self, sequences: Sequences) -> "Tally":
        """The tally of these customers alone, for the same week and model; changes nothing here."""
        alone = Tally(self.model, self.week)
        alone.add(sequences)
        return alone

    def add(self, sequences: Sequences) -> None:
        """Counts these customers in."""
        self.customers += len(sequences.customers)
        self.habits.add(sequences)
        if self.model:
            self.weekly.add(self.model.encode(sequences))
            self.missions_known &= sequences.mission_model == self.model.mission_model
        else:
            values = pc.value_counts(sequences.items)
            self._sell(pa.table({"item": values.field("values").cast(pa.string()), "n": values.field("counts")}))

    def merge(self, other: "Tally") -> None:
        """Counts in what another tally of the same week and model counted."""
        self.customers += other.customers
        self.missions_known &= other.missions_known
        self.habits.merge(other.habits)
        self.weekly.merge(other.weekly)
        self._sell(other.sold)

    def join(self, content: bytes) -> None:
        """`merge`, from the other tally's bytes."""
        (row,) = pa.ipc.open_stream(content).read_all().to_pylist()
        other = Tally(self.model, self.week)
        other.customers, other.missions_known = row["customers"], row["missions_known"]
        for name in COUNTS:
            setattr(other.habits, name, row[name])
        if row["missions"] is not None:
            other.habits.missions = np.frombuffer(row["missions"], np.float64)
        for mine, name in ((other.weekly.holding, "holding"), (other.weekly.baskets, "week_baskets")):
            mine[:] = np.frombuffer(row[name], np.float64).reshape(mine.shape)
        other.sold = pa.ipc.open_stream(row["sold"]).read_all()
        self.merge(other)

    def to_bytes(self) -> bytes:
        """The counts, for `join` on another machine."""
        habits = self.habits
        row = {
            **{name: [getattr(habits, name)] for name in COUNTS},
            "customers": [self.customers],
            "missions_known": [self.missions_known],
            "missions": pa.array([None if habits.missions is None else habits.missions.tobytes()], pa.binary()),
            "holding": [self.weekly.holding.tobytes()],
            "week_baskets": [self.weekly.baskets.tobytes()],
            "sold": [_ipc(self.sold)],
        }
        return _ipc(pa.table(row))

    def vocabulary(self) -> Vocabulary:
        """All items that were sold, however rarely."""
        counts = self.sold.sort_by("item").combine_chunks()
        return Vocabulary(counts["item"].combine_chunks(), counts["n"].to_numpy())

    def _sell(self, sold: pa.Table) -> None:
        grouped = pa.concat_tables([self.sold, sold]).group_by("item").aggregate([("n", "sum")])
        self.sold = grouped.rename_columns(["item", "n"])


def first_day_after(week: datetime.date) -> int:
    """Day number of the Monday after a week."""
    return histories.day_number(week) + DAYS_PER_WEEK


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
