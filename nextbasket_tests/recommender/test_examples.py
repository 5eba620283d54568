"""What the network learns from is every training prefix once, the same whoever cuts the batches."""

import numpy as np

from nextbasket_assets.recommender import examples


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
