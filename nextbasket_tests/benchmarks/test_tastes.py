"""The made-up folder of tastes has tastes and hardly any habit, and is a packed folder."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks import packed, tastes


def test_a_users_baskets_are_of_their_topics_and_little_is_bought_again(tmp_path: Path) -> None:
    """Less than a tenth is bought again; who knows the mixtures finds three times what ten of the most popular items find."""
    found = tastes.write(tmp_path, users=400, items=6000)
    data = packed.load(tmp_path)
    items, offsets = np.array(data.sequences.items.to_pylist()), data.sequences.item_offsets
    names, counts = np.unique(items, return_counts=True)
    popular = set(names[np.argsort(-counts)[:10]])
    again, total, hit = 0, 0, []
    for first, end in pairwise(data.sequences.basket_offsets):
        before = set(items[offsets[first] : offsets[end - 1]])
        last = set(items[offsets[end - 1] : offsets[end]])
        again, total = again + len(last & before), total + len(last)
        hit.append(len(last & popular) / len(last))

    assert again / total < 0.1
    assert found > 3 * np.mean(hit)
    assert set(data.folds[0]) == set(tastes.PARTS)
