"""What the network learns from is every training prefix once, or a fair draw of many, the same whoever cuts the batches."""

import dataclasses

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import examples
from nextbasket_assets.recommender.batches import UNASSIGNED, Slices
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.team import ALONE
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


def test_every_training_prefix_is_in_exactly_one_slice():
    """Customers with 0, 1, 2 and 70 baskets: prefixes 1 to n - 1 once each, whatever the draw."""
    for seed in range(5):
        slices = examples.training_slices(np.array([0, 1, 2, 70]), 16, np.random.default_rng(seed))
        covered = [
            (c, p)
            for c, first, last in zip(slices.customers, slices.first, slices.last, strict=True)
            for p in range(first, last + 1)
        ]

        assert sorted(covered) == [(2, 1)] + [(3, p) for p in range(1, 70)]


@pytest.mark.parametrize(
    ("prefixes", "most", "rows"),
    [(256_000, 512, 512), (16_384, 512, 512), (8_000, 512, 250), (228, 512, 64), (9, 32, 32)],
)
def test_a_small_shop_has_steps_enough_to_learn_in(prefixes, most, rows):
    """From 32 batches on they are as large as they may be; below, an epoch has 32 of them, but none below 64 prefixes."""
    assert examples.batch_rows(prefixes, most) == rows


def test_an_epoch_of_a_small_shop_has_these_batches(tmp_path):
    """3,300 prefixes in batches of at most 512: an epoch has some 32 steps and not 7, and learns from every prefix once."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=300)))
    lengths, none = prefixes.histories.lengths, np.zeros(len(prefixes.histories.days), bool)
    setting = dataclasses.replace(small.SETTINGS, rows=512)
    random, cpu = np.random.default_rng(0), torch.device("cpu")
    sizes = [len(one.weights) for one in examples.examples(prefixes, lengths, none, setting, random, cpu, ALONE) if one]

    assert 30 <= len(sizes) <= 34
    assert sum(sizes) == 3_300


def test_an_epoch_of_a_large_shop_draws_its_prefixes(tmp_path, monkeypatch):
    """Were a shop large from 3,300 prefixes on: an epoch has about half of them, which weigh together what all do; no slice
    is read in vain; the next epoch has others, the same seed the same."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=300)))
    lengths, none = prefixes.histories.lengths, np.zeros(len(prefixes.histories.days), bool)
    setting = dataclasses.replace(small.SETTINGS, half_life=30.0)

    def epoch(random):
        made = examples.examples(prefixes, lengths, none, setting, random, torch.device("cpu"), ALONE)
        return [one for one in made if one]

    monkeypatch.setattr(examples, "MANY", 3_301)
    assert sum(len(one.weights) for one in epoch(np.random.default_rng(0))) == 3_300

    monkeypatch.setattr(examples, "MANY", 3_300)
    random = np.random.default_rng(0)
    first, second, again = epoch(random), epoch(random), epoch(np.random.default_rng(0))
    assert 0.3 < sum(len(one.weights) for one in first) / 3_300 < 0.7
    assert sum(float(one.weights.sum()) for one in first) == pytest.approx(3_300, rel=0.05)
    assert all(len((one.batch.row_cells % one.batch.slices).unique()) == one.batch.slices for one in first)
    told, other, same = ([one.wanted.items.tolist() for one in batches] for batches in (first, second, again))
    assert told == same != other


MISSIONS = {f"C{n:03}": [[1.0, 0.0]] * 5 for n in range(200)}


@pytest.fixture
def with_missions(tmp_path):
    """Two hundred customers with five baskets each, all of the first mission."""
    file = shops.write_sequences(tmp_path / "s.parquet", {name: [["a"]] * 5 for name in MISSIONS}, missions=MISSIONS)
    return file, small.prefixes_of(file)[0]


def test_a_few_slices_forget_all_their_missions(with_missions):
    """A tenth of the slices has neither weight nor claim of one in any basket; the others are as they were."""
    _, prefixes = with_missions
    batch = prefixes.batch(Slices(np.arange(200), np.full(200, 1), np.full(200, 4)), 32)
    told = examples.without_missions(batch, np.random.default_rng(0))
    forgotten = (told.missions == 0).all(1)
    slices = set((batch.basket_cells[forgotten] % 200).tolist())

    assert 10 <= len(slices) <= 30
    assert int(forgotten.sum()) == 4 * len(slices)
    assert torch.equal(told.basket_features[:, UNASSIGNED], forgotten.float())
    assert torch.equal(told.missions[~forgotten], batch.missions[~forgotten])
    assert torch.equal(told.basket_features[:, :UNASSIGNED], batch.basket_features[:, :UNASSIGNED])


def test_the_network_learns_with_missions_forgotten_and_is_judged_with_all(with_missions, tmp_path, monkeypatch):
    """Were all slices to forget, no training batch would hold a mission, and every other batch would."""
    heard = {True: set(), False: set()}
    terms = Network.terms

    def spy(network, batch):
        heard[network.training].add(bool(batch.missions.any()))
        return terms(network, batch)

    monkeypatch.setattr(examples, "FORGOTTEN", 1.0)
    monkeypatch.setattr(Network, "terms", spy)
    brief = dataclasses.replace(small.SETTINGS, epochs=1, trip_steps=1, held_out_weeks=1)
    small.train_quietly([with_missions[0]], tmp_path / "model", brief, shops.week(4))

    assert heard == {True: {False}, False: {True}}
