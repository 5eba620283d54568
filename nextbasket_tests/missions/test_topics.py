import numpy as np
import pytest

from nextbasket_assets.missions.documents import documents
from nextbasket_assets.missions.gibbs import FitSettings, fit
from nextbasket_assets.missions.quality import matched
from nextbasket_assets.missions.topics import Topics, fold_in
from nextbasket_tests.missions.planted import ITEMS_PER_MISSION, planted


def top_missions(topics: Topics) -> list[set[int]]:
    """The planted missions that each topic's ten most probable own items come from."""
    own = topics.counts_KV[:, : 10 * ITEMS_PER_MISSION]
    return [set((np.argsort(-row)[:ITEMS_PER_MISSION] // ITEMS_PER_MISSION).tolist()) for row in own]


def test_planted_missions_are_found() -> None:
    """Each of four topics has the ten items of one planted mission on top, every mission once."""
    found = top_missions(fit(planted([0, 1, 2, 3]), FitSettings(4, seed=1)))

    assert sorted(found, key=min) == [{0}, {1}, {2}, {3}]


def test_shuffled_missions_are_not() -> None:
    """The same items in any basket: every topic mixes the missions."""
    found = top_missions(fit(planted([0, 1, 2, 3], shuffled=True), FitSettings(4, seed=1)))

    assert all(len(missions) > 1 for missions in found)


def test_a_seed_decides_the_fit() -> None:
    """One seed twice is one model bit for bit, fewer sweeps are another; every item of the baskets is counted once."""
    baskets = planted([0, 1, 2], baskets=300)
    once, again = (fit(baskets, FitSettings(3, seed=5)) for _ in range(2))

    assert np.array_equal(once.counts_KV, again.counts_KV)
    assert np.array_equal(once.mission_prior_K, again.mission_prior_K)
    assert not np.array_equal(once.counts_KV, fit(baskets, FitSettings(3, seed=5, sweeps=10)).counts_KV)
    assert np.array_equal(once.counts_KV.sum(axis=0), np.bincount(baskets.items_T, minlength=baskets.vocabulary))


def test_what_is_remembered_keeps_the_order() -> None:
    """A fit that remembers the former topics has them again, each in its place, and counts only its own baskets."""
    former = fit(planted([0, 1, 2, 3]), FitSettings(4, seed=1))
    baskets = planted([0, 1, 2, 3], seed=9)
    updated = fit(baskets, FitSettings(4, seed=2), remembered_KV=0.1 * former.counts_KV)

    assert top_missions(updated) == top_missions(former)
    assert updated.counts_KV.sum() == pytest.approx(baskets.items_T.size)


def test_shares_are_worked_by_hand() -> None:
    """One item whose mission is certain weighs 1 against a prior of 0.5 each; no item leaves the prior."""
    probability_KV = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    share_DK = fold_in(documents([[0], [], [0, 0, 1], [2]], 3), probability_KV, np.array([0.5, 0.5]))

    assert share_DK == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5], [0.625, 0.375], [0.5, 0.5]]))


def test_a_mission_s_share_of_the_items_is_of_what_was_bought() -> None:
    """Three items of four; what every mission is given beforehand is in no share."""
    assert Topics(np.array([[3.0, 0.0], [0.0, 1.0]]), 0.5, np.ones(2)).item_share_K.tolist() == [0.75, 0.25]


def test_an_item_does_not_vouch_for_itself() -> None:
    """Of two items 1.8 times as likely on the first mission each is 3/4 its own: 3/1 = 1.8 * (0.5 + 3/4) / (0.5 + 1/4)."""
    share_DK = fold_in(documents([[0, 1]], 2), np.array([[0.9, 0.9], [0.5, 0.5]]), np.array([0.5, 0.5]))

    assert share_DK == pytest.approx(np.array([[2 / 3, 1 / 3]]))


def test_shares_do_not_depend_on_what_is_in_memory_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of seven items or all at once, bit for bit the same; a basket larger than a part is a part."""
    baskets = documents([[0, 1], [], [2, 0, 1, 2, 0, 1, 2, 0], [1], [0, 2, 1], [2]], 3)
    probability_KV, prior_K = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]), np.array([0.3, 0.2])
    together = fold_in(baskets, probability_KV, prior_K)
    monkeypatch.setattr("nextbasket_assets.missions.topics._ITEMS_AT_ONCE", 7)

    assert np.array_equal(fold_in(baskets, probability_KV, prior_K), together)


def test_matching_takes_the_best_total() -> None:
    """The assignment maximises the sum: greedily pairing 0.9 first would leave 0.1."""
    assert matched(np.array([[0.9, 0.8], [0.8, 0.1]])) == [(0, 1), (1, 0)]
