"""Baskets as documents: the set of known items of each basket, and which customers are held out.

Shape letters of this package: D baskets, T items of all baskets together, V items of the vocabulary, K missions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Documents:
    """Baskets without their codes: nothing here says whose they are.

    Attributes:
        items_T: positions in the vocabulary, basket after basket, each item of a basket once.
        sizes_D: items of each basket; adds up to T.
        held_out_D: baskets of the customers that the fit never sees.
        half_D: 0 or 1, by customer, for two models of the same shop that share no customer.
        vocabulary: V, the number of items.
    """

    items_T: Ints
    sizes_D: Ints
    held_out_D: Flags
    half_D: Ints
    vocabulary: int

    def __len__(self) -> int:
        return int(self.sizes_D.size)

    @property
    def basket_T(self) -> Ints:
        """Position of the basket that each item is in."""
        return np.repeat(np.arange(len(self)), self.sizes_D)

    def where(self, keep_D: Flags) -> "Documents":
        """The baskets that are true in `keep_D`, in their order."""
        kept = np.repeat(keep_D, self.sizes_D)
        return Documents(
            self.items_T[kept], self.sizes_D[keep_D], self.held_out_D[keep_D], self.half_D[keep_D], self.vocabulary
        )

    def incidence(self) -> sparse.csr_array:
        """(D, V), 1 where the basket holds the item."""
        return sparse.csr_array(
            (np.ones(self.items_T.size), (self.basket_T, self.items_T)), shape=(len(self), self.vocabulary)
        )

    def item_share(self) -> Floats:
        """(V,) share of each item among all items, with half an item more for everybody: never 0."""
        counts = np.bincount(self.items_T, minlength=self.vocabulary) + 0.5
        return np.asarray(counts / counts.sum())


def documents(baskets: Sequence[Sequence[int]], vocabulary: int) -> Documents:
    """Baskets given as lists of items, every fifth one held out and every other one in the second half."""
    number = np.arange(len(baskets))
    return Documents(
        np.array([item for basket in baskets for item in basket], np.int64),
        np.array([len(basket) for basket in baskets], np.int64),
        number % 5 == 0,
        number % 2,
        vocabulary,
    )


def from_table(table: pa.Table, vocabulary: int) -> Documents:
    """The documents of a table with the columns `items` (list of positions), `held_out` and `half`."""
    items: Any = table["items"].combine_chunks()
    return Documents(
        np.asarray(items.flatten().to_numpy(zero_copy_only=False), np.int64),
        np.asarray(pc.list_value_length(items).to_numpy(zero_copy_only=False), np.int64),
        np.asarray(table["held_out"].to_numpy(), np.bool_),
        np.asarray(table["half"].to_numpy(), np.int64),
        vocabulary,
    )
