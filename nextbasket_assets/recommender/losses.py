"""The loss of a batch and how much each of its rows has to say. R rows, V vocabulary, T target items."""

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.recommender.batches import Slices, Targets

SIZE_POWER = 0.5
CUSTOMER_POWER = 0.5
EARLIER = 0.5  # weight of a target that is not the customer's newest


def cross_entropy(logits_RV: Tensor, wanted: Targets, weights_R: Tensor) -> Tensor:
    """Softmax over the vocabulary against a uniform target over each row's next basket, as a weighted mean of rows.

    Rows without a known item in the target have no say.
    """
    rows_T = torch.from_numpy(wanted.rows).to(logits_RV.device)
    items_T = torch.from_numpy(wanted.items).to(logits_RV.device)
    count_R = torch.bincount(rows_T, minlength=len(logits_RV)).to(logits_RV.dtype)
    picked_T = logits_RV.view(-1).index_select(0, rows_T * logits_RV.shape[1] + items_T)
    share_R = logits_RV.new_zeros(len(logits_RV)).index_add(0, rows_T, picked_T / count_R[rows_T])
    weights_R = weights_R * (count_R > 0)
    return ((torch.logsumexp(logits_RV, 1) - share_R) * weights_R).sum() / weights_R.sum().clamp(min=1e-9)


def weights_of(slices: Slices, trained: np.ndarray, wanted: Targets, age: np.ndarray, half_life: float) -> np.ndarray:
    """(R,) weights of the rows in the loss.

    Softmax shares favour small baskets, so a row weighs as the root of its basket's size; so that heavy shoppers do not
    speak for everybody, a customer weighs as the root of their prefixes; the newest trips are most like the next one.
    """
    count = slices.last - slices.first + 1
    owner = np.repeat(np.arange(len(count)), count)
    prefix = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + slices.first[owner]
    all_prefixes = trained[slices.customers[owner]] - 1
    newest = np.where(prefix == all_prefixes, 1.0, EARLIER)
    weights = wanted.sizes**SIZE_POWER * all_prefixes**-CUSTOMER_POWER * newest * np.exp2(-age / half_life)
    scaled: np.ndarray = (weights / weights.mean()).astype(np.float32)
    return scaled
