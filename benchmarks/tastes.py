"""A made-up packed folder of tastes and nothing else: what neighbours and vectors of items can know, and no habit can.

    .venv/bin/python benchmarks/tastes.py FOLDER [--users 8000] [--items 6000]

A topic is six hundred items, the first bought most. A user mixes a few of the topics, and draws each item of each basket from
that mixture, so that one item in twenty is bought again. Prints what the lists would reach that know every user's mixture.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed

TOPICS = 24
WIDTH = 600  # items of a topic
FALL = 0.7
FEW = 0.12  # of the Dirichlet distribution that users mix topics by: the smaller the fewer
BASKETS, SIZES = (3, 9), (3, 9)
PARTS, SHARES = ("train", "val", "test"), (0.7, 0.1, 0.2)
K = 10


def topics(items: int, random: np.random.Generator) -> np.ndarray:
    """(T, V) share of each item in the purchases of each topic."""
    width = min(WIDTH, items)
    shares = np.arange(1, width + 1) ** -FALL
    made = np.zeros((TOPICS, items))
    for topic in made:
        topic[random.choice(items, width, replace=False)] = shares / shares.sum()
    return made


def history(wanted: np.ndarray, random: np.random.Generator) -> list[list[int]]:
    """The baskets of a user who wants each item with the probability (V,) `wanted`."""
    upto = np.cumsum(wanted) / wanted.sum()
    sizes = random.integers(*SIZES, size=random.integers(*BASKETS))
    return [sorted(set(np.searchsorted(upto, random.random(size)).tolist())) for size in sizes]


def write(folder: Path, users: int, items: int, seed: int = 0) -> float:
    """The folder; recall@10 of the test users' last baskets by lists that know their mixtures."""
    random = np.random.default_rng(seed)
    topics_TV = topics(items, random)
    parts = random.choice(PARTS, users, p=SHARES)
    mixtures = (random.dirichlet(np.full(TOPICS, FEW)) @ topics_TV for _ in range(users))
    return packed.lay_down_judged(folder, ((history(wanted, random), wanted) for wanted in mixtures), parts, K)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=8000)
    parser.add_argument("--items", type=int, default=6000)
    options = parser.parse_args()
    print(f"recall@{K} of who knows the mixtures: {write(options.folder, options.users, options.items):.4f}")


if __name__ == "__main__":
    main()
