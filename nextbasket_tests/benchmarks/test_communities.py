"""The made-up folder of communities has customers about whom their neighbours tell much, and is a packed folder."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks import communities, packed


def test_most_of_a_basket_is_new_and_the_community_tells_much_of_it(tmp_path: Path) -> None:
    """Less than half was bought before; who knows the communities finds three times what ten of the most popular items find."""
    found = communities.write(tmp_path, users=600, items=6000, communities=30)
    data = packed.load(tmp_path)
    items, offsets = np.array(data.sequences.items.to_pylist()), data.sequences.item_offsets
    names, counts = np.unique(items, return_counts=True)
    popular = set(names[np.argsort(-counts)[:10]])
    again, hit = [], []
    for first, end in pairwise(data.sequences.basket_offsets):
        before = set(items[offsets[first] : offsets[end - 1]])
        last = set(items[offsets[end - 1] : offsets[end]])
        again.append(len(last & before) / len(last))
        hit.append(len(last & popular) / len(last))

    assert 0.2 < np.mean(again) < 0.5
    assert found > 3 * np.mean(hit)
    assert set(data.folds[0]) == set(communities.PARTS)
