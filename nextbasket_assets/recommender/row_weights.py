"""How much each row of a batch has to say in its loss."""

import numpy as np

from nextbasket_assets.recommender.batches import Slices, Targets

SIZE_POWER = 0.5
CUSTOMER_POWER = 0.5
EARLIER = 0.5  # weight of a target that is not the customer's newest


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
