"""Runs of consecutive places, spelled out: a slice's prefixes, a customer's events, a basket's items."""

import numpy as np


def spelled_out(starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of all places of all runs, one run after the other: (T,) which run it is of, and (T,) the place."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) + np.repeat(starts - np.cumsum(counts) + counts, counts)
