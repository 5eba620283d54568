"""Training as the assets call it: sequence files in, an artifact out."""

import dataclasses
import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender import artifact, histories, trends, vocabulary
from nextbasket_assets.recommender.fitting import TrainingError as TrainingError
from nextbasket_assets.recommender.fitting import fit
from nextbasket_assets.recommender.histories import Sequences
from nextbasket_assets.recommender.settings import EpochReport as EpochReport
from nextbasket_assets.recommender.settings import TrainingConfig as TrainingConfig
from nextbasket_assets.recommender.split import first_held_out_day, split
from nextbasket_assets.recommender.team import ALONE, Team, launch


@dataclass(frozen=True)
class TrainingReport:
    """What a training run gave."""

    version: str
    digest: str
    epochs: tuple[EpochReport, ...]
    best_epoch: int
    customers: int
    baskets: int
    vocabulary: int
    validation_customers: int
    test_customers: int
    seconds: float


def train(
    sequence_files: list[str],
    as_of: datetime.date,
    artifact_dir: str,
    config: TrainingConfig,
    report: Callable[[EpochReport], None],
) -> TrainingReport:
    """Trains on the sequences of week `as_of` (its Monday) and writes the artifact, with several processes if it says so.

    Raises:
        SequenceError: the sequences cannot be read.
        TrainingError: there is nothing to learn from, or the loss is not finite.
    """
    if config.processes == 1:
        return train_in(ALONE, sequence_files, as_of, artifact_dir, config, report)
    told = launch(sequence_files, as_of, artifact_dir, config)
    epochs = tuple(EpochReport(**epoch) for epoch in told["epochs"])
    for epoch in epochs:
        report(epoch)
    return TrainingReport(**told | {"epochs": epochs})


def train_in(
    team: Team,
    sequence_files: list[str],
    as_of: datetime.date,
    artifact_dir: str,
    config: TrainingConfig,
    report: Callable[[EpochReport], None],
) -> TrainingReport:
    """Trains as one process of a team; the first one writes the artifact, the others report an empty digest.

    Raises:
        SequenceError: the sequences cannot be read.
        TrainingError: there is nothing to learn from, or the loss is not finite.
    """
    began = time.monotonic()
    sequences = histories.read(sequence_files)
    start = first_held_out_day(as_of, config.held_out_weeks)
    words, baskets = training_vocabulary(sequences, start, config.minimum_count)
    encoded = histories.encode(sequences, words, sequences.missions.shape[1], sequences.mission_model)
    parts = split(sequences, start, config.validation_share)
    moving = trends.of_histories(encoded, words.rates(baskets))
    fitted = fit(encoded, parts, words, moving, config, report, team)
    model = artifact.Model(
        fitted.network,
        words,
        fitted.calibration,
        fitted.within_week,
        as_of,
        baskets,
        dataclasses.asdict(config),
        sequences.mission_model,
    )
    best = fitted.epochs[fitted.best_epoch]
    numbers = {"validation_recall@10": best.recall, "validation_ndcg@10": best.ndcg, "best_epoch": best.epoch}
    saved = artifact.save(model, artifact_dir, card(model, best), numbers) if team.rank == 0 else None
    return TrainingReport(
        saved.version if saved else "",
        saved.digest if saved else "",
        fitted.epochs,
        fitted.best_epoch,
        encoded.customers,
        baskets,
        words.size - vocabulary.FIRST_ITEM,
        len(parts.validation.customers),
        len(parts.test.customers),
        time.monotonic() - began,
    )


def training_vocabulary(sequences: Sequences, start: int, minimum_count: int) -> tuple[vocabulary.Vocabulary, int]:
    """The items of the baskets before the day `start`, and the number of those baskets.

    Raises:
        TrainingError: no item is frequent enough.
    """
    inside = sequences.days < start
    in_basket = np.repeat(inside, np.diff(sequences.item_offsets))
    words = vocabulary.build(sequences.items.filter(in_basket), minimum_count)
    if words.size == vocabulary.FIRST_ITEM:
        raise TrainingError(
            f"no item is in {minimum_count} baskets before the held-out weeks: "
            "train on a later week, or lower held_out_weeks or minimum_count"
        )
    return words, int(inside.sum())


def card(model: artifact.Model, best: EpochReport) -> str:
    """The model card."""
    return (
        f"# Next-basket model as of {model.as_of.isoformat()}\n\n"
        "A GRU over a customer's baskets with an explicit repeat term; it ranks the items of the next basket.\n\n"
        f"- learned from {model.baskets} baskets; knows {model.vocabulary.size - vocabulary.FIRST_ITEM} items\n"
        f"- never saw a target of the last {model.training['held_out_weeks']} weeks\n"
        f"- validation customers: recall@10 {best.recall:.4f}, nDCG@10 {best.ndcg:.4f} (epoch {best.epoch})\n"
        "- for customers with at least one known purchase; others get the top-frequency fallback\n"
    )
