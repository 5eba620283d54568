"""Small models for the tests: settings that train in seconds, and a network over a hand-made shop."""

import datetime
from pathlib import Path

import numpy as np
import torch

from nextbasket_assets.recommender import histories, purchases, trends, vocabulary
from nextbasket_assets.recommender.batches import Batch, Prefixes, Slices
from nextbasket_assets.recommender.network import Network, NetworkConfig
from nextbasket_assets.recommender.settings import TrainingConfig
from nextbasket_assets.recommender.training import TrainingReport, train
from nextbasket_tests import shops

SETTINGS = TrainingConfig(
    embedding=16, hidden=24, pair_hidden=16, dropout=0.1, epochs=12, patience=12, learning_rate=0.02, rows=256,
    minimum_count=1, half_life=1000.0, trip_steps=200,
)  # fmt: skip
AS_OF = shops.week(11)
WEEK = int(trends.week_number(histories.day_number(shops.week(0))))  # nothing was sold before it: no trend


def trained(tmp_path: Path, shop: dict[str, shops.Baskets], settings: TrainingConfig = SETTINGS) -> tuple[str, str]:
    """A sequence file of the shop and the artifact trained on it."""
    file = shops.write_sequences(tmp_path / "sequences.parquet", shop)
    train_quietly([file], tmp_path / "artifact", settings)
    return file, str(tmp_path / "artifact")


def train_quietly(
    files: list[str], artifact: Path, settings: TrainingConfig = SETTINGS, as_of: datetime.date = AS_OF
) -> TrainingReport:
    """Trains without telling anyone."""
    return train(files, as_of, str(artifact), settings, lambda epoch: None)


def prefixes_of(file: str) -> tuple[Prefixes, vocabulary.Vocabulary]:
    """The prefixes of a sequence file, every item known."""
    sequences = histories.read([file])
    words = vocabulary.build(sequences.items, 1)
    encoded = histories.encode(sequences, words, sequences.missions.shape[1])
    moving = trends.of_histories(encoded, words.rates(len(encoded.days)))
    return Prefixes.of(encoded, purchases.collect(encoded), moving), words


def all_rows(prefixes: Prefixes, customer: int) -> Batch:
    """Every prefix of a customer but the empty one, the last included."""
    last = int(prefixes.histories.lengths[customer])
    return prefixes.batch(Slices(np.array([customer]), np.array([1]), np.array([last])), 32, WEEK)


def random_network(words: vocabulary.Vocabulary, missions: int = 0) -> Network:
    """A network with seeded weights, all of them at work."""
    torch.manual_seed(0)
    network = Network(NetworkConfig(vocabulary=words.size, missions=missions, embedding=8, hidden=8, pair_hidden=8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return network.eval()
