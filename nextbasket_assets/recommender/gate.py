"""The gate: a challenger is promoted only when it beats champion and baselines by more than chance.

Paired bootstrap over customers: their differences are drawn again many times, and the challenger must be ahead in at
least `1 - LEVEL` of the draws (one-sided), on each deciding metric, against each method.
"""

from dataclasses import dataclass

import numpy as np

LEVEL = 0.05  # one-sided
DRAWS = 2000
DECIDING = (("recall", 10), ("ndcg", 10))


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and the numbers that decided, in one sentence."""

    promote: bool
    why: str


def decide(methods: dict[str, dict[tuple[str, int], np.ndarray]], challenger: str, seed: int = 0) -> Decision:
    """The gate's decision.

    Args:
        methods: {method: {(metric, k): (R,) value per customer}}, all over the same customers.
        challenger: the method to be promoted or refused.
        seed: of the draws.
    """
    if not any(np.isfinite(methods[challenger][metric]).any() for metric in DECIDING):
        return Decision(False, "refused: no customer has a basket in the held-out weeks to be judged by")
    lost: list[str] = []
    won: list[str] = []
    for metric, k in DECIDING:
        ours = methods[challenger][metric, k]
        for name in sorted(set(methods) - {challenger}):
            theirs = methods[name][metric, k]
            doubt = _share_not_ahead(ours - theirs, seed)
            words = f"{metric}@{k} {np.nanmean(ours):.4f} against {np.nanmean(theirs):.4f} of {name} (p {doubt:.3f})"
            (won if doubt <= LEVEL else lost).append(words)
    if lost:
        return Decision(False, f"refused: not ahead at level {LEVEL}: " + "; ".join(lost))
    return Decision(True, f"promoted: ahead at level {LEVEL}: " + "; ".join(won))


def _share_not_ahead(difference: np.ndarray, seed: int) -> float:
    """Share of the draws in which the mean difference is not positive; customers without a value are left out."""
    known = difference[~np.isnan(difference)]
    random = np.random.default_rng(seed)
    means = np.array([known[random.integers(0, len(known), len(known))].mean() for _ in range(DRAWS)])
    return float((means <= 0).mean())
