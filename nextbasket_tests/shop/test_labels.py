"""The retailer's labels that the files alone cannot tell: they need the catalogue's price tiers."""

import numpy as np
import pytest

from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.labels import PRICE_SENSITIVITIES, label
from nextbasket_assets.shop.standing import found
from nextbasket_assets.shop.tills import Lines


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return found(20, 1000, seed=1, strength=0.5).catalogue


def sensitivity(catalogue: Catalogue, products: np.ndarray) -> str:
    """The label of a basket with one of each of these products."""
    one = np.ones(products.size, dtype=np.int64)
    labels = label(Lines(0 * one, products, one, 100 * one), catalogue, 1)
    return PRICE_SENSITIVITIES[labels.price_sensitivity[0]]


@pytest.mark.parametrize(("tiers", "wanted"), [((-1, -1), "LA"), ((1, 1), "UM"), ((-1, 1), "MM"), ((0, 0, 0), "MM")])
def test_price_sensitivity_follows_the_tiers(catalogue: Catalogue, tiers: tuple[int, ...], wanted: str) -> None:
    """Cheap products make a basket less affluent (LA), dear ones upmarket (UM), a mixture neither."""
    products = np.array(
        [np.flatnonzero((catalogue.tier == tier) & catalogue.tiered)[number] for number, tier in enumerate(tiers)]
    )

    assert sensitivity(catalogue, products) == wanted


def test_a_basket_without_tiers_has_no_price_sensitivity(catalogue: Catalogue) -> None:
    """A carrier bag alone says nothing about prices."""
    assert sensitivity(catalogue, np.array([catalogue.bag])) == "XX"
