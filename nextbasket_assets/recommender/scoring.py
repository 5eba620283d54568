"""Scores for every customer: exactly k rows each, streamed, so that memory does not grow with the customers."""

import datetime
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from nextbasket_assets.recommender import histories, lists
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.lists import FALLBACK, MODEL, SCHEMA, Scorer, next_week
from nextbasket_assets.recommender.ranking import ScoreError as ScoreError
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM


@dataclass
class ScoringReport:
    """What was scored: customers, rows, who got the fallback, and the mean probability of all rows."""

    model_version: str
    customers: int = 0
    rows: int = 0
    fallback_customers: int = 0
    rows_per_source: dict[str, int] = field(default_factory=lambda: {MODEL: 0, FALLBACK: 0})
    mean_probability: float = 0.0


def score(
    sequence_files: list[str],
    week: datetime.date,
    artifact_dir: str | None,
    output_dir: str,
    k: int,
    reasons: bool = True,
) -> ScoringReport:
    """Writes `k` rows for every customer of the sequences into parquet files in `output_dir`.

    Args:
        sequence_files: customer_sequences of the week.
        week: Monday of the week that is scored.
        artifact_dir: the model; None scores everybody with the fallback.
        output_dir: made if missing.
        k: rows per customer.
        reasons: whether to say why; empty strings otherwise.

    Raises:
        ArtifactError: the model is damaged, not finite, or newer than the week.
        ScoreError: fewer than k items are known, or a score is not finite.
        SequenceError: the sequences cannot be read.
    """
    scorer = Scorer.load(artifact_dir, week, sequence_files) if artifact_dir else Scorer.without_model(sequence_files)
    if scorer.words.size - FIRST_ITEM < k:
        raise ScoreError(
            f"{k} items per customer are wanted and {scorer.words.size - FIRST_ITEM} are known: "
            "ask for shorter lists or train on more weeks"
        )
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    report = ScoringReport(scorer.version)
    total = 0.0
    with pq.ParquetWriter(Path(output_dir) / "part-00000.parquet", SCHEMA) as writer:
        batches = histories.stream(sequence_files, lists.CUSTOMERS)
        for table, fallback in _side_by_side(batches, lambda s: scorer.table(s, k, next_week(week), reasons)):
            writer.write_table(table)
            report.customers += table.num_rows // k
            report.fallback_customers += fallback
            total += pc.sum(table["probability"]).as_py() or 0.0
    report.rows = report.customers * k
    report.rows_per_source[FALLBACK] = report.fallback_customers * k
    report.rows_per_source[MODEL] = report.rows - report.rows_per_source[FALLBACK]
    report.mean_probability = total / report.rows if report.rows else 0.0
    return report


def _side_by_side(
    batches: Iterator[Sequences], work: Callable[[Sequences], tuple[pa.Table, int]]
) -> Iterator[tuple[pa.Table, int]]:
    """The work's results in the order of the batches, one batch per core at a time, each on one thread of torch's."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cores) as pool:
            running: deque[Future[tuple[pa.Table, int]]] = deque()
            for batch in batches:
                running.append(pool.submit(work, batch))
                if len(running) > cores:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    finally:
        torch.set_num_threads(cores)
