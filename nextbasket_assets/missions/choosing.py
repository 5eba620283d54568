"""How many missions there are: candidates fitted with several seeds, judged on customers nobody learnt from.

The rule is parsimonious: the fewest missions whose gain is within one standard error of the best candidate's. When no
candidate foretells held-out baskets better than the items' shares do, there is no mission structure and one mission.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nextbasket_assets.missions.documents import Documents, Floats
from nextbasket_assets.missions.gibbs import FitSettings, fit
from nextbasket_assets.missions.quality import Completion, Examination, distinctness, similarity, stability
from nextbasket_assets.missions.topics import Topics

_SURE = 2.0  # standard errors above 0 that the best gain must be
_HINT = 0.1  # what a fit is told of the missions it is merged from, as a share of its items
_GIVEN_UP = 2  # larger candidates in a row that are surely worse end the search
_LEAST_LEARNT, _LEAST_HELD_OUT = 40, 5  # baskets; evidence of fewer is chance, and of one it has no standard error


@dataclass(frozen=True)
class ChoiceSettings:
    """What is tried.

    Attributes:
        k: number of missions; None lets the evidence choose among `candidates` and their neighbours.
        candidates: numbers of missions, rising.
        item_priors: tried for the chosen number; the first one for every number.
        seeds: fits of each candidate.
        restarts: fits of the chosen candidate; the best on held-out customers is kept.
        sweeps: passes of each fit over the baskets.
        max_fits: the budget: no candidate is begun that would need more fits in all.
        seed: of the first fit; the others count up.
        memory: what a former model knew, as a share of the new baskets' items.
        least_share: a mission of a smaller share of the items has vanished.
    """

    k: int | None = None
    candidates: Sequence[int] = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
    item_priors: Sequence[float] = (0.05, 0.2)
    seeds: int = 3
    restarts: int = 5
    sweeps: int = 100
    max_fits: int = 80
    seed: int = 1
    memory: float = 1.0
    least_share: float = 0.01


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


@dataclass(frozen=True, eq=False)
class Choice:
    """The topics that were chosen, why, and everything that was tried, by k."""

    topics: Topics
    why: str
    structure: bool
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    fits: int


def choose(
    documents: Documents,
    settings: ChoiceSettings,
    former: Topics | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Choose the missions of these baskets.

    Args:
        documents: each with two items or more; a fit of k missions needs many times k.
        settings: what is tried.
        former: the topics in force, over the same vocabulary. They are kept, brought up to date, when that is as good.
        report: called with a line after each candidate.

    Raises:
        ValueError: too few baskets to learn from, or too few held-out ones that are large enough to judge by.
    """
    return _Search(documents, settings, report).run(former)


class _Search:
    def __init__(self, documents: Documents, settings: ChoiceSettings, report: Callable[[str], None]) -> None:
        self._settings, self._report = settings, report
        self._examination = Examination(documents)
        self._learnt = documents.where(~documents.held_out_D)
        _refuse_few(len(self._learnt), len(self._examination.held_out))
        self._halves = [self._learnt.where(self._learnt.half_D == half) for half in (0, 1)]
        if not all(len(half) for half in self._halves):
            raise ValueError(
                "a customer or two have all baskets that can be learned from, so missions cannot be judged. Ingest more weeks."
            )
        self._tried: dict[tuple[int, float], Candidate] = {}
        self._fits = 0

    def run(self, former: Topics | None) -> Choice:
        settings = self._settings
        if settings.k == 1:
            return self._none("one mission was asked for", structure=False)
        if settings.k is not None:
            self._try(settings.k, settings.item_priors[0], within_budget=False)
        else:
            self._climb(settings.candidates)
            best = max(self._tried.values(), key=_gain)
            self._climb([k for k in (best.topics.k - 1, best.topics.k + 1) if k > 1])
            self._merge()
        best = max(self._tried.values(), key=_gain)
        structure = best.completion.gain > _SURE * best.completion.error
        if not structure and settings.k is None:
            return self._none(_no_structure(best), structure=False)
        chosen = self._polished(fewest(list(self._tried.values())))
        kept = self._kept(former, chosen) if former is not None and settings.k in (None, former.k) else None
        chosen, why = kept or (chosen, _why(chosen, best, asked=settings.k is not None))
        return Choice(chosen.topics, why, structure, self._by_k(), chosen, self._fits)

    def _climb(self, numbers: Sequence[int]) -> None:
        worse = 0
        for k in numbers:
            candidate = self._try(k, self._settings.item_priors[0])
            if candidate is None:
                continue
            best = max(self._tried.values(), key=_gain)
            surely = candidate.completion.gain < best.completion.gain - _SURE * best.completion.error
            worse = worse + 1 if surely and k > best.topics.k else 0
            if worse == _GIVEN_UP:
                break

    def _merge(self) -> None:
        """Take the two most alike missions of the best model for one, and again, while that loses nothing.

        A fit from chance often has one mission twice and another not at all: the fewest missions are found from above.
        """
        current = max(self._tried.values(), key=_gain)
        bar = current.completion.gain - current.completion.error
        while current.topics.k > 2 and self._fits + self._settings.seeds + 4 <= self._settings.max_fits:
            fewer = self._merged(current)
            if fewer is None or fewer.completion.gain < bar:
                return
            current = fewer

    def _merged(self, candidate: Candidate) -> Candidate | None:
        """The candidate with one mission fewer, now that it was fitted from mergers of this one's too; None as of `_try`."""
        k, prior = candidate.topics.k - 1, candidate.topics.item_prior
        self._try(k, prior)
        if (k, prior) not in self._tried:
            return None
        fits = [
            self._updated(_joined(candidate.topics, first, second), prior, _HINT)
            for first, second in _most_alike(candidate.topics)
        ]
        known = self._tried[k, prior]
        better = self._candidate([known.topics, *fits], known.stability_seeds, known.stability_halves)
        self._tried[k, prior] = replace(better, seeds=known.seeds + len(fits))
        return self._tried[k, prior]

    def _try(self, k: int, item_prior: float, within_budget: bool = True) -> Candidate | None:
        """Fit a candidate; None when it was fitted already, is beyond the budget, or has too few baskets."""
        settings = self._settings
        if (k, item_prior) in self._tried or (self._tried and k * 10 > len(self._learnt)):
            return None
        if within_budget and self._tried and self._fits + settings.seeds + 2 > settings.max_fits:
            return None
        seeds = range(settings.seed, settings.seed + settings.seeds)
        fits = [self._fit(self._learnt, FitSettings(k, seed, item_prior, settings.sweeps)) for seed in seeds]
        halves = [self._fit(half, FitSettings(k, settings.seed, item_prior, settings.sweeps)) for half in self._halves]
        candidate = self._candidate(fits, stability(fits), stability(halves))
        self._tried[k, item_prior] = candidate
        self._report(
            f"{k} missions, item prior {item_prior:g}: gain {candidate.completion.gain:.4f} ± "
            f"{candidate.completion.error:.4f} nats per item on held-out customers"
        )
        return candidate

    def _fit(self, documents: Documents, settings: FitSettings, remembered_KV: Floats | None = None) -> Topics:
        self._fits += 1
        return fit(documents, settings, remembered_KV)

    def _candidate(self, fits: list[Topics], seeds: float | None, halves: float | None) -> Candidate:
        completions = [self._examination.complete(topics) for topics in fits]
        best = int(np.argmax([completion.gain for completion in completions]))
        topics = fits[best]
        coherence = self._examination.coherence(topics)
        return Candidate(topics, len(fits), completions[best], coherence, distinctness(topics), seeds, halves)

    def _polished(self, chosen: Candidate) -> Candidate:
        """The chosen number with the other priors, and then with more seeds; the best on held-out customers."""
        settings, k = self._settings, chosen.topics.k
        for item_prior in settings.item_priors[1:]:
            other = self._try(k, item_prior)
            chosen = max(chosen, other, key=_gain) if other else chosen
        first = settings.seed + settings.seeds
        extra = range(first, first + max(0, min(settings.restarts - settings.seeds, settings.max_fits - self._fits)))
        prior = chosen.topics.item_prior
        fits = [self._fit(self._learnt, FitSettings(k, seed, prior, settings.sweeps)) for seed in extra]
        better = self._candidate([chosen.topics, *fits], chosen.stability_seeds, chosen.stability_halves)
        polished = replace(better, seeds=chosen.seeds + len(fits))
        self._tried[k, prior] = polished
        return polished

    def _kept(self, former: Topics, chosen: Candidate) -> tuple[Candidate, str] | None:
        """The former missions brought up to date, without those that vanished, if no worse than the chosen candidate."""
        former = former.select(np.flatnonzero(former.counts_KV.sum(axis=1)))
        if former.k < 2:
            self._report("fewer than two former missions have an item of these baskets: there are none to keep")
            return None
        fits = self._fits
        topics = self._updated(former, chosen.topics.item_prior, self._settings.memory)
        lasting = np.flatnonzero(topics.item_share_K >= self._settings.least_share)
        if lasting.size < 2:
            return None
        if lasting.size < topics.k:
            former = former.select(lasting)
            topics = self._updated(former, chosen.topics.item_prior, self._settings.memory)
        kept = self._candidate([_blended(topics, former, self._settings.memory)], None, None)
        gain, bar = kept.completion.gain, chosen.completion.gain - chosen.completion.error
        self._report(f"the {topics.k} former missions that last: gain {gain:.4f}, wanted {bar:.4f}")
        if gain < bar:
            return None
        return self._entered(kept, self._fits - fits), (
            f"the former missions, brought up to date, gain {gain:.4f} nats per item on held-out customers: "
            f"within one standard error of {chosen.topics.k} new ones ({chosen.completion.gain:.4f})"
        )

    def _entered(self, kept: Candidate, fits: int) -> Candidate:
        """The kept missions among those tried: in the place of new ones of their number and prior, whose stability stays."""
        key = (kept.topics.k, kept.topics.item_prior)
        new = self._tried.get(key)
        self._tried[key] = replace(
            kept,
            seeds=fits + (new.seeds if new else 0),
            stability_seeds=new.stability_seeds if new else None,
            stability_halves=new.stability_halves if new else None,
        )
        return self._tried[key]

    def _updated(self, former: Topics, item_prior: float, memory: float) -> Topics:
        items = memory * self._learnt.items_T.size
        remembered_KV = former.counts_KV * items / former.counts_KV.sum()
        settings = FitSettings(former.k, self._settings.seed, item_prior, self._settings.sweeps)
        return self._fit(self._learnt, settings, remembered_KV)

    def _none(self, why: str, structure: bool) -> Choice:
        counts_V = np.bincount(self._learnt.items_T, minlength=self._learnt.vocabulary).astype(np.float64)
        one = Topics(counts_V[None, :], self._settings.item_priors[0], np.ones(1))
        return Choice(one, why, structure, self._by_k(), None, self._fits)

    def _by_k(self) -> tuple[Candidate, ...]:
        return tuple(self._tried[key] for key in sorted(self._tried))


def _refuse_few(learnt: int, held_out: int) -> None:
    if learnt < _LEAST_LEARNT or held_out < _LEAST_HELD_OUT:
        raise ValueError(
            f"{learnt} baskets to learn missions from and {held_out} of held-out customers to judge them by are too few: "
            f"at least {_LEAST_LEARNT} and {_LEAST_HELD_OUT} are wanted. Ingest more weeks, or lower min_item_baskets."
        )


def _blended(topics: Topics, former: Topics, memory: float) -> Topics:
    """What the new baskets and the memory of the former ones say together, in counts of the new baskets."""
    remembered_KV = former.counts_KV * memory * topics.counts_KV.sum() / former.counts_KV.sum()
    return Topics((topics.counts_KV + remembered_KV) / (1.0 + memory), topics.item_prior, topics.mission_prior_K)


def _most_alike(topics: Topics) -> list[tuple[int, int]]:
    """The two pairs of missions that are most similar."""
    first, second = np.triu_indices(topics.k, 1)
    order = np.argsort(-similarity(topics, topics)[first, second], kind="stable")[:2]
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def _joined(topics: Topics, first: int, second: int) -> Topics:
    """The topics with two missions as one, in the place of the first."""
    counts_KV, prior_K = topics.counts_KV.copy(), topics.mission_prior_K.copy()
    counts_KV[first] += counts_KV[second]
    prior_K[first] += prior_K[second]
    keep = np.arange(topics.k) != second
    return Topics(counts_KV[keep], topics.item_prior, prior_K[keep])


def fewest(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the fewest missions whose gain is within one standard error of the best one's."""
    best = max(candidates, key=_gain)
    near = [one for one in candidates if one.completion.gain >= best.completion.gain - best.completion.error]
    return min(near, key=lambda candidate: (candidate.topics.k, -candidate.completion.gain))


def _gain(candidate: Candidate) -> float:
    return candidate.completion.gain


def _no_structure(best: Candidate) -> str:
    return (
        "no mission structure worth the name: the best candidate "
        f"({best.topics.k} missions) gains {best.completion.gain:.4f} ± {best.completion.error:.4f} nats per item on held-out "
        "customers over item shares alone"
    )


def _why(chosen: Candidate, best: Candidate, asked: bool) -> str:
    gained = (
        f"{chosen.topics.k} missions gain {chosen.completion.gain:.4f} ± {chosen.completion.error:.4f} nats per item on "
        "held-out customers"
    )
    if asked:
        return f"{gained}; this number was asked for"
    return f"{gained}: the fewest within one standard error of the best candidate ({best.topics.k} missions)"
