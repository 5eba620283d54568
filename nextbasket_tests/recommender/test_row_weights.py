"""How much a row has to say, worked by hand."""

import numpy as np
import pytest

from nextbasket_assets.recommender.row_weights import draw, weights_of


def weights(withheld: list[bool]) -> list[float]:
    """Of prefixes 3 and 4 of a customer with four, and of the only one of another; the second target is a half-life old."""
    prefixes, lasts, sizes, age = (np.array(row) for row in ([3, 4, 1], [4, 4, 1], [4, 1, 9], [0, 10, 0]))
    return weights_of(prefixes, lasts, sizes, np.array(withheld), age, half_life=10.0).tolist()


def test_a_row_weighs_by_size_customer_newness_and_age():
    """Roots of 4, 1 and 9 items over roots of 4, 4 and 1 prefixes, the first halved as not the newest, the second by age."""
    raw = np.array([2 / 2 * 0.5, 1 / 2 * 0.5, 3.0])

    assert weights([False] * 3) == pytest.approx(raw / raw.mean())


def test_what_is_withheld_weighs_nothing_and_the_mean_stays_one():
    """Without the third row the two others, 0.5 and 0.25, are scaled so that all three have a mean of one."""
    assert weights([False, False, True]) == pytest.approx([2.0, 1.0, 0.0])


def test_light_rows_are_drawn_by_their_weight_and_then_weigh_alike():
    """Of four draws at an eighth, three, five and seven eighths, a row of weight .5 is in one, of 1 in two, of 2 and 3 in all."""
    given = np.array([0.0, 0.5, 1.0, 2.0, 3.0])
    draws = [draw(given, np.full(5, luck)) for luck in (1 / 8, 3 / 8, 5 / 8, 7 / 8)]

    assert np.array(draws).T.tolist() == [[0, 0, 0, 0], [2, 0, 0, 0], [2, 2, 0, 0], [2, 2, 2, 2], [3, 3, 3, 3]]
    assert np.mean(draws, axis=0) == pytest.approx(given)
