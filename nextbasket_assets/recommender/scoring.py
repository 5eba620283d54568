"""Scores and outlooks for every customer of a week, streamed, so that memory does not grow with the customers."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nextbasket_assets.parquet import WRITTEN
from nextbasket_assets.recommender import histories, lists, outlook, scorer
from nextbasket_assets.recommender.everybody import require_everybody
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.ranking import ScoreError as ScoreError
from nextbasket_assets.recommender.scorer import FALLBACK, MODEL, Scorer

PART = "part-00000.parquet"


@dataclass
class ScoringReport:
    """What was scored.

    Attributes:
        model_version: of the model, or the fallback's name.
        missions_known: False when the model was trained on another mission model, and went without the missions.
        customers_read: of the sequences, in the pass before the one that writes; as many as `customers`.
        customers, rows: written. fallback_customers: scored by counting. rows_per_source: rows of each.
        mean_probability: of all rows; of an outlook, of a trip within 7 days.
    """

    model_version: str
    missions_known: bool = True
    customers_read: int = 0
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
        SequenceError: the sequences cannot be read, or there are none.
        LostError: customers were lost on the way.
    """
    chosen = Scorer.load(artifact_dir, week, sequence_files)
    lists.require(chosen, k)
    output = Output(output_dir, lists.SCHEMA, k, "probability")
    return _write(chosen, sequence_files, output, lambda batch: lists.table(chosen, batch, k, reasons))


def foretell(
    sequence_files: list[str],
    week: datetime.date,
    artifact_dir: str | None,
    output_dir: str,
    missions: Sequence[str] = (),
) -> ScoringReport:
    """Writes one row about the next trip of every customer of the sequences.

    Args:
        sequence_files, week, artifact_dir, output_dir: as for `score`.
        missions: ids of the missions, in the order of the weights in the sequences.

    Raises:
        ArtifactError: the model is damaged, not finite, or newer than the week.
        ScoreError: the sequences have another number of missions.
        SequenceError: the sequences cannot be read, or there are none.
        LostError: customers were lost on the way.
    """
    chosen = Scorer.load(artifact_dir, week, sequence_files)
    output = Output(output_dir, outlook.SCHEMA, 1, "visit_within_7_days")
    return _write(chosen, sequence_files, output, lambda batch: outlook.table(chosen, batch, missions))


def list_for_mission(
    sequence_files: list[str], week: datetime.date, artifact_dir: str, customer: str, mission: int, k: int
) -> pa.Table:
    """A customer's list for a trip of one mission: rows of P(item | customer, mission), without the week.

    And without P(item within 7 days): a trip within 7 days need not be of the mission.

    Args:
        sequence_files, week, artifact_dir, k: as for `score`.
        customer: code. mission: its place among the weights in the sequences, 0 for the first.

    Raises:
        ScoreError: the customer is not in the sequences, the model knows no purchase of theirs or not the week's missions, or
            fewer than k items are known.
    """
    chosen = Scorer.load(artifact_dir, week, sequence_files)
    lists.require(chosen, k)
    assert chosen.model is not None
    if not chosen.missions_known or mission >= chosen.model.network.config.missions:
        raise ScoreError(
            "the model was trained on other missions than the week's and knows nothing that goes with them: "
            "train again, or ask for a list without a mission"
        )
    sequence = histories.read_customer(sequence_files, customer)
    if sequence is None:
        raise ScoreError("the customer is not in the week's sequences: check the code, or choose another week")
    table, fallback = lists.table(chosen, sequence, k, mission=mission)
    if fallback:
        raise ScoreError(
            "the model knows no purchase of the customer, so nothing of theirs goes with a mission: ask without one"
        )
    return table.drop_columns(["probability_7_days"])


@dataclass(frozen=True)
class Output:
    """Where rows go: the folder, their schema, how many a customer has, and the column whose mean is reported."""

    folder: str
    schema: pa.Schema
    k: int
    chance: str


def _write(
    chosen: Scorer, sequence_files: list[str], output: Output, make: Callable[[Sequences], tuple[pa.Table, int]]
) -> ScoringReport:
    """Writes the table of each batch of customers, and counts.

    Raises:
        LostError: customers that were tallied have no rows.
    """
    Path(output.folder).mkdir(parents=True, exist_ok=True)
    report = ScoringReport(chosen.version, chosen.missions_known, chosen.customers)
    total, k = 0.0, output.k
    with pq.ParquetWriter(Path(output.folder) / PART, output.schema, **WRITTEN) as writer:
        for table, fallback in scorer.on_all_cores(sequence_files, make):
            writer.write_table(table)
            report.customers += table.num_rows // k
            report.fallback_customers += fallback
            total += pc.sum(table[output.chance]).as_py() or 0.0
    require_everybody(report.customers_read, report.customers)
    report.rows = report.customers * k
    report.rows_per_source[FALLBACK] = report.fallback_customers * k
    report.rows_per_source[MODEL] = report.rows - report.rows_per_source[FALLBACK]
    report.mean_probability = total / report.rows if report.rows else 0.0
    return report
