"""The measured aggregates that the shop is calibrated to. No row of any data set is in them."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

HORIZON = 117  # weeks over which customers arrive and the range changes; a shorter shop is a prefix of it

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@cache
def calibration() -> dict[str, Any]:
    """The aggregates, as read from the package's `calibration.json`."""
    return _resource("calibration.json")


@cache
def catalogue_names() -> dict[str, Any]:
    """Readable names: divisions, groups with their departments and classes, and qualities."""
    return _resource("catalogue_names.json")


def _resource(name: str) -> dict[str, Any]:
    text = (files("nextbasket_assets.shop") / name).read_text(encoding="utf-8")
    return cast(dict[str, Any], json.loads(text))


def shares(table: dict[str, float]) -> Floats:
    """A table of shares as probabilities that sum to 1, in the table's order."""
    values = np.array(list(table.values()), dtype=np.float64)
    return np.asarray(values / values.sum(), dtype=np.float64)


def draw(rng: np.random.Generator, probabilities: Floats, size: int) -> Ints:
    """`size` independent positions drawn with these (not necessarily normalised) probabilities."""
    return from_cumulative(np.cumsum(probabilities), rng.random(size))


def from_cumulative(cumulative: Floats, uniform: Floats) -> Ints:
    """The positions at which `uniform` (in [0, 1)) falls into a cumulative weight."""
    found = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, len(cumulative) - 1), dtype=np.int64)
