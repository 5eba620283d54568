"""Is the challenger worth promoting, and were the scores of a past week any good?"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets import parquet
from nextbasket_assets.recommender import artifact, histories, metrics, ranking, vocabulary
from nextbasket_assets.recommender.artifact import ArtifactError, Loaded
from nextbasket_assets.recommender.bench import (
    Bench,
    Judged,
    bench,
    frequency_baselines,
    judge,
    reliability_rows,
    shared_ids,
    table_rows,
)
from nextbasket_assets.recommender.gate import Decision, decide
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.ranking import ScoreError
from nextbasket_assets.recommender.split import Rows, first_held_out_day, split
from nextbasket_assets.recommender.trends import first_day, week_number

CHALLENGER, CHAMPION, PUBLISHED = "challenger", "champion", "published scores"


@dataclass(frozen=True)
class EvaluationReport:
    """Rows of model_evaluation without the week, whether to promote, and how reliable the challenger's words are."""

    rows: list[dict[str, Any]]
    decision: Decision
    customers: int
    reliability: dict[str, metrics.Reliability]


def evaluate(
    sequence_files: list[str],
    as_of: datetime.date,
    challenger_dir: str,
    champion_dir: str | None = None,
    seed: int = 0,
) -> EvaluationReport:
    """Challenger, champion and baselines on the test customers' first baskets of the held-out weeks.

    A challenger that cannot score (damaged, not finite, all zero) is refused, with the baselines' rows still given.

    Args:
        sequence_files: customer_sequences of week `as_of` (its Monday).
        as_of: the week the challenger was trained for.
        challenger_dir, champion_dir: artifacts.
        seed: of the bootstrap.

    Raises:
        SequenceError: the sequences cannot be read.
        ArtifactError: the champion is damaged.
    """
    settings, version, challenger, problem = _open(challenger_dir)
    bench = held_out_bench(sequence_files, as_of, settings)
    methods = frequency_baselines(bench)
    if champion_dir:
        methods[CHAMPION] = judge(bench, artifact.load(champion_dir)).values
    ours: Judged | None = None
    if challenger:
        try:
            ours = judge(bench, challenger)
            methods[CHALLENGER] = ours.values
        except ScoreError as error:
            problem = str(error)
    decision = Decision(False, problem) if problem else decide(methods, CHALLENGER, seed)
    reliability = ours.reliability if ours else {}
    customers = len(bench.rows.customers)
    rows = table_rows(methods, version) + reliability_rows(reliability, CHALLENGER, version, customers)
    return EvaluationReport(rows, decision, customers, reliability)


def retrospective(
    scores_files: list[str], staged_basket_files: list[str], sequence_files: list[str], minimum_baskets: int = 1
) -> list[dict[str, Any]]:
    """What the published scores of a week were worth, as rows of model_evaluation without the week.

    The target is each customer's first basket with merchandise in `staged_basket_files`; the baselines count in the
    sequences of the scored week.

    Args:
        scores_files: next_basket_scores of the week.
        staged_basket_files: staged_baskets of later weeks.
        sequence_files: customer_sequences of the week.
        minimum_baskets: customers with fewer baskets so far are left out.
    """
    sequences = histories.read(sequence_files)
    lists = parquet.read(scores_files, ["customer", "rank", "item", "probability", "model_version"])
    customers, items = _first_baskets(staged_basket_files)
    place = pc.index_in(customers, sequences.customers).to_numpy(zero_copy_only=False)
    kept = np.nan_to_num(place, nan=-1).astype(np.int64)
    kept = np.where((kept >= 0) & (np.diff(sequences.basket_offsets)[kept] >= minimum_baskets), kept, -1)
    everything = vocabulary.build(pa.concat_arrays([sequences.items, items.flatten(), _codes(lists["item"])]), 1)
    rows = Rows(kept[kept >= 0], np.diff(sequences.basket_offsets)[kept[kept >= 0]])
    wanted = items.filter(pa.array(kept >= 0))
    judged = _bench_of_targets(sequences, everything, rows, wanted)
    top, probability = _published(judged, lists)
    values = metrics.per_customer(top, judged.truth)
    shown = top >= 0
    error = metrics.calibration_error(probability[shown], metrics.hits(top, judged.truth)[shown])
    values["calibration_error", top.shape[1]] = np.full(len(top), error)
    version = lists["model_version"][0].as_py() if lists.num_rows else ""
    return table_rows({PUBLISHED: values} | frequency_baselines(judged), version)


def held_out_bench(sequence_files: list[str], as_of: datetime.date, settings: Mapping[str, Any]) -> Bench:
    """The test customers of a training run, found again from its settings."""
    sequences = histories.read(sequence_files)
    start = first_held_out_day(as_of, settings["held_out_weeks"])
    parts = split(sequences, start, settings["validation_share"])
    return bench(sequences, parts.test, parts.judged, start)


def _open(directory: str) -> tuple[Mapping[str, Any], str, Loaded | None, str]:
    """Settings, version, the model unless it is unusable, and why it is."""
    loaded = artifact.load(directory)
    try:
        artifact.require_finite(loaded.model.network)
    except ArtifactError as error:
        return loaded.model.training, loaded.version, None, str(error)
    return loaded.model.training, loaded.version, loaded, ""


def _first_baskets(files: list[str]) -> tuple[pa.Array, pa.Array]:
    """Customers with a basket with merchandise, and the item codes of the first one."""
    table = parquet.read(files, ["customer", "date", "hour", "basket", "items"])
    sold = pc.and_(pc.is_valid(table["customer"]), pc.greater(pc.list_value_length(table["items"]), 0))
    table = table.filter(sold)
    order = pc.sort_indices(
        table.drop_columns("items"), [(c, "ascending") for c in ("customer", "date", "hour", "basket")]
    )
    table = table.take(order)
    codes = table["customer"].to_numpy()
    first = table.filter(pa.array(np.concatenate([[True], codes[1:] != codes[:-1]])[: len(codes)]))
    lists = _codes(first["items"])
    items = pc.struct_field(lists.flatten(), "item")
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False))])
    return _codes(first["customer"]), pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), items)


def _bench_of_targets(sequences: Sequences, everything: vocabulary.Vocabulary, rows: Rows, wanted: pa.Array) -> Bench:
    shared = histories.encode(sequences, everything, sequences.missions.shape[1], sequences.mission_model)
    at = np.repeat(np.arange(len(wanted)), pc.list_value_length(wanted).to_numpy(zero_copy_only=False))
    ids = everything.encode(wanted.flatten())
    repeats = ranking.bought_before(shared, rows, at, ids)
    truth = metrics.Truth(at, ids.astype(np.int64), repeats, len(wanted))
    popularity = np.bincount(shared.items, minlength=everything.size)
    after = int(week_number(shared.days.max(initial=0))) + 1
    return Bench(sequences, everything, shared, rows, truth, popularity, after, rows, first_day(after))


def _published(judged: Bench, lists: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """(R, K) ids and probabilities of the published lists; -1 and 0 where there is no row."""
    customers = judged.sequences.customers.take(pa.array(judged.rows.customers))
    row = pc.fill_null(pc.index_in(lists["customer"], customers), -1).to_numpy()
    place = lists["rank"].to_numpy() - 1
    shape = (len(customers), int(place.max(initial=0)) + 1)
    top, probability = np.full(shape, -1), np.zeros(shape)
    kept = row >= 0
    top[row[kept], place[kept]] = shared_ids(judged.everything, _codes(lists["item"]))[kept]
    probability[row[kept], place[kept]] = lists["probability"].to_numpy()[kept]
    return top, probability


def _codes(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
