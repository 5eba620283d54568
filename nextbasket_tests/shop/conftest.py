"""Small shops, written once."""

from collections import defaultdict
from pathlib import Path

import pytest

from nextbasket_assets.shop.landing_files import read_text
from nextbasket_assets.shop.shop import ShopReport, write_shop

CUSTOMERS, WEEKS, SEED = 150, 8, 3


def rows_of(path: Path) -> list[dict[str, str]]:
    header, *rows = read_text(path).splitlines()
    return [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]


def shop_rows(folder: Path) -> list[dict[str, str]]:
    return [row for path in sorted(folder.glob("transactions_??????.csv*")) for row in rows_of(path)]


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ShopReport]:
    folder = tmp_path_factory.mktemp("small_shop")
    return folder, write_shop(folder, customers=CUSTOMERS, weeks=WEEKS, seed=SEED)


@pytest.fixture(scope="session")
def small_rows(small_shop: tuple[Path, ShopReport]) -> list[dict[str, str]]:
    return shop_rows(small_shop[0])


def by_basket(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    baskets = defaultdict(list)
    for row in rows:
        baskets[row["BASKET_ID"]].append(row)
    return baskets
