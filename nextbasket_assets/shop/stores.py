"""The stores: code, format, region, and how much trade each draws."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Floats, Ints, calibration, draw, shares

_HIGHEST_CODE = 2908
_SPREAD = 0.7  # log standard deviation of trade between stores of one format
_ALTERNATIVES = 8


@dataclass(frozen=True)
class Stores:
    """All stores in code order. `format` and `region` index the name tuples; `trade` sums to 1."""

    code: list[str]
    format_names: tuple[str, ...]
    region_names: tuple[str, ...]
    format: Ints
    region: Ints
    trade: Floats


def open_stores(rng: np.random.Generator) -> Stores:
    """The calibrated number of stores of each format and region."""
    table = calibration()["stores"]
    formats, regions = table["format"], table["region"]
    of_format = rng.permutation(np.repeat(np.arange(len(formats)), list(formats.values())))
    of_region = rng.permutation(np.repeat(np.arange(len(regions)), list(regions.values())))
    numbers = np.sort(rng.permutation(_HIGHEST_CODE)[: len(of_format)] + 1)
    size = rng.lognormal(0.0, _SPREAD, len(of_format))
    wanted = np.array([table["basket_share_by_format"][name] for name in formats])
    trade = size * (wanted / np.bincount(of_format, weights=size))[of_format]
    return Stores(
        [f"STORE{number:05d}" for number in numbers],
        tuple(formats),
        tuple(regions),
        of_format.astype(np.int64),
        of_region.astype(np.int64),
        trade / trade.sum(),
    )


def known_stores(stores: Stores, home: Ints, rng: np.random.Generator) -> Ints:
    """For each home store, itself and eight draws by trade from its region: (customers, 9), home first.

    A store may be drawn twice, and the home store, too: a customer knows nine stores at most.
    """
    others = np.empty((len(home), _ALTERNATIVES), dtype=np.int64)
    region = stores.region[home]
    for number in range(len(stores.region_names)):
        rows = np.flatnonzero(region == number)
        trade = np.where(stores.region == number, stores.trade, 0.0)
        others[rows] = draw(rng, trade, rows.size * _ALTERNATIVES).reshape(-1, _ALTERNATIVES)
    return np.column_stack([home, others])


def format_shift(stores: Stores) -> Floats:
    """How much larger (in normal scores) baskets are in each store's format than on average."""
    table = calibration()["type_given_format"]
    small = np.array([table[name]["Small Shop"] for name in stores.format_names])
    return 1.6 * (float(shares(calibration()["stores"]["basket_share_by_format"]) @ small) - small)[stores.format]
