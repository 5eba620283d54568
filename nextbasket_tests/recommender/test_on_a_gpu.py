"""On a GPU the network learns what it learns on a processor, and the same bits every time."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import artifact, ranking
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.examples import examples
from nextbasket_assets.recommender.fitting import new_network
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.team import ALONE
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
SETTINGS = dataclasses.replace(small.SETTINGS, dropout=0.0)


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Prefixes, Network]:
    """A planted shop, and a network that has learned nothing of it."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=120)))
    torch.manual_seed(0)
    return prefixes, new_network(words, prefixes.histories.missions.shape[1], SETTINGS)


def slopes(prefixes: Prefixes, network: Network, device: str) -> list[torch.Tensor]:
    """The gradient of the first batch's loss in every weight that has one."""
    network.to(device).zero_grad()
    random = np.random.default_rng(0)
    histories = prefixes.histories
    none = np.zeros(len(histories.days), bool)
    example = next(iter(examples(prefixes, histories.lengths, none, SETTINGS, random, torch.device(device), ALONE)))
    assert example is not None
    network.loss(example.batch, example.wanted, example.weights).backward()
    return [weight.grad.cpu().clone() for weight in network.parameters() if weight.grad is not None]


def test_gradients_are_those_of_the_processor_and_always_the_same(shop: tuple[Prefixes, Network]) -> None:
    """Other sums and coarser products than the processor's move digits, a thousandth at most; two runs differ in none."""
    prefixes, network = shop
    there, first, second = (slopes(prefixes, network, device) for device in ("cpu", "cuda", "cuda"))

    far = torch.stack([(got - wanted).norm() for wanted, got in zip(there, first, strict=True)]).norm()
    assert far < 1e-3 * torch.stack([wanted.norm() for wanted in there]).norm()
    assert all(torch.equal(got, again) for got, again in zip(first, second, strict=True))


def test_lists_are_those_of_the_processor(shop: tuple[Prefixes, Network]) -> None:
    """The ten best items of every customer have the same share of the softmax on both."""
    prefixes, network = shop
    rows = Rows(np.arange(prefixes.histories.customers), prefixes.histories.lengths)
    there, here = (ranking.rank(network.to(device), prefixes, rows, 10, small.WEEK) for device in ("cpu", "cuda"))

    np.testing.assert_allclose(here.log_shares, there.log_shares, rtol=1e-4)


def test_a_training_gives_the_same_artifact_again(tmp_path: Path) -> None:
    """Two trainings on the GPU, batches cut by threads, write the same weights, and the planted order is found."""
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=120))
    settings = dataclasses.replace(small.SETTINGS, epochs=8, trip_steps=20)
    reports = [small.train_quietly([file], tmp_path / name, settings) for name in "ab"]

    assert (tmp_path / "a" / artifact.WEIGHTS).read_bytes() == (tmp_path / "b" / artifact.WEIGHTS).read_bytes()
    assert (
        reports[0].epochs[reports[0].best_epoch].recall > 0.6
    )  # ten of thirty equally popular items: a third by chance
