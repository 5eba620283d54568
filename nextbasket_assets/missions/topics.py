"""Topics: what people buy on each mission, and how likely a mission is; the fit, and a basket's share of each mission."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.missions.documents import Documents, Flags, Floats, Ints

_ITERATIONS = 50
_ITEMS_AT_ONCE = 100_000  # whose weights are in memory together


@dataclass(frozen=True, eq=False)
class Topics:
    """A fitted topic model.

    Attributes:
        counts_KV: items of the training baskets that were bought on each mission.
        item_prior: items that every mission is given of every item beforehand.
        mission_prior_K: the same of a basket's missions: the concentration of their Dirichlet distribution.
    """

    counts_KV: Floats
    item_prior: float
    mission_prior_K: Floats

    @property
    def k(self) -> int:
        """Number of missions."""
        return int(self.mission_prior_K.size)

    @property
    def item_share_K(self) -> Floats:
        """Share of all items that were bought on each mission; adds up to 1."""
        return np.asarray(self.counts_KV.sum(axis=1) / self.counts_KV.sum())

    @property
    def weights_KV(self) -> Floats:
        """Counts and prior: the Dirichlet posterior of P(item | mission)."""
        return self.counts_KV + self.item_prior

    @property
    def probability_KV(self) -> Floats:
        """P(item | mission); rows add up to 1."""
        weights = self.weights_KV
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def select(self, order_K: Ints) -> "Topics":
        """These missions, in this order."""
        return Topics(self.counts_KV[order_K], self.item_prior, self.mission_prior_K[order_K])


def fold_in(documents: Documents, probability_KV: Floats, mission_prior_K: Floats) -> Floats:
    """(D, K) share of each mission in each basket, the topics held fixed; rows add up to 1.

    Collapsed variational inference of order zero (Asuncion et al., "On Smoothing and Inference for Topic Models", UAI 2009):
    an item's missions are weighed by those of the basket's other items. A basket without items gets the prior.
    """
    part_D = np.cumsum(documents.sizes_D) // _ITEMS_AT_ONCE
    parts = [documents.where(part_D == part) for part in range(part_D.max(initial=0) + 1)]
    return np.concatenate([_shares(part, probability_KV, mission_prior_K) for part in parts])


def _shares(documents: Documents, probability_KV: Floats, mission_prior_K: Floats) -> Floats:
    """(D, K) as `fold_in`, of all baskets together."""
    likelihood_TK = probability_KV.T[documents.items_T]
    starts = np.concatenate([[0], np.cumsum(documents.sizes_D)[:-1]])
    filled = documents.sizes_D > 0
    basket_T = documents.basket_T
    weight_TK = likelihood_TK / likelihood_TK.sum(axis=1, keepdims=True)
    total_DK = _totals(weight_TK, starts, filled, mission_prior_K)
    for _ in range(_ITERATIONS):
        weight_TK = likelihood_TK * (total_DK[basket_T] - weight_TK)
        weight_TK /= weight_TK.sum(axis=1, keepdims=True)
        total_DK = _totals(weight_TK, starts, filled, mission_prior_K)
    return np.asarray(total_DK / total_DK.sum(axis=1, keepdims=True))


def _totals(weight_TK: Floats, starts: Ints, filled: Flags, mission_prior_K: Floats) -> Floats:
    """(D, K) expected items of each mission in each basket, and the prior."""
    total = np.tile(mission_prior_K, (filled.size, 1))
    if filled.any():
        total[filled] += np.add.reduceat(weight_TK, starts[filled], axis=0)
    return total
