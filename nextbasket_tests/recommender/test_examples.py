"""What the network learns from is every training prefix once, the same whoever cuts the batches."""

import dataclasses

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import examples
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
