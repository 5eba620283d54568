"""How much each row of a batch has to say in its loss."""

import numpy as np

SIZE_POWER = 0.5
CUSTOMER_POWER = 0.5
EARLIER = 0.5  # weight of a target that is not the customer's newest
SMALLEST = 1e-9
ALIKE = 2.0  # times the mean: rows that weigh less are drawn by their weight, and then weigh as much as this


def weights_of(
    prefixes: np.ndarray, lasts: np.ndarray, sizes: np.ndarray, withheld: np.ndarray, age: np.ndarray, half_life: float
) -> np.ndarray:
    """(R,) weights of the rows in the loss, 0 for those that are `withheld` (R,).

    Softmax shares favour small baskets, so a row weighs as the root of its basket's size; so that heavy shoppers do not
    speak for everybody, a customer weighs as the root of their prefixes; the newest trips are most like the next one.

    Args:
        prefixes: (R,). lasts: (R,) the customer's last one, which is how many they have.
        sizes: (R,) distinct items of the targets. age: (R,) their days, counted from the newest.
        withheld: (R,). half_life: days.
    """
    newest = np.where(prefixes == lasts, 1.0, EARLIER)
    weights = sizes**SIZE_POWER * lasts**-CUSTOMER_POWER * newest * faded(age, half_life) * ~withheld
    scaled: np.ndarray = (weights / max(weights.mean(), SMALLEST)).astype(np.float32)
    return scaled


def faded(age: np.ndarray, half_life: float) -> np.ndarray:
    """What is left of a row's weight after `age` days."""
    left: np.ndarray = np.exp2(-age / half_life)
    return left


def draw(weights: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """(R,) weights of the rows that are drawn, 0 for the others; the expected weight of a row is what it was.

    A light row takes as long as a heavy one and says less, so it takes part the more seldom the lighter it is.

    Args:
        weights: (R,) with a mean of one. luck: (R,) drawn evenly from 0 to 1.
    """
    return np.where(luck * ALIKE < weights, np.maximum(weights, ALIKE), 0).astype(np.float32)
