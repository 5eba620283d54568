#!/usr/bin/env python3
"""What counting would give if it knew the baskets after the target, too: how far a dataset's repeats can be known at all.

    .venv/bin/python benchmarks/hindsight.py FOLDER [--least 80]

The middle basket of each user with `least` baskets or more is the target. Items are ranked by how often they are in the
baskets before it, after it, or both, each basket weighing less by its distance from the target.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed

DECAYS = (0.9, 0.95, 0.97, 0.98, 0.99, 1.0)  # by basket of distance
SIDES = ("before", "after", "both")
LISTED = 10


def middles(data: packed.Packed, least: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(E,) items of each user with baskets enough, and (E,) how many baskets after the middle one each was bought."""
    sequences = data.sequences
    items = np.unique(sequences.items.to_numpy(zero_copy_only=False), return_inverse=True)[1]
    for user in np.flatnonzero(data.lengths >= least):
        first, end = sequences.basket_offsets[user : user + 2]
        sizes = np.diff(sequences.item_offsets[first : end + 1])
        distances = np.repeat(np.arange(end - first) - (end - first) // 2, sizes)
        yield items[sequences.item_offsets[first] : sequences.item_offsets[end]], distances


def recall(items: np.ndarray, distances: np.ndarray, side: str, decay: float) -> float:
    """Share of the items at distance 0 that are among the ten of the highest decayed count; ties go to the lower item."""
    told = {"before": distances < 0, "after": distances > 0, "both": distances != 0}[side]
    codes, places = np.unique(items[told], return_inverse=True)
    weights = decay ** (np.abs(distances[told]) - 1.0)
    best = codes[np.argsort(-np.bincount(places, weights), kind="stable")[:LISTED]]
    return float(np.isin(items[distances == 0], best).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with baskets.parquet and splits.parquet")
    parser.add_argument("--least", type=int, default=80, help="baskets of a user who is looked at")
    options = parser.parse_args()
    users = list(middles(packed.load(options.folder), options.least))
    if not users:
        parser.error(f"nobody has {options.least} baskets: give a smaller --least")
    print(
        f"recall@{LISTED} of the middle basket of {len(users):,} users\n\n| decay | {' | '.join(SIDES)} |\n|---|---|---|---|"
    )
    for decay in DECAYS:
        means = (np.mean([recall(*user, side, decay) for user in users]) for side in SIDES)
        print(f"| {decay} | {' | '.join(f'{mean:.4f}' for mean in means)} |")


if __name__ == "__main__":
    main()
