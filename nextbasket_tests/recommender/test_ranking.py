"""The largest of each row are found, wherever they lie."""

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender.ranking import SPREAD, best


@pytest.mark.parametrize("columns", [3, 5, 16 * 5, 16 * 6, 16 * 6 + 15, 1000])
def test_the_best_are_those_of_a_whole_sort(columns):
    """With fewer columns than are wanted, with a remainder that belongs to no group and without one."""
    values = torch.randn(7, columns, generator=torch.manual_seed(1))
    found, places = best(values, 5)
    expected = np.argsort(-values.numpy(), axis=1)[:, :5]

    assert places.numpy().tolist() == expected.tolist()
    assert torch.equal(found, values.gather(1, places))


def test_the_best_may_all_lie_in_one_group_or_after_the_last():
    """Five neighbours of a group, then five columns of the remainder, are the largest of a row each."""
    columns = 100 * SPREAD + 5
    values = torch.zeros(2, columns)
    group, rest = torch.arange(5) * 100 + 42, torch.arange(5) + 100 * SPREAD
    values[0, group] = values[1, rest] = torch.arange(5, 0, -1.0)

    assert best(values, 5)[1].tolist() == [group.tolist(), rest.tolist()]


def test_what_is_impossible_comes_last():
    """A row with two possible items lists them first, whatever fills the other places."""
    values = torch.full((1, 200), -torch.inf)
    values[0, 7], values[0, 180] = 1.0, 2.0

    assert best(values, 4)[1][0, :2].tolist() == [180, 7]
    assert best(values, 4)[0].tolist() == [[2.0, 1.0, -np.inf, -np.inf]]
