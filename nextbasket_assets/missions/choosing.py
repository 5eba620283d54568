"""How many missions there are: numbers of missions are tried, and the evidence of each decides.

The rule is parsimonious: the fewest missions whose gain is within one standard error of the best candidate's. When no
candidate foretells held-out baskets better than the items' shares do, there is no mission structure and one mission.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from nextbasket_assets.missions.candidates import Bench, Candidate, blended, everything, mergers
from nextbasket_assets.missions.documents import Documents
from nextbasket_assets.missions.topics import Topics

_SURE = 2.0  # standard errors that make a difference, from 0 or from the best, more than chance
_HINT = 0.1  # what a fit is told of the missions it is merged from, as a share of its items
_GIVEN_UP = 2  # larger candidates in a row that are surely worse end the search
_HALVES, _MERGERS = 2, 2  # fits of a candidate beside those of its seeds


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
        max_fits: the budget: after the first candidate none is begun that would need more fits in all. Former missions are
            brought up to date beyond it, with two fits at most.
        seed: of the first fit; the others count up.
        memory: what a former model knew, as a share of the new baskets' items; 0: all missions are found anew.
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
        documents: each with two items or more; a fit of k missions needs many times k, and one mission needs no evidence.
        settings: what is tried.
        former: the topics in force, over the same vocabulary. They are kept, brought up to date, when that is as good.
        report: called with a line after each candidate.

    Raises:
        ValueError: too few baskets to learn from, or too few held-out ones that are large enough to judge by.
    """
    if settings.k == 1:
        one = everything(documents, settings.item_priors[0])
        return Choice(one, "one mission was asked for", False, (), None, 0)
    return _Search(documents, settings, report).run(former)


class _Search:
    def __init__(self, documents: Documents, settings: ChoiceSettings, report: Callable[[str], None]) -> None:
        self._settings, self._report = settings, report
        self._bench = Bench(documents, settings.seed, settings.sweeps)
        self._tried: dict[tuple[int, float], Candidate] = {}

    def run(self, former: Topics | None) -> Choice:
        settings = self._settings
        if settings.k is not None:
            self._try(settings.k, settings.item_priors[0])
        else:
            self._climb(settings.candidates)
            best = self._best()
            self._climb([k for k in (best.topics.k - 1, best.topics.k + 1) if k > 1])
            self._merge()
        best = self._best()
        structure = has_structure(best)
        if not structure and settings.k is None:
            one = everything(self._bench.learnt, settings.item_priors[0])
            return Choice(one, _no_structure(best), structure, self._by_k(), None, self._bench.fits)
        chosen = self._polished(fewest(list(self._tried.values())))
        kept = self._kept(former, chosen) if former is not None and settings.memory > 0 else None
        chosen, why = kept or (chosen, _why(chosen, best, asked=settings.k is not None))
        return Choice(chosen.topics, why, structure, self._by_k(), chosen, self._bench.fits)

    def _best(self) -> Candidate:
        return max(self._tried.values(), key=attrgetter("gain"))

    def _climb(self, numbers: Sequence[int]) -> None:
        worse = 0
        for k in numbers:
            candidate = self._try(k, self._settings.item_priors[0])
            if candidate is None:
                continue
            best = self._best()
            surely = candidate.gain < best.gain - _SURE * best.completion.error
            worse = worse + 1 if surely and k > best.topics.k else 0
            if worse == _GIVEN_UP:
                break

    def _merge(self) -> None:
        """Take the two most alike missions of the best model for one, and again, while that loses nothing.

        A fit from chance often has one mission twice and another not at all: the fewest missions are found from above.
        """
        current = self._best()
        bar = current.gain - current.completion.error
        while current.topics.k > 2 and self._affords(self._settings.seeds + _HALVES + _MERGERS):
            fewer = self._merged(current)
            if fewer is None or fewer.gain < bar:
                return
            current = fewer

    def _merged(self, candidate: Candidate) -> Candidate | None:
        """The candidate with one mission fewer, now that it was fitted from mergers of this one's too; None as of `_try`."""
        k, prior = candidate.topics.k - 1, candidate.topics.item_prior
        self._try(k, prior)
        if (k, prior) not in self._tried:
            return None
        fits = [self._bench.updated(merger, prior, _HINT) for merger in mergers(candidate.topics)]
        return self._improved(self._tried[k, prior], fits)

    def _improved(self, known: Candidate, fits: list[Topics]) -> Candidate:
        """A candidate that was tried, now with further fits."""
        better = self._bench.judged([known.topics, *fits], known.stability_seeds, known.stability_halves)
        improved = replace(better, seeds=known.seeds + len(fits))
        self._tried[known.topics.k, known.topics.item_prior] = improved
        return improved

    def _try(self, k: int, item_prior: float) -> Candidate | None:
        """Fit a candidate; None when it was fitted already or, unless it is the first, is beyond the budget or the baskets."""
        settings = self._settings
        beyond = k * 10 > len(self._bench.learnt) or not self._affords(settings.seeds + _HALVES)
        if (k, item_prior) in self._tried or (self._tried and beyond):
            return None
        candidate = self._bench.candidate(k, item_prior, range(settings.seed, settings.seed + settings.seeds))
        self._tried[k, item_prior] = candidate
        self._report(
            f"{k} missions, item prior {item_prior:g}: gain {candidate.gain:.4f} ± "
            f"{candidate.completion.error:.4f} nats per item on held-out customers"
        )
        return candidate

    def _affords(self, fits: int) -> bool:
        return self._bench.fits + fits <= self._settings.max_fits

    def _polished(self, chosen: Candidate) -> Candidate:
        """The chosen number with the other priors, and then with more seeds; the best on held-out customers."""
        settings, k = self._settings, chosen.topics.k
        for item_prior in settings.item_priors[1:]:
            other = self._try(k, item_prior)
            chosen = max(chosen, other, key=attrgetter("gain")) if other else chosen
        first = settings.seed + settings.seeds
        more = max(0, min(settings.restarts - settings.seeds, settings.max_fits - self._bench.fits))
        return self._improved(chosen, self._bench.fitted(k, chosen.topics.item_prior, range(first, first + more)))

    def _kept(self, former: Topics, chosen: Candidate) -> tuple[Candidate, str] | None:
        """The former missions brought up to date, without those that vanished, if no worse than the chosen candidate.

        None, too, when they are not as many as were asked for.
        """
        settings, fits = self._settings, self._bench.fits
        former = former.select(np.flatnonzero(former.counts_KV.sum(axis=1)))
        if former.k < 2:
            self._report("fewer than two former missions have an item of these baskets: there are none to keep")
            return None
        topics = self._bench.updated(former, chosen.topics.item_prior, settings.memory)
        lasting = np.flatnonzero(topics.item_share_K >= settings.least_share)
        if lasting.size < 2 or settings.k not in (None, lasting.size):
            return None
        if lasting.size < topics.k:
            former = former.select(lasting)
            topics = self._bench.updated(former, chosen.topics.item_prior, settings.memory)
        kept = self._bench.judged([blended(topics, former, settings.memory)], None, None)
        bar = chosen.gain - chosen.completion.error
        self._report(f"the {topics.k} former missions that last: gain {kept.gain:.4f}, wanted {bar:.4f}")
        if kept.gain < bar:
            return None
        return self._entered(kept, self._bench.fits - fits), (
            f"the former missions, brought up to date, gain {kept.gain:.4f} nats per item on held-out customers: "
            f"within one standard error of {chosen.topics.k} new ones ({chosen.gain:.4f})"
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

    def _by_k(self) -> tuple[Candidate, ...]:
        return tuple(self._tried[key] for key in sorted(self._tried))


def fewest(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the fewest missions whose gain is within one standard error of the best one's."""
    best = max(candidates, key=attrgetter("gain"))
    near = [one for one in candidates if one.gain >= best.gain - best.completion.error]
    return min(near, key=attrgetter("topics.k"))


def has_structure(best: Candidate) -> bool:
    """Whether the best candidate foretells held-out baskets better than the items' shares do, beyond chance."""
    return best.gain > _SURE * best.completion.error


def _no_structure(best: Candidate) -> str:
    return (
        "no mission structure worth the name: the best candidate "
        f"({best.topics.k} missions) gains {best.gain:.4f} ± {best.completion.error:.4f} nats per item on held-out "
        "customers over item shares alone"
    )


def _why(chosen: Candidate, best: Candidate, asked: bool) -> str:
    gained = (
        f"{chosen.topics.k} missions gain {chosen.gain:.4f} ± {chosen.completion.error:.4f} nats per item on "
        "held-out customers"
    )
    if asked:
        return f"{gained}; this number was asked for"
    return f"{gained}: the fewest within one standard error of the best candidate ({best.topics.k} missions)"
