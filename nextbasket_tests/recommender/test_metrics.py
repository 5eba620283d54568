from math import log2

import numpy as np
import pytest

from nextbasket_assets.recommender.metrics import Truth, calibration_error, means, per_customer, reliability


def truth(rows: list[int], items: list[int], repeats: list[bool], customers: int) -> Truth:
    return Truth(np.array(rows, int), np.array(items, int), np.array(repeats, bool), customers)


def test_metrics_are_the_fractions_worked_by_hand():
    """Hits at ranks 1 and 3 of a target of four: 2/4, 2/3, (1 + 1/2) over the ideal of three places, and a hit."""
    wanted = truth([0, 0, 0, 0], [7, 9, 11, 12], [True, False, True, True], 1)
    values = per_customer(np.array([[7, 8, 9]]), wanted, (3,))

    assert values["recall", 3] == pytest.approx([2 / 4])
    assert values["precision", 3] == pytest.approx([2 / 3])
    assert values["ndcg", 3] == pytest.approx([(1 + 1 / 2) / (1 + 1 / log2(3) + 1 / 2)])
    assert values["phr", 3] == pytest.approx([1.0])
    assert values["recall_repeat", 3] == pytest.approx([1 / 3])
    assert values["recall_explore", 3] == pytest.approx([1 / 1])


def test_a_target_smaller_than_k_has_a_shorter_ideal():
    """One target item at rank 2 of 10: recall 1, nDCG 1/log2(3)."""
    values = per_customer(np.array([[3, 2, 4, 5]]), truth([0], [2], [True], 1), (10,))

    assert values["recall", 10] == pytest.approx([1.0])
    assert values["ndcg", 10] == pytest.approx([1 / log2(3)])


def test_an_item_listed_twice_hits_once():
    """Repeating the one right item must not buy a second hit."""
    values = per_customer(np.array([[2, 2, 2]]), truth([0, 0], [2, 5], [True, True], 1), (3,))

    assert values["recall", 3] == pytest.approx([1 / 2])
    assert values["ndcg", 3] == pytest.approx([1 / (1 + 1 / log2(3))])


def test_empty_places_never_hit():
    """A list with no item at all scores 0, whatever the target."""
    values = per_customer(np.array([[-1, -1]]), truth([0], [2], [True], 1), (2,))

    assert (values["recall", 2], values["phr", 2]) == ([0.0], [0.0])


def test_a_customer_without_target_is_left_out_of_the_mean():
    """The mean of (1/1, undefined) is 1 over one customer, not 1/2 over two."""
    values = per_customer(np.array([[2], [2]]), truth([0], [2], [True], 2), (1,))

    assert means(values)["recall", 1] == (1.0, 1)
    assert means(values)["recall_explore", 1] == (0.0, 0)


def test_another_customers_target_is_no_hit():
    """Hits are looked up by customer and item together."""
    values = per_customer(np.array([[2], [3]]), truth([0, 1], [3, 2], [True, True], 2), (1,))

    assert list(values["recall", 1]) == [0.0, 0.0]


def test_calibration_error_is_the_mean_gap_of_the_bins():
    """Two bins: said 0.2 and happened 1/2, said 0.8 and happened 1/2, so 0.3 on both."""
    said, happened = np.array([0.2, 0.2, 0.8, 0.8]), np.array([True, False, True, False])

    assert calibration_error(said, happened, bins=2) == pytest.approx(0.3)
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False]), bins=1) == pytest.approx(0.0)


def test_reliability_is_the_means_of_equal_parts():
    """Four pairs in two bins: 0.1 and 0.3 of which none came, 0.5 and 0.9 of which one did; the error is (0.2 + 0.2) / 2."""
    probability, happened = np.array([0.9, 0.1, 0.5, 0.3]), np.array([True, False, False, False])
    found = reliability(probability, happened, bins=2)

    assert found.predicted == pytest.approx([0.2, 0.7])
    assert found.observed == pytest.approx([0.0, 0.5])
    assert found.pairs.tolist() == [2, 2]
    assert calibration_error(probability, happened, bins=2) == pytest.approx(0.2)
    assert reliability(probability[:1], happened[:1], bins=10).pairs.tolist() == [1]
