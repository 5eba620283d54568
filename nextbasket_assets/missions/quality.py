"""How good topics are: what they tell about baskets nobody learnt from, how coherent, distinct and repeatable they are."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from nextbasket_assets.missions.documents import Documents, Flags, Floats, Ints
from nextbasket_assets.missions.topics import Topics, fold_in

TOP_ITEMS = 10
_ENOUGH_ITEMS = 2  # a basket is judged by half of its items: one at least


@dataclass(frozen=True)
class Completion:
    """Half of each held-out basket foretold from its other half.

    Attributes:
        perplexity: exp of minus the mean log probability of a foretold item; lower is better.
        gain: nats per item above the items' shares alone, mean over baskets; 0 or less: the topics say nothing.
        error: standard error of the gain over baskets.
    """

    perplexity: float
    gain: float
    error: float


class Examination:
    """Held-out baskets of two items and more, each cut in two halves once and for all."""

    def __init__(self, documents: Documents) -> None:
        """`documents`: held-out ones are examined, the others tell how popular items are.

        Raises:
            ValueError: no customer with a basket of two known items is held out.
        """
        held_out = judged_by(documents)
        if not len(held_out):
            raise ValueError(
                f"no held-out basket has {_ENOUGH_ITEMS} known items, so missions cannot be judged. Ingest more weeks."
            )
        self.held_out = held_out
        self.item_share = documents.where(~documents.held_out_D).item_share()
        shown_T = _first_half(held_out)
        self.shown = _restricted(held_out, shown_T)
        self.foretold = _restricted(held_out, ~shown_T)

    def complete(self, topics: Topics) -> Completion:
        """Foretell the second halves from the first ones."""
        probability_KV = topics.probability_KV
        share_DK = fold_in(self.shown, probability_KV, topics.mission_prior_K)
        basket_T, items_T = self.foretold.basket_T, self.foretold.items_T
        log_T = np.log(np.einsum("tk,kt->t", share_DK[basket_T], probability_KV[:, items_T]))
        gain_D = np.bincount(basket_T, weights=log_T - np.log(self.item_share[items_T])) / self.foretold.sizes_D
        error = gain_D.std(ddof=1) / np.sqrt(gain_D.size) if gain_D.size > 1 else np.inf
        return Completion(float(np.exp(-log_T.mean())), float(gain_D.mean()), float(error))

    def coherence(self, topics: Topics) -> float:
        """Mean normalised pointwise mutual information of the pairs of each mission's top items, from -1 to 1.

        Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction", GSCL 2009. A pair that is never
        together counts -1; a pair with an item in no held-out basket counts nothing.
        """
        incidence = self.held_out.incidence().tocsc()
        scores = [_npmi(incidence[:, top].toarray()) for top in top_items(topics)]
        pairs = np.concatenate(scores)
        return float(pairs.mean()) if pairs.size else 0.0


def judged_by(documents: Documents) -> Documents:
    """The held-out baskets that can be cut in two."""
    return documents.where(documents.held_out_D & (documents.sizes_D >= _ENOUGH_ITEMS))


def _first_half(documents: Documents) -> Flags:
    """(T,) true for half of each basket's items, drawn by a fixed seed."""
    draw_T = np.random.default_rng(0).random(documents.items_T.size)
    order = np.lexsort((draw_T, documents.basket_T))
    rank_T = np.empty(order.size, np.int64)
    rank_T[order] = np.arange(order.size) - np.repeat(
        np.cumsum(documents.sizes_D) - documents.sizes_D, documents.sizes_D
    )
    return np.asarray(rank_T < np.repeat(documents.sizes_D // 2, documents.sizes_D))


def _restricted(documents: Documents, keep_T: Flags) -> Documents:
    sizes_D = np.bincount(documents.basket_T[keep_T], minlength=len(documents))
    return Documents(documents.items_T[keep_T], sizes_D, documents.held_out_D, documents.half_D, documents.vocabulary)


def _npmi(present: Floats) -> Floats:
    together = present.T @ present / len(present)
    alone = np.diag(together)
    first, second = np.triu_indices(len(alone), 1)
    seen = (alone[first] > 0) & (alone[second] > 0)
    joint, apart = together[first, second][seen], (alone[first] * alone[second])[seen]
    never = joint == 0
    safe = np.where(never | (joint == 1), 0.5, joint)
    score = np.log(safe / apart) / -np.log(safe)
    return np.asarray(np.where(never, -1.0, np.where(joint == 1, 1.0, score)))


def top_items(topics: Topics, limit: int = TOP_ITEMS) -> list[Ints]:
    """Positions of each mission's most probable items that were bought on it; ties go by the vocabulary's order."""
    ordered = (np.argsort(-row, kind="stable")[:limit] for row in topics.counts_KV)
    return [top[row[top] > 0] for top, row in zip(ordered, topics.counts_KV, strict=True)]


def distinctness(topics: Topics) -> float:
    """Share of the missions' top items that are a top item of one mission only."""
    tops = np.concatenate(top_items(topics))
    _, times = np.unique(tops, return_counts=True)
    return float((times == 1).sum() / tops.size)


def similarity(one: Topics, other: Topics) -> Floats:
    """(K, K') cosine of what sets the missions apart from the average basket, below 0 for opposites.

    Plain cosines of P(item | mission) are near 1 between any two missions that share the popular items.
    """
    return np.asarray(_apart(one) @ _apart(other).T)


def _apart(topics: Topics) -> Floats:
    """(K, V) unit vectors of P(item | mission) - P(item)."""
    if topics.k == 1:
        return topics.probability_KV / np.linalg.norm(topics.probability_KV)
    total = topics.weights_KV.sum(axis=0)
    difference = topics.probability_KV - total / total.sum()
    length = np.linalg.norm(difference, axis=1, keepdims=True)
    return np.asarray(difference / np.where(length > 0, length, 1.0))


def matched(similarity_KK: Floats) -> list[tuple[int, int]]:
    """The assignment of rows to columns with the largest total similarity (Kuhn-Munkres)."""
    rows, columns = linear_sum_assignment(-similarity_KK)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def stability(fits: list[Topics]) -> float | None:
    """Mean similarity of matched missions over all pairs of fits; None for a single fit."""
    found = [
        similarity_KK[row, column]
        for index, one in enumerate(fits)
        for other in fits[:index]
        for similarity_KK in (similarity(one, other),)
        for row, column in matched(similarity_KK)
    ]
    return float(np.mean(found)) if found else None
