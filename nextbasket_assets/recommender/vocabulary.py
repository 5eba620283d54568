"""The items a model knows, and the ids it knows them by.

Id 0 is padding and id 1 every unknown item; neither is ever recommended. Known items follow in the order of their codes,
so that the ids do not depend on the order of the input.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PAD = 0
UNKNOWN = 1
FIRST_ITEM = 2


@dataclass(frozen=True)
class Vocabulary:
    """Known item codes, sorted, and the number of training baskets that hold each.

    Attributes:
        codes: string array; the code at position j has id `j + FIRST_ITEM`.
        counts: (len(codes),) training baskets with the item.
    """

    codes: pa.Array
    counts: np.ndarray

    @property
    def size(self) -> int:
        """Number of ids, padding and unknown included: V."""
        return len(self.codes) + FIRST_ITEM

    def rates(self, baskets: int) -> np.ndarray:
        """(V,) share of that many training baskets that hold each id; 0 for padding and unknown."""
        return np.concatenate([np.zeros(FIRST_ITEM), self.counts / max(baskets, 1)])

    def encode(self, items: pa.Array) -> np.ndarray:
        """Ids (int32) of item codes; `UNKNOWN` for a code that is not in the vocabulary."""
        coded = items.dictionary_encode()
        found = pc.fill_null(pc.index_in(coded.dictionary, self.codes), UNKNOWN - FIRST_ITEM)
        ids = np.append(found.to_numpy(zero_copy_only=False) + np.int32(FIRST_ITEM), np.int32(UNKNOWN))
        of_items: np.ndarray = ids.take(
            pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)
        )
        return of_items

    def decode(self, ids: np.ndarray) -> pa.Array:
        """Codes of known ids.

        Raises:
            IndexError: an id is padding or unknown.
        """
        if len(ids) and int(ids.min()) < FIRST_ITEM:
            raise IndexError("padding and unknown items have no code: mask them before ranking")
        return self.codes.take(pa.array(ids - FIRST_ITEM))


def build(items: pa.Array, minimum_count: int) -> Vocabulary:
    """The vocabulary of the items that occur at least `minimum_count` times.

    Args:
        items: one entry per item and training basket.
        minimum_count: items seen less often are unknown.
    """
    counted = pc.value_counts(items)
    codes, counts = counted.field("values"), counted.field("counts")
    frequent = pc.greater_equal(counts, minimum_count)
    codes, counts = codes.filter(frequent), counts.filter(frequent)
    order = pc.array_sort_indices(codes)
    return Vocabulary(codes.take(order).cast(pa.string()), counts.take(order).to_numpy(zero_copy_only=False))
