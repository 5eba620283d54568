"""Runs of places are spelled out."""

import numpy as np

from nextbasket_assets.recommender.runs import spelled_out


def test_every_place_of_every_run_comes_in_order() -> None:
    """Three places from 7, none from 9, and two from 0."""
    owner, places = spelled_out(np.array([7, 9, 0]), np.array([3, 0, 2]))

    assert owner.tolist() == [0, 0, 0, 2, 2]
    assert places.tolist() == [7, 8, 9, 0, 1]
    assert [part.tolist() for part in spelled_out(np.zeros(0, int), np.zeros(0, int))] == [[], []]
