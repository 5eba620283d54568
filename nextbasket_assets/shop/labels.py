"""The retailer's labels of a basket, computed from its lines by the rules recovered from the published data."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Ints
from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.tills import Lines

SIZES = ("S", "M", "L")
TYPES = ("Small Shop", "Top Up", "Full Shop", "XX")
MISSIONS = ("Fresh", "Grocery", "Nonfood", "Mixed", "XX")
PRICE_SENSITIVITIES = ("LA", "MM", "UM", "XX")

_MISSION_OF_DIVISION = np.array([0, 0, 1, 2, 2, 2, 2, 1, 1])  # D00001 to D00009
_LEADS_FROM = np.array([0.63, 0.63, 0.70])  # share of spend; where the published labels agree best
_TIER_BOUNDS = (-0.74, 0.72)  # of the sum of price tiers in standard deviations
_TIER_SPREAD = 0.69


@dataclass(frozen=True)
class Labels:
    """Labels of each basket, (baskets,), as positions in the tuples above."""

    size: Ints
    type: Ints
    mission: Ints
    price_sensitivity: Ints


def label(lines: Lines, catalogue: Catalogue, baskets: int) -> Labels:
    """Label all baskets of a week."""
    units = np.bincount(lines.basket, weights=lines.quantity, minlength=baskets).astype(np.int64)
    classified = np.bincount(lines.basket, weights=catalogue.classified[lines.product], minlength=baskets) > 0
    return Labels(
        size=np.searchsorted(np.array([3, 10]), units, side="right"),
        type=np.where(classified, _types(units, _distinct_groups(lines, catalogue, baskets)), 3),
        mission=np.where(classified, _missions(lines, catalogue, baskets), 4),
        price_sensitivity=_price_sensitivities(lines, catalogue, baskets),
    )


def _distinct_groups(lines: Lines, catalogue: Catalogue, baskets: int) -> Ints:
    pairs = np.unique(lines.basket * 64 + catalogue.group[lines.product])
    return np.bincount(pairs // 64, minlength=baskets)


def _types(units: Ints, groups: Ints) -> Ints:
    full = (units >= 15) & (groups >= 8)
    small = (units < 10) & (groups <= 3)
    return np.where(full, 2, np.where(small, 0, 1))


def _missions(lines: Lines, catalogue: Catalogue, baskets: int) -> Ints:
    """The mission that leads by share of spend, or Mixed where none leads clearly."""
    mission = _MISSION_OF_DIVISION[catalogue.division[lines.product]]
    spend = np.bincount(lines.basket * 3 + mission, weights=lines.pence, minlength=3 * baskets).reshape(-1, 3)
    share = spend / np.maximum(spend.sum(axis=1, keepdims=True), 1.0)
    leader = share.argmax(axis=1)
    return np.where(share.max(axis=1, initial=0.0) >= _LEADS_FROM[leader], leader, 3)


def _price_sensitivities(lines: Lines, catalogue: Catalogue, baskets: int) -> Ints:
    """Cheap (LA) or dear (UM) when the price tiers of the basket lean further than chance; XX without tiers."""
    tiered = catalogue.tiered[lines.product]
    number = np.bincount(lines.basket, weights=tiered, minlength=baskets)
    tiers = np.bincount(lines.basket, weights=tiered * catalogue.tier[lines.product], minlength=baskets)
    lean = np.searchsorted(np.array(_TIER_BOUNDS), tiers / (_TIER_SPREAD * np.sqrt(np.maximum(number, 1))))
    return np.where(number > 0, lean, 3)
