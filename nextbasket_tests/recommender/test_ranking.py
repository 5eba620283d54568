"""The largest of each row are found, wherever they lie; and what a list is held against, worked by hand."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from nextbasket_assets.recommender import histories, ranking, vocabulary
from nextbasket_assets.recommender.ranking import SPREAD, best
from nextbasket_assets.recommender.split import Rows
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {"anna": [["a"], ["a", "b"], ["b", "odd", "rare"], ["c"]], "ben": [["c"]]}
A, B, C = 2, 3, 4


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


@pytest.fixture
def encoded(tmp_path):
    """Anna with four weekly baskets, one of them with two unknown items, and Ben with one."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", SHOP)])
    return histories.encode(sequences, vocabulary.Vocabulary(pa.array(["a", "b", "c"]), np.array([2, 2, 2])), 0)


@pytest.mark.parametrize(
    ("prefix", "items", "size"), [(1, {A: True, B: False}, 2), (2, {B: True}, 3), (3, {C: False}, 1)]
)
def test_targets_are_repeats_of_what_was_bought_before(encoded, prefix, items, size):
    """Anna's b is new in her second basket and a repeat in her third, whose unknown items count and are no repeats."""
    truth = ranking.truth(encoded, Rows(np.array([0]), np.array([prefix])))
    found = dict(zip(truth.items.tolist(), truth.repeats.tolist(), strict=True))

    assert {item: found[item] for item in found if item <= C} == items
    assert truth.sizes.tolist() == [size]
    assert not any(repeat for item, repeat in found.items() if item > C)


def test_what_was_bought_in_a_week_is_from_its_first_day_to_its_last(encoded):
    """Of Anna's Monday that begins the week and not of the next; Ben, who is asked for first, bought nothing in it."""
    start = int(encoded.days[2])
    bought = ranking.bought_between(encoded, Rows(np.array([1, 0]), np.array([1, 1])), start, start + 7)

    assert (bought.rows.tolist(), bought.items.tolist(), bought.customers) == ([1], [B], 2)


def test_the_size_of_a_customers_baskets_is_the_mean_before_the_target(encoded):
    """One, two and three items, the unknown ones among them: two on average before the fourth basket, one before the second."""
    sizes = ranking.log_basket_sizes(encoded, Rows(np.array([0, 0]), np.array([3, 1])))

    assert sizes == pytest.approx(np.log([2, 1]))


def test_scores_that_are_no_numbers_are_refused(tmp_path):
    """A bias that is no number is an error and not a list."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", SHOP))
    network = small.random_network(words)
    torch.nn.init.constant_(network.bias, torch.nan)

    with pytest.raises(ranking.ScoreError, match="not finite: refuse this model"):
        ranking.rank(network, prefixes, Rows(np.array([0]), np.array([4])), 2, small.WEEK)
