"""How much each row of a batch has to say in its loss."""

import numpy as np

from nextbasket_assets.recommender.batches import Slices, Targets

SIZE_POWER = 0.5
CUSTOMER_POWER = 0.5
EARLIER = 0.5  # weight of a target that is not the customer's newest
SMALLEST = 1e-9


def weights_of(
    slices: Slices, trained: np.ndarray, wanted: Targets, withheld: np.ndarray, age: np.ndarray, half_life: float
) -> np.ndarray:
    """(R,) weights of the rows in the loss, 0 for those that are `withheld` (R,).

    Softmax shares favour small baskets, so a row weighs as the root of its basket's size; so that heavy shoppers do not
    speak for everybody, a customer weighs as the root of their prefixes; the newest trips are most like the next one.
    """
    count = slices.last - slices.first + 1
    owner = np.repeat(np.arange(len(count)), count)
    prefix = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + slices.first[owner]
    all_prefixes = trained[slices.customers[owner]] - 1
    newest = np.where(prefix == all_prefixes, 1.0, EARLIER)
    weights = wanted.sizes**SIZE_POWER * all_prefixes**-CUSTOMER_POWER * newest * faded(age, half_life) * ~withheld
    scaled: np.ndarray = (weights / max(weights.mean(), SMALLEST)).astype(np.float32)
    return scaled


def faded(age: np.ndarray, half_life: float) -> np.ndarray:
    """What is left of a row's weight after `age` days."""
    left: np.ndarray = np.exp2(-age / half_life)
    return left
