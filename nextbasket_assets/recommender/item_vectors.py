"""Where the items' vectors begin: as the tastes that show in who bought what.

Tastes are the main directions of the customers' purchases, in which items with the same customers lie close together. From
nothing, the network finds them late, or not at all where few purchases are repeated. C customers, V ids, D embedding.
"""

import numpy as np
import scipy.sparse as sp
import torch
from scipy.linalg import svd
from scipy.sparse.linalg import svds

from nextbasket_assets.recommender.histories import Histories, known
from nextbasket_assets.recommender.network import Network

SPREAD = 0.1  # root mean square of the numbers that an item's vector begins with
FAINTEST = 1e-6  # of the strongest direction; what is below is rounding


def tastes(histories: Histories, learned: np.ndarray, vocabulary: int, dim: int) -> np.ndarray:
    """(V, D) a vector of each item, by a spectral embedding (https://arxiv.org/abs/1309.4111), zeros where nothing is known.

    Rows and columns of the purchases are divided by the roots of their sums, so that neither heavy shoppers nor staples speak for
    everybody, and to a column's sum the mean one is added, so that no rare item makes a direction of its own. The strongest
    direction, which is popularity, is left out; the next D weigh as the roots of their strengths.

    Args:
        histories: the customers.
        learned: (N,) baskets that count.
        vocabulary: V. dim: D, directions; zeros follow where a small shop has fewer.
    """
    purchases = _purchases(histories, learned, vocabulary)
    sums_C, sums_V = purchases.sum(1), purchases.sum(0)
    bought_V = sums_V > 0
    if not bought_V.any():
        return np.zeros((vocabulary, dim), np.float32)
    by_item = np.where(bought_V, 1 / np.sqrt(sums_V + sums_V[bought_V].mean()), 0)
    even = sp.diags_array(1 / np.sqrt(sums_C)) @ purchases @ sp.diags_array(by_item)
    strengths, directions_VK = _strongest(even, dim + 1)
    worth = np.where(strengths > strengths[0] * FAINTEST, np.sqrt(strengths), 0)
    vectors_VK = (directions_VK * worth)[:, 1:]
    vectors_VK[~bought_V] = 0
    size = np.sqrt((vectors_VK[bought_V] ** 2).sum() / bought_V.sum() / dim)
    scaled = vectors_VK * (SPREAD / size if size > 0 else 0.0)
    return np.pad(scaled, ((0, 0), (0, dim - scaled.shape[1]))).astype(np.float32)


def _purchases(histories: Histories, learned: np.ndarray, vocabulary: int) -> sp.csr_array:
    """(C, V) log1p of how often each customer with a known purchase bought each item."""
    sizes = np.diff(histories.item_offsets)
    counted = np.repeat(learned, sizes) & known(histories)
    running = np.concatenate([[0], np.cumsum(counted)])
    ends = running[histories.item_offsets[histories.basket_offsets]]  # of each customer's: they lie one after another
    items = histories.items[counted]
    times = sp.csr_array((np.ones(len(items)), items, ends), shape=(histories.customers, vocabulary))
    times.sum_duplicates()
    times.data = np.log1p(times.data)
    return times[np.flatnonzero(np.diff(times.indptr))]


def _strongest(matrix: sp.csr_array, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest singular values and (V, K) their right vectors, strongest first; all of them where there are fewer."""
    if min(matrix.shape) <= count:
        _, values, right = svd(matrix.toarray(), full_matrices=False)
        return values, right.T
    start = np.random.default_rng(0).random(min(matrix.shape))
    _, values, right = svds(matrix, k=count, v0=start, return_singular_vectors="vh")
    order = np.argsort(-values)
    return values[order], right[order].T


def begin(network: Network, tastes_VD: np.ndarray) -> None:
    """Puts the tastes into the network, as what items are to the GRU and to the output."""
    vectors = torch.from_numpy(tastes_VD)
    with torch.no_grad():
        network.items.weight.copy_(vectors)
        network.output.weight.copy_(vectors)
