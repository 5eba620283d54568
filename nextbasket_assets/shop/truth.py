"""How well mission tags agree with the planted missions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nextbasket_assets.shop.calibration import Floats
from nextbasket_assets.shop.landing_files import TRUTH, read_text


def planted_missions(out: Path) -> dict[str, str]:
    """The planted mission of every basket of a shop, by basket id, read from its ground truth."""
    planted: dict[str, str] = {}
    for path in sorted((out / TRUTH).glob("missions_??????.csv.gz")):
        for row in read_text(path).splitlines()[1:]:
            basket, mission = row.split(",")
            planted[basket] = mission
    return planted


def normalised_mutual_information(tags: Sequence[str], planted: Sequence[str]) -> float:
    """Mutual information over the mean of the two entropies: 0 for unrelated labels, 1 for the same partition.

    Two constant labellings agree on everything, so theirs is 1.

    Raises:
        ValueError: the labellings are empty or differ in length.
    """
    if len(tags) != len(planted) or not tags:
        raise ValueError(f"need as many tags as planted missions, and some: got {len(tags)} and {len(planted)}")
    _, row = np.unique(np.asarray(tags), return_inverse=True)
    _, column = np.unique(np.asarray(planted), return_inverse=True)
    joint = np.zeros((row.max() + 1, column.max() + 1))
    np.add.at(joint, (row, column), 1.0 / len(tags))
    entropies = _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))
    if entropies == 0.0:
        return 1.0
    return 2.0 * (entropies - _entropy(joint.ravel())) / entropies


def _entropy(probability: Floats) -> float:
    positive = probability[probability > 0]
    return float(-(positive * np.log(positive)).sum())
