from dataclasses import replace

import numpy as np
import pytest

from nextbasket_assets.missions import candidates
from nextbasket_assets.missions.candidates import Candidate
from nextbasket_assets.missions.choosing import ChoiceSettings, choose, fewest, has_structure
from nextbasket_assets.missions.documents import Documents, Floats
from nextbasket_assets.missions.gibbs import FitSettings, fit
from nextbasket_assets.missions.quality import Completion
from nextbasket_assets.missions.topics import Topics
from nextbasket_tests.missions.planted import planted

QUICK = ChoiceSettings(candidates=(2, 4, 6, 8), item_priors=(0.05,), seeds=2, restarts=3, sweeps=60)


def candidate(k: int, gain: float, error: float = 0.01) -> Candidate:
    topics = Topics(np.ones((k, 5)), 0.05, np.ones(k))
    return Candidate(topics, 3, Completion(100.0, gain, error), 0.1, 1.0, 0.9, 0.9)


def test_the_fewest_missions_within_one_standard_error() -> None:
    """With gains .10, .495 and .50 ± .01 the middle candidate is as good as the best one, and simpler."""
    tried = [candidate(2, 0.10), candidate(5, 0.495), candidate(9, 0.50)]

    assert fewest(tried).topics.k == 5
    assert fewest([tried[0], candidate(5, 0.48), tried[2]]).topics.k == 9


def test_the_planted_number_is_chosen() -> None:
    """Five planted missions, which is no candidate: the neighbours of the best one are tried, and five is chosen."""
    choice = choose(planted([0, 1, 2, 3, 4], baskets=1200), QUICK)

    assert choice.topics.k == 5
    assert choice.structure
    assert choice.chosen in choice.candidates
    assert "5 missions gain" in choice.why


def test_the_shuffled_twin_has_no_structure() -> None:
    """The same items in any basket: one mission, and the reason says that there is no structure."""
    choice = choose(planted([0, 1, 2, 3, 4], baskets=1200, shuffled=True), QUICK)

    assert choice.topics.k == 1
    assert not choice.structure
    assert "no mission structure worth the name" in choice.why


def test_a_gain_within_two_standard_errors_of_0_is_chance() -> None:
    """Also of the best of several candidates, on a shuffled shop where one gains a little."""
    assert [has_structure(candidate(3, gain)) for gain in (-0.01, 0.019, 0.021)] == [False, False, True]

    choice = choose(planted([0, 1, 2], baskets=300, shuffled=True), replace(QUICK, candidates=(2, 3)))
    assert max(one.gain for one in choice.candidates) > 0
    assert (choice.structure, choice.topics.k) == (False, 1)


def test_the_fewest_missions_are_found_from_above() -> None:
    """Eight missions for the five planted ones, and no candidate below seven: alike ones are merged until five are left."""
    choice = choose(planted([0, 1, 2, 3, 4], baskets=600), replace(QUICK, candidates=(8,), restarts=2))

    assert [one.topics.k for one in choice.candidates] == [4, 5, 6, 7, 8, 9]
    assert choice.topics.k == 5


def test_two_surely_worse_candidates_end_the_search() -> None:
    """Two planted missions: three may do, six and twelve are surely worse, and twenty are not tried."""
    choice = choose(planted([0, 1], baskets=400), replace(QUICK, candidates=(2, 3, 6, 12, 20)))

    assert [one.topics.k for one in choice.candidates] == [2, 3, 6, 12]


def test_the_budget_is_kept_and_the_table_still_whole() -> None:
    """With a budget of ten fits the search stops early, and says how many it made."""
    choice = choose(planted([0, 1, 2], baskets=400), replace(QUICK, max_fits=10, restarts=2))

    assert choice.fits <= 10
    assert [one.topics.k for one in choice.candidates] == [2, 4]


def test_a_number_that_was_asked_for_is_taken() -> None:
    """k is a setting too: no other number is tried."""
    choice = choose(planted([0, 1, 2], baskets=400), replace(QUICK, k=4))

    assert choice.topics.k == 4
    assert {one.topics.k for one in choice.candidates} == {4}
    assert "this number was asked for" in choice.why


@pytest.mark.parametrize("priors", [(50.0, 0.05), (0.05, 50.0)])
def test_the_better_prior_is_taken(priors: tuple[float, float]) -> None:
    """Fifty of every item beforehand drown what is bought together: the other prior is chosen, tried first or last."""
    settings = replace(QUICK, k=3, item_priors=priors, seeds=1, restarts=1, sweeps=30)

    assert choose(planted([0, 1, 2], baskets=300), settings).topics.item_prior == 0.05


def test_no_seed_is_fitted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four fits of the chosen number are four seeds: two of the candidate, two of the restarts; the halves have the first."""
    seeds = []

    def noted(documents: Documents, settings: FitSettings, remembered_KV: Floats | None = None) -> Topics:
        seeds.append(settings.seed)
        return fit(documents, settings, remembered_KV)

    monkeypatch.setattr(candidates, "fit", noted)
    choose(planted([0, 1, 2], baskets=300), replace(QUICK, k=3, seed=5, seeds=2, restarts=4, sweeps=10))

    assert seeds == [5, 6, 5, 5, 7, 8]


def test_a_number_that_was_asked_for_is_taken_though_former_missions_vanished() -> None:
    """Four are asked for and one of the four former ones is gone: the three that last are not what was asked for."""
    former = choose(planted([0, 1, 2, 3], baskets=1000), QUICK).topics
    now = planted([0, 1, 2], baskets=1000, seed=3)

    assert choose(now, replace(QUICK, k=4), former).topics.k == 4
    assert "the former missions, brought up to date" in choose(now, replace(QUICK, k=3), former).why


def test_without_memory_no_former_mission_is_kept() -> None:
    """With memory 0 nothing is passed on, so the missions are new ones and the reason says so."""
    former = choose(planted([0, 1, 2], baskets=400), QUICK).topics
    choice = choose(planted([0, 1, 2], baskets=400, seed=3), replace(QUICK, memory=0.0), former)

    assert "3 missions gain" in choice.why


def test_the_first_candidate_and_what_is_kept_are_beyond_the_budget() -> None:
    """A budget of one fit still makes the four of the first candidate, and one that brings the former missions up to date."""
    former = choose(planted([0, 1, 2], baskets=400), QUICK).topics
    tight = replace(QUICK, k=3, max_fits=1)

    assert choose(planted([0, 1, 2], baskets=400), tight).fits == 4
    kept = choose(planted([0, 1, 2], baskets=400), tight, former)
    assert kept.chosen is not None
    assert (kept.fits, kept.chosen.seeds) == (5, 3)


def test_kept_missions_are_judged_themselves() -> None:
    """The chosen candidate is of the missions that were kept: their number, and the gain that the reason gives."""
    former = choose(planted([0, 1, 2, 3], baskets=1000), QUICK).topics
    choice = choose(planted([0, 1, 2, 3], baskets=1000, seed=3), replace(QUICK, seed=7), former)

    assert choice.chosen in choice.candidates
    assert choice.chosen is not None
    assert choice.chosen.topics is choice.topics
    assert f"brought up to date, gain {choice.chosen.completion.gain:.4f}" in choice.why
    assert len({(one.topics.k, one.topics.item_prior) for one in choice.candidates}) == len(choice.candidates)


def test_kept_missions_remember_what_is_not_bought_now() -> None:
    """An item of a former mission that no basket holds now stays in it; the counts are as many as the new baskets' items."""
    former = choose(planted([0, 1, 2, 3], baskets=1000), QUICK).topics
    former.counts_KV[0, 50] = 60
    baskets = planted([0, 1, 2, 3], baskets=1000, seed=3)
    choice = choose(baskets, replace(QUICK, seed=7), former)

    assert 25 < choice.topics.counts_KV[0, 50] < 35
    assert choice.topics.counts_KV.sum() == pytest.approx(baskets.where(~baskets.held_out_D).items_T.size)


def test_former_missions_without_a_known_item_are_not_kept() -> None:
    """A former model that shares no item with the baskets is told of, and new missions are chosen."""
    documents = planted([0, 1, 2], baskets=400)
    said: list[str] = []
    former = Topics(np.zeros((4, documents.vocabulary)), 0.05, np.ones(4))
    choice = choose(documents, replace(QUICK, restarts=2), former, said.append)

    assert "the fewest within one standard error" in choice.why
    assert any("there are none to keep" in line for line in said)


def test_former_missions_are_kept_when_they_are_as_good() -> None:
    """A shop that did not change keeps its missions in their order, though a new search would shuffle them."""
    former = choose(planted([0, 1, 2, 3], baskets=1000), QUICK).topics
    choice = choose(planted([0, 1, 2, 3], baskets=1000, seed=3), replace(QUICK, seed=7), former)

    assert "the former missions, brought up to date" in choice.why
    assert np.array_equal(np.argmax(choice.topics.counts_KV, axis=1) // 10, np.argmax(former.counts_KV, axis=1) // 10)


@pytest.mark.parametrize(("missions", "expected"), [([0, 1, 2], 3), ([0, 1, 2, 3, 4], 5)])
def test_a_mission_that_vanishes_or_appears_changes_the_number(missions: list[int], expected: int) -> None:
    """Four missions before: one fewer, or one more, is what a refit finds."""
    former = choose(planted([0, 1, 2, 3], baskets=1000), QUICK).topics

    assert choose(planted(missions, baskets=1200, seed=3), QUICK, former).topics.k == expected


def test_a_candidate_with_too_few_baskets_for_its_neighbour_ends_the_search() -> None:
    """Ten missions for 72 baskets: nine are too many for them too, so no other number is tried."""
    choice = choose(planted([0, 1, 2], baskets=90), replace(QUICK, candidates=(10,), restarts=1))

    assert [one.topics.k for one in choice.candidates] == [10]
    assert choice.topics.k == 10


def test_one_mission_needs_no_evidence() -> None:
    """Asked for one, any baskets will do: a handful, or those of one customer, held out or not."""
    choice = choose(replace(planted([0], baskets=3), held_out_D=np.ones(3, np.bool_)), replace(QUICK, k=1))

    assert (choice.topics.k, choice.fits, choice.candidates) == (1, 0, ())
    assert choice.why == "one mission was asked for"
    assert choice.topics.counts_KV.sum() > 0
