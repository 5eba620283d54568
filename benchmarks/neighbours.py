"""The published neighbourhood methods, as peers: TIFU-KNN (Hu et al., SIGIR 2020) and UP-CF@r (Faggioli et al., UMAP 2020).

Both turn histories into sparse vectors of users over items and mix a user's vector with those of similar users.
R users that are scored, C users, V items, K length of the lists.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

CHUNK = 256  # users whose similarities are in memory at a time
LONGEST = 20

Lists = np.ndarray


@dataclass(frozen=True)
class History:
    """Every purchase that may be known: (E,) user, basket position, item, and (C,) baskets of each user."""

    users: np.ndarray
    positions: np.ndarray
    items: np.ndarray
    baskets: np.ndarray
    vocabulary: int

    def matrix(self, weights: np.ndarray) -> sp.csr_matrix:
        """(C, V) sum of the purchases' weights."""
        shape = (len(self.baskets), self.vocabulary)
        return sp.csr_matrix((weights.astype(np.float32), (self.users, self.items)), shape=shape)


@dataclass(frozen=True)
class Tifu:
    """Settings of TIFU-KNN."""

    neighbours: int = 300
    groups: int = 7
    basket_decay: float = 0.9
    group_decay: float = 0.7
    own: float = 0.7  # weight of the user's own vector


@dataclass(frozen=True)
class Upcf:
    """Settings of UP-CF@r."""

    recency: int = 10
    asymmetry: float = 0.75
    locality: float = 10.0


def tifu_vectors(history: History, settings: Tifu) -> sp.csr_matrix:
    """(C, V) personal frequencies that decay within the sequence and from group to group of neighbouring baskets.

    n baskets make m groups of n // m, the last ones one basket longer; with n < m every basket is a group of its own
    and stands as near the end as it would among m.
    """
    n, t = history.baskets[history.users], history.positions
    m = settings.groups
    base, longer = n // m, n % m
    short_part = (m - longer) * base
    group = np.where(t < short_part, t // np.maximum(base, 1), (m - longer) + (t - short_part) // (base + 1))
    size = np.where(t < short_part, base, base + 1)
    few = n < m
    group, size, count = np.where(few, t, group), np.where(few, 1, size), np.where(few, n, m)
    weights = settings.basket_decay ** (n - 1 - t) * settings.group_decay ** (m - 1 - group) / size / count
    return history.matrix(weights)


def tifu_scores(
    history: History, pool: np.ndarray, rows: np.ndarray, settings: Tifu
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Chunks of (own vectors, means of the nearest vectors of the pool), dense."""
    vectors = tifu_vectors(history, settings)
    pool = pool[history.baskets[pool] > 0]  # who has no purchase is as near to everybody
    known = vectors[pool]
    norms = np.asarray(known.multiply(known).sum(1)).ravel()
    k = min(settings.neighbours, len(pool))
    for start in range(0, len(rows), CHUNK):
        own = vectors[rows[start : start + CHUNK]]
        distance = norms[None, :] - 2 * (own @ known.T).toarray()
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        share = np.full(nearest.size, 1 / k, np.float32)
        mean = sp.csr_matrix(
            (share, (np.repeat(np.arange(len(nearest)), k), nearest.ravel())), (len(nearest), len(pool))
        )
        yield own.toarray(), (mean @ known).toarray()


def tifu(history: History, pool: np.ndarray, rows: np.ndarray, settings: Tifu) -> Lists:
    """(R, K) lists of TIFU-KNN."""
    parts = tifu_scores(history, pool, rows, settings)
    return np.concatenate([_top(settings.own * own + (1 - settings.own) * near) for own, near in parts])


def tune_tifu(history: History, pool: np.ndarray, rows: np.ndarray, value: Callable[[Lists], float]) -> Tifu:
    """The settings whose lists are worth most on the validation users."""
    shares = (0.1, 0.3, 0.5, 0.7, 0.9)
    best, best_value = Tifu(), -1.0
    for groups, basket_decay, group_decay in itertools.product((3, 7, 20, 50), (0.9, 0.97), (0.7, 0.93)):
        base = Tifu(groups=groups, basket_decay=basket_decay, group_decay=group_decay)
        lists: dict[float, list[Lists]] = {share: [] for share in shares}
        for own, near in tifu_scores(history, pool, rows, base):
            for share in shares:
                lists[share].append(_top(share * own + (1 - share) * near))
        for share in shares:
            worth = value(np.concatenate(lists[share]))
            if worth > best_value:
                best, best_value = Tifu(300, groups, basket_decay, group_decay, share), worth
    return best


def upcf(history: History, rows: np.ndarray, settings: Upcf) -> Lists:
    """(R, K) lists of UP-CF@r: popularity in a user's last r baskets, smoothed over users by the asymmetric cosine."""
    return upcf_of_recencies(history, rows, settings, [settings.recency])[settings.recency]


def upcf_of_recencies(history: History, rows: np.ndarray, settings: Upcf, recencies: Sequence[int]) -> dict[int, Lists]:
    """`upcf` for several recencies, which the similarities do not depend on; every user may be a neighbour."""
    n = history.baskets[history.users]
    recent = {r: history.positions >= n - r for r in recencies}
    popular = {r: history.matrix(np.where(recent[r], 1.0 / np.minimum(n, r), 0.0)) for r in recencies}
    bought = history.matrix(np.ones(len(history.items)))
    bought.data[:] = 1
    sizes = np.maximum(np.asarray(bought.sum(1)).ravel(), 1).astype(np.float32)
    parts: dict[int, list[Lists]] = {r: [] for r in recencies}
    for start in range(0, len(rows), CHUNK):
        users = rows[start : start + CHUNK]
        similar = (bought[users] @ bought.T).toarray()
        similar /= sizes[users, None] ** settings.asymmetry * sizes[None, :] ** (1 - settings.asymmetry)
        similar **= settings.locality
        similar[np.arange(len(users)), users] = 1
        near = sp.csr_matrix(similar)
        for r in recencies:
            parts[r].append(_top((near @ popular[r]).toarray()))
    return {r: np.concatenate(lists) for r, lists in parts.items()}


def tune_upcf(history: History, rows: np.ndarray, value: Callable[[Lists], float]) -> Upcf:
    """The settings whose lists are worth most on the validation users."""
    best, best_value = Upcf(), -1.0
    for asymmetry, locality in itertools.product((0.25, 0.5, 0.75), (1.0, 2.0, 5.0, 10.0, 20.0)):
        lists = upcf_of_recencies(history, rows, Upcf(1, asymmetry, locality), (1, 5, 10, 25, 100))
        for recency, found in lists.items():
            worth = value(found)
            if worth > best_value:
                best, best_value = Upcf(recency, asymmetry, locality), worth
    return best


def _top(scores_RV: np.ndarray) -> Lists:
    k = min(LONGEST, scores_RV.shape[1])
    top = np.argpartition(-scores_RV, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores_RV, top, 1), axis=1, kind="stable")
    missing = ((0, 0), (0, LONGEST - k))
    return np.pad(np.take_along_axis(top, order, 1), missing, constant_values=-1)
