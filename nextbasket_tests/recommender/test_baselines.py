import numpy as np
import pytest

from nextbasket_assets.recommender import baselines, histories, vocabulary
from nextbasket_tests import shops

ANNA = [["bread", "milk"], ["milk"], ["eggs"]]


@pytest.fixture
def shop(tmp_path):
    """Anna with three baskets, Ben with one, Carl with none; ids are bread 2, eggs 3, milk 4, tea 5."""
    file = shops.write_sequences(tmp_path / "s.parquet", {"anna": ANNA, "ben": [["tea", "eggs"]], "carl": []})
    sequences = histories.read([file])
    words = vocabulary.build(sequences.items, 1)
    return histories.encode(sequences, words, 0), np.concatenate([[0, 0], words.counts])


def test_personal_list_is_by_count_then_by_first_purchase(shop):
    """Milk twice, then bread before eggs, then nothing."""
    encoded, _ = shop
    counts = baselines.count(encoded, np.array([0, 2]), np.array([3, 0]))

    assert baselines.personal_top(counts, 4).tolist() == [[4, 2, 3, -1], [-1, -1, -1, -1]]


def test_of_items_bought_alike_the_first_one_is_first(tmp_path):
    """Tea before bread, once each, whatever their ids."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", {"dora": [["tea"], ["bread"]]})])
    encoded = histories.encode(sequences, vocabulary.build(sequences.items, 1), 0)
    counts = baselines.count(encoded, np.array([0]), np.array([2]))

    assert baselines.personal_top(counts, 2).tolist() == [[3, 2]]


def test_where_too_few_are_popular_places_stay_empty(shop):
    """Four items were ever bought: of six places for Ben and for Carl the last two are empty."""
    encoded, popularity = shop
    counts = baselines.count(encoded, np.array([1, 2]), np.array([1, 0]))

    assert baselines.combined_top(counts, popularity, 6).tolist() == [[3, 5, 4, 2, -1, -1], [3, 4, 2, 5, -1, -1]]


def test_of_items_as_probable_the_lower_id_is_first(shop):
    """Carl, of whom nothing is known, gets the shop's rates: eggs and milk in half the baskets, bread and tea in a quarter."""
    encoded, popularity = shop
    counts = baselines.count(encoded, np.array([2]), np.array([0]))

    assert baselines.frequency_probabilities(counts, popularity / 4, 4)[0].tolist() == [[3, 4, 2, 5]]


def test_combined_list_fills_up_with_popular_items_that_are_not_on_it(shop):
    """Ben's own two, then milk and bread; Carl gets the popular ones, ties to the lower id."""
    encoded, popularity = shop
    counts = baselines.count(encoded, np.array([1, 2]), np.array([1, 0]))

    assert baselines.combined_top(counts, popularity, 4).tolist() == [[3, 5, 4, 2], [3, 4, 2, 5]]


def test_only_baskets_before_the_prefix_are_counted(shop):
    """Before her second basket Anna had bought bread and milk once."""
    encoded, _ = shop
    counts = baselines.count(encoded, np.array([0]), np.array([1]))

    assert dict(zip(counts.items, counts.counts, strict=True)) == {2: 1, 4: 1}


def test_fallback_probability_is_the_own_rate_shrunk_to_the_shops(shop):
    """Milk: two of Anna's three trips, two of the shop's four baskets: (2 + 5 * 0.5) / (3 + 5)."""
    encoded, popularity = shop
    counts = baselines.count(encoded, np.array([0]), np.array([3]))
    items, probabilities, own = baselines.frequency_probabilities(counts, popularity / 4, 4)

    assert items.tolist() == [[4, 3, 2, 5]]
    assert probabilities[0] == pytest.approx([4.5 / 8, 3.5 / 8, 2.25 / 8, 1.25 / 8])
    assert own.tolist() == [[2, 1, 1, 0]]
