from dataclasses import replace

import numpy as np
import pytest

from nextbasket_assets.missions import candidates
from nextbasket_assets.missions.candidates import Bench, blended, mergers
from nextbasket_assets.missions.documents import documents
from nextbasket_assets.missions.topics import Topics
from nextbasket_tests.missions.planted import planted


def bench(shuffled: bool = False) -> Bench:
    return Bench(planted([0, 1, 2], baskets=300, shuffled=shuffled), seed=1, sweeps=60)


def test_planted_missions_are_stable_and_shuffled_ones_are_not() -> None:
    """Seeds and halves of the customers agree on what was planted, and on little of what chance gives."""
    planted_, chance = (bench(shuffled).candidate(3, 0.05, (1, 2)) for shuffled in (False, True))

    assert planted_.stability_seeds is not None
    assert planted_.stability_halves is not None
    assert min(planted_.stability_seeds, planted_.stability_halves) > 0.9
    assert chance.stability_seeds is not None
    assert chance.stability_halves is not None
    assert max(chance.stability_seeds, chance.stability_halves) < 0.6


def test_the_best_fit_on_held_out_customers_stands_for_the_candidate() -> None:
    """Of two topics over the baskets of one mission each, the one that knows them is taken; every fit is counted."""
    judge = bench()
    knowing = judge.fitted(3, 0.05, (1,))[0]
    ignorant = Topics(np.ones_like(knowing.counts_KV), 0.05, np.ones(3))
    candidate = judge.judged([ignorant, knowing], 0.5, None)

    assert candidate.topics is knowing
    assert (candidate.seeds, candidate.stability_seeds, candidate.stability_halves, judge.fits) == (2, 0.5, None, 1)


def test_the_two_most_alike_missions_are_merged_first() -> None:
    """Of three missions the first two buy the same: they become one in the place of the first, all counts kept."""
    topics = Topics(np.array([[10.0, 8, 0, 0], [8, 10, 0, 0], [0, 0, 9, 9]]), 0.05, np.array([0.1, 0.2, 0.3]))
    first, second = mergers(topics)

    assert first.counts_KV.tolist() == [[18, 18, 0, 0], [0, 0, 9, 9]]
    assert first.mission_prior_K == pytest.approx([0.3, 0.3])
    assert second.k == 2
    assert second.counts_KV.sum() == topics.counts_KV.sum()


def test_a_memory_weighs_what_it_is_told() -> None:
    """Half as much as the new counts: two parts new and one part old, in as many counts as are new."""
    new, old = (Topics(np.array([counts]), 0.05, np.ones(1)) for counts in ([30.0, 0.0], [0.0, 7.0]))

    assert blended(new, old, 0.5).counts_KV == pytest.approx(np.array([[20.0, 10.0]]))


def test_what_is_brought_up_to_date_remembers_as_much_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a memory of a half the former topics count as half of the items that are learnt from, each in its share."""
    judge, told = bench(), []
    monkeypatch.setattr(candidates, "fit", lambda _documents, _settings, remembered_KV: told.append(remembered_KV))
    former = Topics(np.zeros((2, judge.learnt.vocabulary)), 0.05, np.ones(2))
    former.counts_KV[:, 0] = 1, 3
    judge.updated(former, 0.05, memory=0.5)

    assert told[0][:, 0] == pytest.approx(judge.learnt.items_T.size / 2 * np.array([0.25, 0.75]))


@pytest.mark.parametrize(("baskets", "least"), [(4, "3 baskets .* and 1 of"), (45, "36 baskets .* and 9 of")])
def test_a_handful_of_baskets_is_refused(baskets: int, least: str) -> None:
    """Evidence of a handful is chance: the error says how many there are and how many are wanted."""
    with pytest.raises(ValueError, match=rf"{least}.*at least 40 and 5 are wanted.*Ingest more weeks"):
        Bench(planted([0, 1, 2], baskets=baskets), 1, 60)


@pytest.mark.parametrize("held_out", [False, True])
def test_more_weeks_of_the_same_few_customers_do_not_help(held_out: bool) -> None:
    """Two hundred baskets of customers who are all held out, or none of whom is: more customers are what is wanted."""
    baskets = planted([0, 1, 2], baskets=200)
    with pytest.raises(ValueError, match=r"Too few customers have them: more customers are needed.*set k to 1"):
        Bench(replace(baskets, held_out_D=np.full(200, held_out)), 1, 60)


def test_large_held_out_baskets_are_what_is_counted() -> None:
    """Forty held-out baskets of one item judge nothing, and more customers would not help."""
    single = documents([[0] if number % 5 == 0 else [0, 1] for number in range(200)], 2)
    with pytest.raises(ValueError, match=r"160 baskets .* and 0 of held-out .*Ingest more weeks"):
        Bench(single, 1, 60)


def test_the_baskets_of_one_half_are_too_few() -> None:
    """All learnt from one customer, nothing can be compared, and the error says what to do."""
    baskets = planted([0, 1, 2], baskets=90)
    with pytest.raises(ValueError, match=r"so missions cannot be judged: more customers are needed.*set k to 1"):
        Bench(replace(baskets, half_D=np.zeros_like(baskets.half_D)), 1, 60)
