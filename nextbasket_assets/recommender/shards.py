"""Scoring in parts: what one of many workers does, Arrow batches in and out, whoever deals them.

First every worker tallies its customers; then, with the tallies of all, each writes its customers' rows. What a customer
gets hangs on no other customer of the same part, so the parts may be cut anyhow.
"""

import datetime
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch

from nextbasket_assets.recommender import artifact, histories, lists, outlook, scorer
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.scorer import Scorer
from nextbasket_assets.recommender.tally import Tally

TALLY = pa.schema([("tally", pa.binary()), ("customers", pa.int64()), ("missions_known", pa.bool_())])


@dataclass(frozen=True)
class Task:
    """What every worker is told.

    Attributes:
        model: the artifact's files by name; None scores everybody with the fallback.
        week: Monday of the week that is scored.
    """

    model: dict[str, bytes] | None
    week: datetime.date

    def open(self) -> artifact.Loaded | None:
        """The model, verified; torch keeps to one thread, since the machine's cores have a worker each.

        Raises:
            ArtifactError: it is damaged, not finite, or newer than the week.
        """
        torch.set_num_threads(1)
        if self.model is None:
            return None
        with tempfile.TemporaryDirectory(prefix="nextbasket-") as folder:
            for name, content in self.model.items():
                (Path(folder) / name).write_bytes(content)
            return scorer.open_model(folder, self.week)


def count(task: Task, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Customer sequences to one row: their tally."""
    tally = _begin(task)
    for sequences in _sequences(batches):
        tally.add(sequences)
    yield _row(tally)


def join(task: Task, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of `count` to one row: the tally of all."""
    tally = _begin(task)
    for batch in batches:
        for content in batch.column(batch.schema.get_field_index("tally")).to_pylist():
            tally.join(content)
    yield _row(tally)


def score(task: Task, tally: bytes, k: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Customer sequences to their lists of `k` items: rows of next_basket_scores without the week.

    Raises:
        ScoreError: fewer than k items are known, or a score is not finite.
    """
    chosen = _scorer(task, tally)
    lists.require(chosen, k)
    for sequences in _sequences(batches):
        yield from lists.table(chosen, sequences, k)[0].combine_chunks().to_batches()


def foretell(
    task: Task, tally: bytes, missions: Sequence[str], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Customer sequences to their outlooks: rows of next_trip_outlook without the week.

    Raises:
        ScoreError: the sequences have another number of missions than there are ids.
    """
    chosen = _scorer(task, tally)
    for sequences in _sequences(batches):
        yield from outlook.table(chosen, sequences, missions)[0].combine_chunks().to_batches()


def _begin(task: Task) -> Tally:
    loaded = task.open()
    return Tally(loaded.model if loaded else None, task.week)


def _row(tally: Tally) -> pa.RecordBatch:
    values = [[tally.to_bytes()], [tally.customers], [tally.missions_known]]
    return pa.RecordBatch.from_arrays(
        [pa.array(v, field.type) for v, field in zip(values, TALLY, strict=True)], TALLY.names
    )


def _scorer(task: Task, content: bytes) -> Scorer:
    loaded = task.open()
    tally = Tally(loaded.model if loaded else None, task.week)
    tally.join(content)
    return Scorer.of(loaded, tally)


def _sequences(batches: Iterator[pa.RecordBatch]) -> Iterator[Sequences]:
    for batch in batches:
        for start in range(0, batch.num_rows, scorer.CUSTOMERS):
            yield histories.of_batch(batch.slice(start, scorer.CUSTOMERS))
