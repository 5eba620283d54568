"""The made-up folder of many items has the habits that it says, and is a packed folder."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks import many_items, packed


def test_a_basket_is_six_tenths_habit(tmp_path: Path) -> None:
    """After the fifth basket six tenths are bought before, and some more by chance; a hundredth of the items has a tenth."""
    many_items.write(tmp_path, users=300, items=5000)
    data = packed.load(tmp_path)
    items, offsets = np.array(data.sequences.items.to_pylist()), data.sequences.item_offsets
    again = []
    for first, end in pairwise(data.sequences.basket_offsets):
        before = set(items[offsets[first] : offsets[min(first + 5, end)]])
        for basket in range(first + 5, end):
            bought = set(items[offsets[basket] : offsets[basket + 1]])
            again.append((len(bought & before), len(bought)))
            before |= bought
    repeated, total = np.sum(again, axis=0)
    counts = np.sort(np.unique(items, return_counts=True)[1])

    assert 0.6 < repeated / total < 0.75
    assert counts[-len(counts) // 100 :].sum() > items.size / 10
    assert set(data.folds[0]) == set(many_items.PARTS)
