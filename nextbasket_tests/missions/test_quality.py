from dataclasses import replace

import numpy as np
import pytest

from nextbasket_assets.missions.documents import documents
from nextbasket_assets.missions.gibbs import FitSettings, fit
from nextbasket_assets.missions.quality import Examination, distinctness, similarity, stability
from nextbasket_assets.missions.topics import Topics
from nextbasket_tests.missions.planted import planted


def topics(*counts: list[float]) -> Topics:
    k = len(counts)
    return Topics(np.array(counts), 1e-9, np.full(k, 1e-3))


def test_a_model_that_knows_gains_what_it_must() -> None:
    """Two missions of two items each: knowing which one halves the choice, so the gain is ln 2 nats per item."""
    baskets = documents([[0, 1, 2, 3], [4, 5, 6, 7]] * 50, 8)
    knowing = Examination(baskets).complete(topics([1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]))

    assert knowing.gain == pytest.approx(np.log(2), abs=0.01)
    assert knowing.perplexity == pytest.approx(4, rel=0.01)


def test_completion_is_worked_by_hand() -> None:
    """Half of two baskets is foretold: one item of probability 0.4, and two of 0.05, which each had a share of 1/8.

    The gain is a mean over baskets, however many items they have, and what is popular is learnt from the others.
    """
    baskets = replace(documents([[0, 1], [2, 3, 4, 5], list(range(8))], 8), held_out_D=np.array([True, True, False]))
    found = Examination(baskets).complete(topics([8, 8, 1, 1, 1, 1, 0, 0]))

    assert found.gain == pytest.approx((np.log(0.4 * 8) + np.log(0.05 * 8)) / 2)
    assert found.error == pytest.approx(np.log(8) / 2)  # deviation ln 8 / sqrt(2), of two baskets
    assert found.perplexity == pytest.approx((0.4 * 0.05 * 0.05) ** (-1 / 3))


def test_planted_missions_gain_and_shuffled_ones_do_not() -> None:
    """On held-out baskets the fit of planted missions gains; the fit of the shuffled twin gains nothing."""
    gains = {}
    for shuffled in (False, True):
        baskets = planted([0, 1, 2, 3], shuffled=shuffled)
        fitted = fit(baskets.where(~baskets.held_out_D), FitSettings(4, seed=1))
        gains[shuffled] = Examination(baskets).complete(fitted)

    assert gains[False].gain > 1.0
    assert gains[True].gain < 2 * gains[True].error


def test_coherence_is_worked_by_hand() -> None:
    """Items always together have NPMI 1, items never together -1; a mission of both is their mean.

    An item that is never bought on the mission is in none of its pairs.
    """
    together = [[0, 1, 2, 3], [4, 5, 6, 7]] * 10
    examination = Examination(documents(together, 8))

    # All eight items are top items: 12 pairs are always together, 16 never.
    assert examination.coherence(topics([2, 2, 2, 2, 1, 1, 1, 1])) == pytest.approx((12 - 16) / 28)
    assert examination.coherence(topics([1, 1, 1, 1, 0, 0, 0, 0])) == pytest.approx(1.0)
    always = Examination(documents([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 13]] * 10, 14))
    assert always.coherence(topics([1.0] * 10 + [0.0] * 4)) == pytest.approx(1.0)


def test_distinct_missions_share_no_top_item() -> None:
    """Missions that share no item are distinct (1), however few they have; copies of one mission are not at all (0)."""
    one, other = [1.0] * 10 + [0.0] * 10, [0.0] * 10 + [1.0] * 10

    assert distinctness(topics(one, other)) == 1.0
    assert distinctness(topics(one, one)) == 0.0
    assert distinctness(topics([9, 8, 7, 0, 0, 0], [0, 0, 0, 9, 8, 7])) == 1.0


def test_similarity_looks_at_what_sets_missions_apart() -> None:
    """Two missions that share a popular item are opposites, not alike; a mission is its own likeness."""
    pair = topics([100, 10, 0], [100, 0, 10])

    assert similarity(pair, pair) == pytest.approx(np.array([[1, -1], [-1, 1]]))
    assert stability([pair, topics([100, 0, 10], [100, 10, 0])]) == pytest.approx(1.0)
    assert stability([pair]) is None


def test_the_average_basket_is_that_of_all_items() -> None:
    """A mission of half the items and two of a quarter: from P(item) = 1/2, 1/4, 1/4 the two are farther from the large one."""
    three = topics([2, 0, 0], [0, 1, 0], [0, 0, 1])

    assert similarity(three, three)[0, 1] == pytest.approx(-np.sqrt(3 / 7))
    assert similarity(three, three)[1, 2] == pytest.approx(-1 / 7)


def test_nothing_to_judge_by_is_said() -> None:
    """Without a held-out basket of two items there is no evidence, and the error says what to do."""
    with pytest.raises(ValueError, match=r"no held-out basket has 2 known items.*Ingest more weeks"):
        Examination(documents([[0], [1, 2]], 3))
