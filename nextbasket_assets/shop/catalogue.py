"""The catalogue: a strict tree of five levels, with popularity, price and shelf life for every product."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from nextbasket_assets.shop.calibration import HORIZON, Flags, Floats, Ints, calibration
from nextbasket_assets.shop.tree import CARRIER_BAG, Tree, grow, product_names

PRODUCTS = 4_997
_BAG_CODE = 3_678
_SPEND_PER_LINE = 12.19 / 6.409  # pounds
_UNCLASSIFIED_GROUPS = ("G00024", "G00025")
_UNTIERED_GROUPS = ("G00017", "G00018", "G00019", "G00020")
_LAUNCHED, _DELISTED = 0.17, 0.18  # shares of the range
_NEWCOMERS = 1.8  # nobody has a new product in their history, so it needs more first purchases
_ALWAYS_ON_SHELF = 50  # the most popular products neither come nor go
_TIER_BOUNDS = (0.23, 0.75)  # of a class's trade, from its cheapest product up


@dataclass(frozen=True)
class Catalogue:
    """All products, in the order of the tree; arrays are (products,), level arrays index the name lists.

    `popularity` sums to 1 over the classified products sold in an average week; prices are pounds a unit;
    `tier` is -1 (cheap in its class), 0 or 1. A product is on the shelf in weeks `launch` <= week < `delist`.
    `classified` is false for what says nothing about a basket: carrier bags, kiosk, newspapers.
    """

    code: list[str]
    name: list[str]
    levels: list[str]  # "CL,DEP,G,D" codes of each product, as a landing file has them
    level_names: list[tuple[str, str, str, str]]
    department_names: list[str]
    department: Ints
    group: Ints
    division: Ints
    popularity: Floats
    price: Floats
    tier: Ints
    tiered: Flags
    classified: Flags
    launch: Ints
    delist: Ints
    bag: int

    def on_shelf(self, week: int) -> Flags:
        """Which products are sold in a week."""
        return (self.launch <= week) & (week < self.delist)


def stock(products: int, rng: np.random.Generator) -> Catalogue:
    """Draw a catalogue of this many products.

    Raises:
        ValueError: there are fewer products than classes need.
    """
    tree = grow(products, rng)
    bag = int(np.flatnonzero(tree.class_of == tree.class_names.index(CARRIER_BAG))[0])
    group_codes = list(calibration()["groups"])
    unclassified = np.isin(tree.group_of, [group_codes.index(name) for name in _UNCLASSIFIED_GROUPS])
    unclassified[bag] = True
    sold = _popularity(tree, bag, rng)
    launch, delist = _shelf_life(sold, rng)
    price = _prices(tree, sold, bag, rng)
    present = np.clip((np.minimum(delist, HORIZON + 1) - launch) / HORIZON, 0.2, 1.0)
    weight = sold / present * np.where(launch > 1, _NEWCOMERS, 1.0)
    weight[bag] = 0.0
    return Catalogue(
        code=_codes(products, bag, rng),
        name=product_names(tree, bag),
        levels=tree.level_codes,
        level_names=tree.level_names,
        department_names=tree.department_names,
        department=tree.department_of,
        group=tree.group_of,
        division=tree.division_of,
        popularity=weight / weight.sum(),
        price=price,
        tier=_tiers(tree.class_of, price, sold),
        tiered=~unclassified & ~np.isin(tree.group_of, [group_codes.index(name) for name in _UNTIERED_GROUPS]),
        classified=~unclassified,
        launch=launch,
        delist=delist,
        bag=bag,
    )


def _codes(products: int, bag: int, rng: np.random.Generator) -> list[str]:
    numbers = rng.permutation(products) + 1
    if products >= _BAG_CODE:  # the code under which the real bag is known, and excluded by default
        other = int(np.flatnonzero(numbers == _BAG_CODE)[0])
        numbers[other] = numbers[bag]
    numbers[bag] = _BAG_CODE
    return [f"PRD09{number:05d}" for number in numbers]


def _popularity(tree: Tree, bag: int, rng: np.random.Generator) -> Floats:
    """Line shares: each group keeps its share, and all together follow the measured curve by rank."""
    products = len(tree.group_of)
    curve = {int(rank): share for rank, share in calibration()["popularity"]["top_k_line_share"].items()}
    ranks = np.log1p(np.array([0, *curve]))
    cumulative = PchipInterpolator(ranks, np.array([0.0, *curve.values()]))
    edges = np.arange(products + 1) * (PRODUCTS / products)
    target = -np.sort(-np.diff(cumulative(np.log1p(edges))))
    wanted = np.array([group["line_share"] for group in calibration()["groups"].values()])
    weight = np.empty(products)
    for group, share in enumerate(wanted):
        rows = rng.permutation(np.flatnonzero(tree.group_of == group))
        tail = (np.arange(rows.size) + 3.0) ** -0.75
        weight[rows] = share * tail / tail.sum()
    weight[bag] = target[1]
    for _ in range(30):
        weight[np.argsort(-weight, kind="stable")] = target
        weight *= (wanted / np.bincount(tree.group_of, weights=weight))[tree.group_of]
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _shelf_life(sold: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """First week on the shelf and first week off it, for each product."""
    products = len(sold)
    launch = np.where(rng.random(products) < _LAUNCHED, rng.integers(8, HORIZON, products), 1)
    leaves = (rng.random(products) < _DELISTED) & (launch == 1)
    delist = np.where(leaves, rng.integers(12, HORIZON - 18, products), 10 * HORIZON)
    fixed = np.argsort(-sold, kind="stable")[:_ALWAYS_ON_SHELF]
    launch[fixed], delist[fixed] = 1, 10 * HORIZON
    return launch.astype(np.int64), delist.astype(np.int64)


def _prices(tree: Tree, sold: Floats, bag: int, rng: np.random.Generator) -> Floats:
    """Log-normal prices, scaled so that each group takes its share of spend; the bag costs a penny."""
    price = np.empty(len(sold))
    for number, group in enumerate(calibration()["groups"].values()):
        rows = np.flatnonzero((tree.group_of == number) & (np.arange(len(sold)) != bag))
        raw = rng.lognormal(0.0, group["ln_price_sd"] or 0.0, rows.size)
        per_line = _SPEND_PER_LINE * group["spend_share"] / group["line_share"]
        if bag in np.flatnonzero(tree.group_of == number):
            per_line *= group["line_share"] / (group["line_share"] - sold[bag])
        mean = float(np.average(raw, weights=sold[rows])) * group["mean_quantity"]
        price[rows] = raw * per_line / mean
    price[bag] = 0.01
    return np.maximum(np.round(price, 2), 0.01)


def _tiers(class_of: Ints, price: Floats, sold: Floats) -> Ints:
    """Cheap, ordinary or dear among the products of the class, by share of its trade."""
    tier = np.zeros(len(price), dtype=np.int64)
    for number in np.unique(class_of):
        rows = np.flatnonzero(class_of == number)
        rows = rows[np.argsort(price[rows], kind="stable")]
        below = np.cumsum(sold[rows]) - sold[rows] / 2
        tier[rows] = np.searchsorted(np.array(_TIER_BOUNDS), below / sold[rows].sum()) - 1
    return tier
