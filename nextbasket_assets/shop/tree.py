"""The product hierarchy: 9 divisions, 31 groups, 90 departments, 250 classes, and readable names for all of it."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from nextbasket_assets.shop.calibration import Ints, calibration, catalogue_names

CARRIER_BAG = "carrier bag"


@dataclass(frozen=True)
class Tree:
    """The hierarchy of all products. `*_of` arrays are (products,) and index the level's names, coarse to fine."""

    class_of: Ints
    department_of: Ints
    group_of: Ints
    division_of: Ints
    class_names: list[str]
    department_names: list[str]
    sizes: list[list[str]]  # of each class
    level_codes: list[str]
    level_names: list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class _Class:
    name: str
    department: int
    department_name: str
    group: int
    group_name: str
    division: str
    sizes: list[str]


def grow(products: int, rng: np.random.Generator) -> Tree:
    """Spread the products over the classes, by the measured number of products in each group.

    Raises:
        ValueError: there are fewer products than classes.
    """
    classes = _classes()
    if products < len(classes):
        raise ValueError(f"products must be at least {len(classes)}, one for each class, got {products}")
    of_class = np.repeat(np.arange(len(classes)), _sizes(classes, products, rng))
    chosen = [classes[number] for number in of_class]
    divisions = list(catalogue_names()["divisions"])
    codes, names = [], []
    for number, item in zip(of_class, chosen, strict=True):
        codes.append(f"CL{number + 1:05d},DEP{item.department + 1:05d},G{item.group + 1:05d},{item.division}")
        division_name = catalogue_names()["divisions"][item.division]
        names.append((item.name, item.department_name, item.group_name, division_name))
    return Tree(
        class_of=of_class.astype(np.int64),
        department_of=np.array([item.department for item in chosen], dtype=np.int64),
        group_of=np.array([item.group for item in chosen], dtype=np.int64),
        division_of=np.array([divisions.index(item.division) for item in chosen], dtype=np.int64),
        class_names=[item.name for item in classes],
        department_names=list(dict.fromkeys(item.department_name for item in classes)),
        sizes=[item.sizes for item in classes],
        level_codes=codes,
        level_names=names,
    )


def _classes() -> list[_Class]:
    classes: list[_Class] = []
    department = 0
    for group, (code, facts) in enumerate(calibration()["groups"].items()):
        entry = catalogue_names()["groups"][code]
        for department_name, members in entry["departments"].items():
            for name in members:
                row = _Class(
                    name, department, department_name, group, entry["name"], facts["PROD_CODE_40"], entry["sizes"]
                )
                classes.append(row)
            department += 1
    return classes


def _sizes(classes: list[_Class], products: int, rng: np.random.Generator) -> Ints:
    """Products in each class: one at least (the carrier bag has no second), `products` in all."""
    per_group = np.array([group["n_products"] for group in calibration()["groups"].values()])
    group_of = np.array([item.group for item in classes])
    spread = rng.gamma(4.0, 1.0, len(classes))
    spread[[item.name == CARRIER_BAG for item in classes]] = 0.0
    sizes = np.ones(len(classes), dtype=np.int64)
    room = np.maximum(per_group - np.bincount(group_of), 0).astype(np.float64)
    extra = room * (products - len(classes)) / room.sum()
    share = spread * (extra / np.maximum(np.bincount(group_of, weights=spread), 1e-9))[group_of]
    edges = np.floor(np.cumsum(share) + 1e-6).astype(np.int64)
    sizes += np.diff(edges, prepend=0)
    sizes[int(np.argmax(sizes))] += products - int(sizes.sum())
    return sizes


def product_names(tree: Tree, bag: int) -> list[str]:
    """A unique readable name for each product: quality, class, size."""
    qualities = catalogue_names()["qualities"]
    names: list[str] = []
    seen: dict[int, int] = {}
    for number in tree.class_of.tolist():
        position = seen.get(number, 0)
        seen[number] = position + 1
        choices = list(product(tree.sizes[number], qualities))
        # Both parts change from one product to the next, so that a class does not read as one quality in all sizes.
        size, quality = choices[position * 13 % len(choices)]
        label = f"{quality} {tree.class_names[number]} {size}"
        lap = position // len(choices)
        names.append(f"{label} no. {lap + 1}" if lap else label)
    names[bag] = CARRIER_BAG
    return names
