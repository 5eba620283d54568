"""What a classifier that was told the planted mixture makes of a shop's baskets: how much there is to be found.

It knows what each mission draws and each customer's taste, and takes the likeliest mission. It leaves out what a
customer bought before and which prices they like: with these a little more could be had.
"""

from pathlib import Path

import numpy as np

from nextbasket_assets.shop.calibration import Floats, Ints
from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.landing_files import COLUMN, read_text
from nextbasket_assets.shop.ledger import Ledger
from nextbasket_assets.shop.missions import MISSIONS, MissionMix
from nextbasket_assets.shop.standing import Standing, found
from nextbasket_assets.shop.tills import season
from nextbasket_assets.shop.weeks import Week, retail_week

_LEAST = 1e-300  # a probability of 0, such as a carrier bag's, which says nothing where all missions have it


def likeliest_missions(out: Path) -> dict[str, str]:
    """The likeliest planted mission of every basket of the shop in this folder, by basket id."""
    arguments = Ledger(out).arguments
    standing = found(*(arguments[name] for name in ("customers", "products", "seed", "strength")))
    likeliest: dict[str, str] = {}
    for index in range(1, arguments["weeks"] + 1):
        week = retail_week(index)
        for path in out.glob(f"transactions_{week.code}.csv*"):
            rows = [row.split(",") for row in read_text(path).splitlines()[1:]]
            likeliest |= _of_week(standing, week, rows)
    return likeliest


def _of_week(standing: Standing, week: Week, rows: list[list[str]]) -> dict[str, str]:
    products = {code: number for number, code in enumerate(standing.catalogue.code)}
    customers = {code: number for number, code in enumerate(standing.people.code)}
    ids, first, basket = np.unique([row[COLUMN["BASKET_ID"]] for row in rows], return_index=True, return_inverse=True)
    customer = np.array([customers.get(rows[row][COLUMN["CUST_CODE"]], -1) for row in first])
    taste = np.where(customer[:, None] < 0, standing.mix.share, standing.people.taste[customer])
    product = np.array([products[row[COLUMN["PROD_CODE"]]] for row in rows])
    probable = posterior(standing.mix, drawn(standing.mix, standing.catalogue, week), taste, basket, product)
    return {str(name): MISSIONS[mission].name for name, mission in zip(ids, probable.argmax(axis=1), strict=True)}


def drawn(mix: MissionMix, catalogue: Catalogue, week: Week) -> Floats:
    """How probable each product is in a draw from each row of the mix in this week, (missions + 1, products)."""
    weights = mix.weights * np.where(catalogue.on_shelf(week.index), season(catalogue, week), 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def posterior(mix: MissionMix, drawn: Floats, taste: Floats, basket: Ints, product: Ints) -> Floats:
    """The probability of each mission given each basket's lines, (baskets, missions), rows sum to 1.

    `taste` is (baskets, missions), what was probable before; `basket` and `product` are those of each line.
    """
    core = mix.core_share(np.bincount(basket, minlength=len(taste)))[basket][:, None]
    line = core * drawn[:-1, product].T + (1.0 - core) * drawn[-1, product][:, None]
    evidence = np.log(np.maximum(taste, _LEAST))
    np.add.at(evidence, basket, np.log(np.maximum(line, _LEAST)))
    probability = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    return np.asarray(probability / probability.sum(axis=1, keepdims=True), dtype=np.float64)
