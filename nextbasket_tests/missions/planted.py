"""Baskets with planted missions: each is made from one mission's ten items, and a popular item now and then."""

import numpy as np

from nextbasket_assets.missions.documents import Documents, documents
from nextbasket_assets.missions.learning import Vocabulary

ITEMS_PER_MISSION = 10
POPULAR = 3  # items of every mission


def planted(missions: list[int], baskets: int = 1500, seed: int = 0, shuffled: bool = False) -> Documents:
    """Baskets of three to seven items over a vocabulary of ten missions' items; only `missions` are shopped for."""
    rng = np.random.default_rng(seed)
    vocabulary = 10 * ITEMS_PER_MISSION + POPULAR
    contents = []
    for _ in range(baskets):
        mission = missions[rng.integers(len(missions))]
        own = mission * ITEMS_PER_MISSION + rng.choice(ITEMS_PER_MISSION, rng.integers(3, 7), replace=False)
        popular = 10 * ITEMS_PER_MISSION + rng.choice(POPULAR, rng.integers(0, 2), replace=False)
        contents.append(sorted([*own.tolist(), *popular.tolist()]))
    if shuffled:
        contents = _shuffled(contents, rng)
    return documents(contents, vocabulary)


def _shuffled(contents: list[list[int]], rng: np.random.Generator) -> list[list[int]]:
    """The same items and basket sizes, every item in any basket."""
    everything = rng.permutation([item for content in contents for item in content])
    stops = np.cumsum([len(content) for content in contents])
    return [sorted(set(part.tolist())) for part in np.split(everything, stops[:-1])]


def vocabulary() -> Vocabulary:
    """Items P000, P001, ... of the ten missions, each mission a category of its own; the popular ones are bags."""
    items = [f"P{number:03d}" for number in range(10 * ITEMS_PER_MISSION + POPULAR)]
    groups = [f"G{number // ITEMS_PER_MISSION}" for number in range(10 * ITEMS_PER_MISSION)] + ["bags"] * POPULAR
    return Vocabulary(items, groups, [100] * len(items))
