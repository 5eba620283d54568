"""A made-up packed folder of many items and plain habits: what counting can know, and hardly anything else.

    .venv/bin/python benchmarks/many_items.py FOLDER [--users 20000] [--items 29399]

A user fills six tenths of a basket from what they bought before, drawn by its number of purchases and by .97 to the power of
the baskets since the last one, and the rest from all items, drawn by a popularity that falls as the .9th power of the rank.
So the best list mixes the two, and nobody has tastes to be found.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed

REPEATED = 0.6
DECAY = 0.97
FALL = 0.9
LONGEST = 100  # baskets of a user
LARGEST = 60  # items of a basket
PARTS, SHARES = ("train", "val", "test"), (0.72, 0.08, 0.2)


def history(popular: np.ndarray, random: np.random.Generator) -> list[list[int]]:
    """The baskets of one user.

    Args:
        popular: (V,) cumulated popularity of the items, up to 1.
        random: of the user.
    """
    counts: dict[int, int] = {}
    last: dict[int, int] = {}
    baskets = []
    for basket in range(min(int(random.geometric(1 / 14)) + 3, LONGEST)):
        size = min(int(random.negative_binomial(2, 2 / 11)) + 1, LARGEST)
        again = min(len(counts), int(random.binomial(size, REPEATED)))
        weights = np.array([count * DECAY ** (basket - last[item]) for item, count in counts.items()])
        chosen = set(random.choice(list(counts), again, replace=False, p=weights / weights.sum()) if again else ())
        chosen |= set(np.searchsorted(popular, random.random(size - again)))
        baskets.append(sorted(int(item) for item in chosen))
        for item in baskets[-1]:
            counts[item], last[item] = counts.get(item, 0) + 1, basket
    return baskets


def write(folder: Path, users: int, items: int, seed: int = 0) -> None:
    """The folder; item numbers say nothing of their popularity."""
    random = np.random.default_rng(seed)
    shares = np.arange(1, items + 1) ** -FALL
    popular, names = np.cumsum(shares / shares.sum()), random.permutation(items)
    popular[-1] = 1.0
    rows = [
        (user, number, int(names[item]))
        for user in range(users)
        for number, basket in enumerate(history(popular, random))
        for item in basket
    ]
    packed.lay_down(folder, rows, random.choice(PARTS, users, p=SHARES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=29_399)
    options = parser.parse_args()
    write(options.folder, options.users, options.items)


if __name__ == "__main__":
    main()
