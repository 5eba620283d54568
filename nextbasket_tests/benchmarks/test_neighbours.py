"""The published methods by their papers' formulas, reckoned by hand on three users; and that tuning takes what is best."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks import neighbours
from benchmarks.neighbours import History, Lists, Tifu, Upcf

A, B, C, D = range(4)


def history(*users: list[list[int]]) -> History:
    """Users 0, 1, ... with these baskets."""
    rows = [
        (user, position, item)
        for user, baskets in enumerate(users)
        for position, basket in enumerate(baskets)
        for item in basket
    ]
    return History(*np.array(rows).T, np.array([len(baskets) for baskets in users]), 4)


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods give the scores of all items in place of the lists."""
    monkeypatch.setattr(neighbours, "_top", lambda scores: scores)


def test_a_tifu_vector_decays_in_the_sequence_and_from_group_to_group() -> None:
    """Of n baskets in m groups, basket t of group g weighs rb^(n-1-t) * rg^(m-1-g) / (size of g) / m.

    Five baskets in two groups are 0 1 | 2 3 4. With rb = 1/2 and rg = 1/10 they weigh

        basket     0               1              2             3             4
        weight  1/16 * 1/10 / 4   1/8 * 1/10 / 4  1/4 * 1 / 6   1/2 * 1 / 6   1 / 6
    """
    found = neighbours.tifu_vectors(
        history([[A], [B], [C], [A, D], [B]]), Tifu(groups=2, basket_decay=0.5, group_decay=0.1)
    )

    assert found.toarray()[0] == pytest.approx([1 / 640 + 1 / 12, 1 / 320 + 1 / 6, 1 / 24, 1 / 12])


def test_fewer_baskets_than_groups_are_a_group_each() -> None:
    """Two baskets where there are to be four groups: mean over two, weights rb * rg^3 and rg^2."""
    found = neighbours.tifu_vectors(history([[A], [B]]), Tifu(groups=4, basket_decay=0.5, group_decay=0.1))

    assert found.toarray()[0] == pytest.approx([0.5 * 0.001 / 2, 0.01 / 2, 0, 0])


@pytest.mark.usefixtures("scores")
def test_tifu_mixes_the_own_vector_with_the_mean_of_the_nearest() -> None:
    """Score: own * v(user) + (1 - own) * mean of the k vectors that are nearest to it, by Euclid.

    With one group and no decay, v(0) = (1/2, 1/2, 0, 0). User 1 with (1/2, 1/2, 1/2, 0) is at a distance of 1/2 and user 2
    with (1, 1/2, 0, 0) too; user 3 with (1, 1, 1, 1), whose product with v(0) is the largest, is at 1.58, user 4 with
    (0, 0, 0, 1) at 1.22. The mean of 1 and 2 is (3/4, 1/2, 1/4, 0).
    """
    purchases = history([[A], [B]], [[A, C], [B]], [[A, B], [A]], [[A, B, C, D]], [[D]])
    settings = Tifu(neighbours=2, groups=1, basket_decay=1, group_decay=1, own=0.6)
    found = neighbours.tifu(purchases, np.array([1, 2, 3, 4]), np.array([0]), settings)

    assert found[0] == pytest.approx([0.6 / 2 + 0.4 * 3 / 4, 0.6 / 2 + 0.4 / 2, 0.4 / 4, 0])


@pytest.mark.usefixtures("scores")
def test_only_the_pool_lends_and_nobody_who_bought_nothing() -> None:
    """User 1, the only one of the pool with a purchase, is all the neighbours that user 0 has, though two are wanted."""
    purchases = history([[A]], [[B]], [], [[A, C]])
    settings = Tifu(neighbours=2, groups=1, own=0.5)
    found = neighbours.tifu(purchases, np.array([1, 2]), np.array([0]), settings)

    assert found[0] == pytest.approx([0.5, 0.5, 0, 0])


def test_a_tifu_list_begins_with_the_highest_score() -> None:
    """Own A before B, which the nearest user buys, before C, which the far one buys."""
    purchases = history([[A]], [[A, B]], [[C]])
    found = neighbours.tifu(purchases, np.array([1, 2]), np.array([0]), Tifu(neighbours=1, groups=1, own=0.7))

    assert found[0, :2].tolist() == [A, B]


@pytest.mark.usefixtures("scores")
@pytest.mark.parametrize(
    ("recency", "own", "of_user_1", "of_user_2"),
    [
        (1, [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]),
        (2, [1 / 2, 1 / 2, 0, 0], [1, 0, 1, 0], [0, 1 / 2, 1 / 2, 1]),
        (5, [1 / 2, 1 / 2, 0, 0], [1, 0, 1, 0], [0, 1 / 2, 1 / 2, 1]),
    ],
)
def test_upcf_smooths_popularity_in_the_last_baskets_by_the_asymmetric_cosine(
    recency: int, own: list[float], of_user_1: list[float], of_user_2: list[float]
) -> None:
    """Score: sum over users of similarity^q * share of their last r baskets that hold the item; the own similarity is 1.

    The similarity of users with items I and J is |I & J| / (|I|^a * |J|^(1-a)). User 0 has bought AB, user 1 AC, user 2 BCD,
    so with a = 3/4 they are 1 / 2 and 1 / (2^(3/4) * 3^(1/4)).
    """
    purchases = history([[A], [B]], [[A, C]], [[B, C, D], [D]])
    found = neighbours.upcf(purchases, np.array([0]), Upcf(recency, asymmetry=0.75, locality=2))
    to_user_1, to_user_2 = 1 / 2, 1 / (2**0.75 * 3**0.25)

    assert found[0] == pytest.approx(
        np.array(own) + to_user_1**2 * np.array(of_user_1) + to_user_2**2 * np.array(of_user_2)
    )


def test_an_upcf_list_begins_with_what_was_bought_last() -> None:
    """Over the last basket alone, B is before A, which was bought twice, long ago."""
    purchases = history([[A], [A], [B]], [[A, C]])

    assert neighbours.upcf(purchases, np.array([0]), Upcf(recency=1))[0, 0] == B
    assert neighbours.upcf(purchases, np.array([0]), Upcf(recency=3))[0, 0] == A


def first_is(item: int) -> Callable[[Lists], float]:
    """Lists are worth the share of them that begin with this item."""
    return lambda lists: float((lists[:, 0] == item).mean())


def test_tuned_tifu_gives_the_lists_that_are_worth_most() -> None:
    """Where the neighbours' B is wanted, own A weighs least; where A is wanted, more; published settings say A."""
    purchases, pool, rows = history([[A]], [[B]], [[B]]), np.array([1, 2]), np.array([0])
    for item in (A, B):
        settings = neighbours.tune_tifu(purchases, pool, rows, first_is(item))
        assert neighbours.tifu(purchases, pool, rows, settings)[0, 0] == item
    assert neighbours.tifu(purchases, pool, rows, Tifu())[0, 0] == A


def test_tuned_tifu_names_the_decay_that_is_worth_most() -> None:
    """A was in eleven baskets, B in the last four: the published decay prefers B, and a slower one, found by tuning, A."""
    purchases = history([[A]] * 11 + [[B]] * 4, [[C]])
    settings = neighbours.tune_tifu(purchases, np.array([1]), np.array([0]), first_is(A))

    assert neighbours.tifu(purchases, np.array([1]), np.array([0]), settings)[0, 0] == A
    assert neighbours.tifu(purchases, np.array([1]), np.array([0]), Tifu())[0, 0] == B


def test_tuned_upcf_gives_the_lists_that_are_worth_most() -> None:
    """Where the last basket's B is wanted, the recency is 1; where A of most baskets is, it is longer."""
    purchases, rows = history([[A], [A], [B]], [[C]]), np.array([0])
    settings = neighbours.tune_upcf(purchases, rows, first_is(B))

    assert settings.recency == 1
    assert neighbours.upcf(purchases, rows, settings)[0, 0] == B
    assert neighbours.tune_upcf(purchases, rows, first_is(A)).recency > 1


def test_a_list_of_few_items_is_filled_with_none() -> None:
    """Of three items, the best three in their order; the other places say that there is nobody."""
    found = neighbours._top(np.array([[0.2, 0.9, 0.5]]))

    assert found.tolist() == [[1, 2, 0] + [-1] * (neighbours.LONGEST - 3)]
