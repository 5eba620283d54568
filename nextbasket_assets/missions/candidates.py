"""Candidates: so many missions, fitted with several seeds or brought up to date, judged on customers nobody learnt from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nextbasket_assets.missions.documents import Documents, Floats
from nextbasket_assets.missions.gibbs import FitSettings, fit
from nextbasket_assets.missions.quality import Completion, Examination, distinctness, judged_by, similarity, stability
from nextbasket_assets.missions.topics import Topics

_LEAST_LEARNT, _LEAST_HELD_OUT = 40, 5  # baskets; evidence of fewer is chance, and of one it has no standard error
_PLENTY = 2 * (_LEAST_LEARNT + _LEAST_HELD_OUT)  # of so many a fifth is enough, unless few customers have them
_CUSTOMERS = "more customers are needed; until then set k to 1"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A number of missions with one prior: its best fit, and the evidence."""

    topics: Topics
    seeds: int
    completion: Completion
    coherence: float
    distinctness: float
    stability_seeds: float | None
    stability_halves: float | None

    @property
    def gain(self) -> float:
        """What it gains on held-out customers, nats per item."""
        return self.completion.gain


class Bench:
    """Fits topics on the customers that are learnt from, counts the fits, and judges them on the others."""

    def __init__(self, documents: Documents, seed: int, sweeps: int) -> None:
        """`seed`: of the halves and of what is brought up to date; `sweeps`: passes of each fit over the baskets.

        Raises:
            ValueError: too few baskets to learn from, or too few held-out ones that are large enough to judge by.
        """
        self._seed, self._sweeps = seed, sweeps
        self.learnt = documents.where(~documents.held_out_D)
        _refuse_few(len(self.learnt), int(documents.held_out_D.sum()), len(judged_by(documents)))
        self._halves = [self.learnt.where(self.learnt.half_D == half) for half in (0, 1)]
        if not all(len(half) for half in self._halves):
            raise ValueError(
                "a customer or two have all baskets that can be learned from, so missions cannot be judged: "
                f"{_CUSTOMERS}."
            )
        self._examination = Examination(documents)
        self.fits = 0

    def candidate(self, k: int, item_prior: float, seeds: Sequence[int]) -> Candidate:
        """So many missions, fitted with each seed, and once on either half of the customers."""
        fits = self.fitted(k, item_prior, seeds)
        halves = [self._fit(half, FitSettings(k, self._seed, item_prior, self._sweeps)) for half in self._halves]
        return self.judged(fits, stability(fits), stability(halves))

    def fitted(self, k: int, item_prior: float, seeds: Iterable[int]) -> list[Topics]:
        """A fit with each seed."""
        return [self._fit(self.learnt, FitSettings(k, seed, item_prior, self._sweeps)) for seed in seeds]

    def updated(self, former: Topics, item_prior: float, memory: float) -> Topics:
        """A fit that starts from former topics: they weigh `memory` times as much as the baskets' items."""
        remembered_KV = _remembered(former, memory * self.learnt.items_T.size)
        return self._fit(self.learnt, FitSettings(former.k, self._seed, item_prior, self._sweeps), remembered_KV)

    def judged(self, fits: Sequence[Topics], seeds: float | None, halves: float | None) -> Candidate:
        """The best of the fits, with its evidence; `seeds` and `halves` are the stability across them."""
        completions = [self._examination.complete(topics) for topics in fits]
        best = int(np.argmax([completion.gain for completion in completions]))
        topics = fits[best]
        coherence = self._examination.coherence(topics)
        return Candidate(topics, len(fits), completions[best], coherence, distinctness(topics), seeds, halves)

    def _fit(self, documents: Documents, settings: FitSettings, remembered_KV: Floats | None = None) -> Topics:
        self.fits += 1
        return fit(documents, settings, remembered_KV)


def _refuse_few(learnt: int, held_out: int, judged: int) -> None:
    if learnt >= _LEAST_LEARNT and judged >= _LEAST_HELD_OUT:
        return
    few_customers = learnt + held_out >= _PLENTY and (learnt < _LEAST_LEARNT or held_out < _LEAST_HELD_OUT)
    cure = (
        f"Too few customers have them: {_CUSTOMERS}"
        if few_customers
        else "Ingest more weeks, or lower min_item_baskets"
    )
    raise ValueError(
        f"{learnt} baskets to learn missions from and {judged} of held-out customers to judge them by are too few: "
        f"at least {_LEAST_LEARNT} and {_LEAST_HELD_OUT} are wanted. {cure}."
    )


def _remembered(former: Topics, items: float) -> Floats:
    """The counts of former topics, as if they had been of so many items."""
    return np.asarray(former.counts_KV * items / former.counts_KV.sum())


def blended(topics: Topics, former: Topics, memory: float) -> Topics:
    """What the new baskets and the memory of the former ones say together, in counts of the new baskets."""
    remembered_KV = _remembered(former, memory * topics.counts_KV.sum())
    return Topics((topics.counts_KV + remembered_KV) / (1.0 + memory), topics.item_prior, topics.mission_prior_K)


def mergers(topics: Topics) -> list[Topics]:
    """The topics with two missions as one: once with the two most alike, once with the pair after them."""
    first, second = np.triu_indices(topics.k, 1)
    order = np.argsort(-similarity(topics, topics)[first, second], kind="stable")[:2]
    return [_joined(topics, first[pair], second[pair]) for pair in order]


def _joined(topics: Topics, first: int, second: int) -> Topics:
    """The topics with two missions as one, in the place of the first."""
    counts_KV, prior_K = topics.counts_KV.copy(), topics.mission_prior_K.copy()
    counts_KV[first] += counts_KV[second]
    prior_K[first] += prior_K[second]
    keep = np.arange(topics.k) != second
    return Topics(counts_KV[keep], topics.item_prior, prior_K[keep])


def everything(documents: Documents, item_prior: float) -> Topics:
    """One mission: the average basket."""
    counts_V = np.bincount(documents.items_T, minlength=documents.vocabulary).astype(np.float64)
    return Topics(counts_V[None, :], item_prior, np.ones(1))
