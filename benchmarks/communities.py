"""A made-up packed folder of communities: what neighbours know best, because there are more kinds of customers than directions.

    .venv/bin/python benchmarks/communities.py FOLDER [--users 8000] [--items 6000] [--communities 400]

A community is eighty items that its users buy from. A user draws half of a basket's items from their community, a quarter from
what they bought before, and the rest by popularity. Prints what the lists would reach that know every user's community.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed

WIDTH = 80  # items of a community
FALL, FALL_INSIDE = 0.9, 0.5  # of the popularity of all items, and of a community's
OWN, COMMUNITY, ANY = 0.25, 0.5, 0.25  # shares of a basket
BASKETS, SIZES = (3, 9), (3, 9)
PARTS, SHARES = ("train", "val", "test"), (0.7, 0.1, 0.2)
K = 10


def falling(items: int, power: float) -> np.ndarray:
    """(items,) shares that fall with the rank."""
    shares = np.arange(1, items + 1) ** -power
    return shares / shares.sum()


def chances(common: np.ndarray, bought: list[int]) -> np.ndarray:
    """(V,) chance of each item to be drawn, by a user with these purchases and these (V,) chances of the other items."""
    if not bought:
        return common / common.sum()
    own = np.bincount(bought, minlength=len(common)) / len(bought)
    return common + OWN * own


def history(common: np.ndarray, random: np.random.Generator) -> list[list[int]]:
    """The baskets of a user with these (V,) chances of items that were not drawn from the own history."""
    baskets: list[list[int]] = []
    bought: list[int] = []
    for size in random.integers(*SIZES, size=random.integers(*BASKETS)):
        upto = np.cumsum(chances(common, bought))
        baskets.append(sorted(set(np.searchsorted(upto, random.random(size) * upto[-1]).tolist())))
        bought += baskets[-1]
    return baskets


def write(folder: Path, users: int, items: int, communities: int, seed: int = 0) -> float:
    """The folder; recall@10 of the test users' last baskets by lists that know their communities."""
    random = np.random.default_rng(seed)
    width = min(WIDTH, items)
    popular, inside = random.permutation(falling(items, FALL)), falling(width, FALL_INSIDE)
    members = [random.choice(items, width, replace=False) for _ in range(communities)]
    parts = random.choice(PARTS, users, p=SHARES)

    def judged() -> Iterator[tuple[list[list[int]], np.ndarray]]:
        for _ in range(users):
            common = ANY * popular
            common[members[random.integers(communities)]] += COMMUNITY * inside
            baskets = history(common, random)
            yield baskets, chances(common, [item for basket in baskets[:-1] for item in basket])

    return packed.lay_down_judged(folder, judged(), parts, K)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=8000)
    parser.add_argument("--items", type=int, default=6000)
    parser.add_argument("--communities", type=int, default=400)
    options = parser.parse_args()
    found = write(options.folder, options.users, options.items, options.communities)
    print(f"recall@{K} of who knows the communities: {found:.4f}")


if __name__ == "__main__":
    main()
