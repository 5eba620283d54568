"""Where the items' vectors begin, told on shops small enough to see who bought what."""

import numpy as np
import pytest

from nextbasket_assets.recommender import histories, item_vectors
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, UNKNOWN

TEA, CAKE, NAILS, GLUE, MILK = range(FIRST_ITEM, FIRST_ITEM + 5)
VOCABULARY = FIRST_ITEM + 5
BAKERS = [[TEA, MILK], [CAKE], [TEA, CAKE]]
BUILDERS = [[NAILS], [GLUE, MILK], [NAILS, GLUE]]


def encoded(customers: list[list[list[int]]]) -> histories.Histories:
    """Customers of baskets of ids, a week between two baskets."""
    baskets = [sorted(basket) for customer in customers for basket in customer]
    lengths = [len(customer) for customer in customers]
    sizes = np.array([len(basket) for basket in baskets])
    return histories.Histories(
        basket_offsets=np.cumsum([0, *lengths]),
        days=np.concatenate([7 * np.arange(length) for length in lengths]).astype(np.int32),
        sizes=sizes.astype(np.int32),
        item_offsets=np.cumsum([0, *sizes]),
        items=np.array([item for basket in baskets for item in basket], np.int32),
        missions=np.zeros((len(baskets), 0), np.float32),
    )


def tastes(customers: list[list[list[int]]], dim: int, learned: np.ndarray | None = None) -> np.ndarray:
    shop = encoded(customers)
    return item_vectors.tastes(shop, np.ones(len(shop.days), bool) if learned is None else learned, VOCABULARY, dim)


def likeness(vectors: np.ndarray, one: int, other: int) -> float:
    """Cosine of two items' vectors."""
    return float(vectors[one] @ vectors[other] / np.linalg.norm(vectors[one]) / np.linalg.norm(vectors[other]))


@pytest.mark.parametrize("dim", [1, 2, 8], ids=["fewer than there are", "all but one", "more than there are"])
def test_items_of_the_same_customers_begin_alike(dim):
    """Bakers buy tea and cake, builders nails and glue: they lie on opposite sides, and milk, which both buy, between."""
    vectors = tastes([BAKERS, BUILDERS] * 20, dim)

    assert likeness(vectors, TEA, CAKE) > 0.99
    assert likeness(vectors, NAILS, GLUE) > 0.99
    assert likeness(vectors, TEA, NAILS) < -0.99
    assert abs(vectors[MILK, 0]) < 1e-6 < abs(vectors[TEA, 0])


def test_where_everybody_buys_alike_there_are_no_tastes():
    """One direction holds everything, and it is popularity, which the bias knows: all vectors begin at zero."""
    assert np.abs(tastes([[[TEA, CAKE], [TEA]]] * 9, 4)).max() < 1e-6


def test_a_rare_item_makes_no_direction_of_its_own():
    """One customer buys glue and nothing else, far from everybody; still the first direction is bakers against builders."""
    builders = [[[NAILS, MILK], [NAILS]]] * 20
    first = tastes([*[BAKERS] * 20, *builders, [[GLUE]]], 1)[:, 0]

    assert first[TEA] * first[NAILS] < 0
    assert abs(first[GLUE]) < 0.1 * abs(first[TEA])


def test_what_may_not_be_learned_from_says_nothing():
    """Glue is in baskets that do not count and unknown items are nobody's: both begin at zero, and the others as without them."""
    with_glue = [[[TEA, UNKNOWN], [CAKE, MILK], [GLUE]], [[NAILS], [MILK], [GLUE]]] * 9
    without = tastes([[[TEA], [CAKE, MILK]], [[NAILS], [MILK]]] * 9, 4)
    vectors = tastes(with_glue, 4, np.tile([True, True, False], 18))

    assert not vectors[[0, UNKNOWN, GLUE]].any()
    assert np.abs(vectors - without).max() < 1e-6


def test_a_shop_that_nothing_is_known_of_begins_at_zero():
    """Nobody has bought anything that counts: (V, D) zeros instead of an error."""
    vectors = tastes([[[TEA]]], 3, np.array([False]))

    assert vectors.shape == (VOCABULARY, 3)
    assert not vectors.any()


def test_vectors_begin_at_one_size_and_the_same_each_time():
    """Whatever the shop's size, an item's numbers are .1 in the root mean square; a second time they are the same bytes."""
    random = np.random.default_rng(0)
    shop = [[random.integers(FIRST_ITEM, 60, 4).tolist() for _ in range(3)] for _ in range(80)]
    vectors, again = (item_vectors.tastes(encoded(shop), np.ones(240, bool), 60, 8) for _ in range(2))

    assert np.sqrt((vectors[FIRST_ITEM:] ** 2).mean()) == pytest.approx(0.1)
    assert vectors.tobytes() == again.tobytes()
