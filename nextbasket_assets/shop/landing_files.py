"""Weekly files as the retailer delivers them: header dialects, row order, basket ids, and bytes that repeat."""

import gzip
from pathlib import Path
from typing import Literal

import numpy as np

from nextbasket_assets.landing import LIFESTAGE_CODES, PRICE_CODES
from nextbasket_assets.shop import labels as rules
from nextbasket_assets.shop.calibration import Ints
from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.customers import NO_SEGMENT, Population
from nextbasket_assets.shop.stores import Stores
from nextbasket_assets.shop.tills import Lines
from nextbasket_assets.shop.trips import Trips
from nextbasket_assets.shop.weeks import Week

Header = Literal["A", "B", "C"]

HEADER_B = (
    "SHOP_WEEK,SHOP_DATE,SHOP_WEEKDAY,SHOP_HOUR,QUANTITY,SPEND,PROD_CODE,PROD_CODE_10,PROD_CODE_20,PROD_CODE_30,"
    "PROD_CODE_40,CUST_CODE,seg_1,seg_2,BASKET_ID,BASKET_SIZE,BASKET_PRICE_SENSITIVITY,BASKET_TYPE,"
    "BASKET_DOMINANT_MISSION,STORE_CODE,STORE_FORMAT,STORE_REGION"
)
COLUMN = {name: number for number, name in enumerate(HEADER_B.split(","))}  # the dialects differ in names only
TRUTH = "ground_truth"
_QUOTED_NULL = '""'
_FIRST_WEEK = 1  # the only file that the third dialect is known from
_SERIALS = 800_000  # a week; the shop is a sample of a larger trade

# The published recode of segments, from the current release's letters to the documented ones.
_DOCUMENTED_STAGES = LIFESTAGE_CODES | {NO_SEGMENT: NO_SEGMENT}


def header_line(header: Header, week: Week) -> str:
    """The header of a week's file in a dialect: A documented, B current, C current with a damaged first file."""
    if header == "A":
        return HEADER_B.replace("seg_1", "CUST_PRICE_SENSITIVITY").replace("seg_2", "CUST_LIFESTAGE")
    if header == "C" and week.index == _FIRST_WEEK:
        return HEADER_B.replace("SPEND", "SFNND").replace("BASKET_TYPE", "BASKET_TYFN")
    return HEADER_B


def number_baskets(week: Week, customer: Ints, rng: np.random.Generator, above: int = 0) -> list[str]:
    """Basket ids of a week: 15 digits, the serial rises by customer (anonymous first) and not with time.

    All serials are greater than `above`.
    """
    order = np.lexsort((rng.random(customer.size), customer))
    step = max((_SERIALS - above) // max(customer.size, 1), 1)
    serial = np.empty(customer.size, dtype=np.int64)
    serial[order] = above + np.arange(customer.size) * step + rng.integers(1, step + 1, customer.size)
    return [f"9941{week.index:03d}{number:08d}" for number in serial.tolist()]


class Clerk:
    """Turns the lines of a week into the text of its file."""

    def __init__(self, catalogue: Catalogue, people: Population, stores: Stores, header: Header) -> None:
        self._header = header
        null = "" if header == "A" else _QUOTED_NULL
        self._catalogue = catalogue
        self._products = [f"{code},{levels}" for code, levels in zip(catalogue.code, catalogue.levels, strict=True)]
        self._product_rank = np.argsort(np.argsort(np.array(catalogue.code)))
        self._customers = [
            f"{code},{price},{null if stage == NO_SEGMENT else stage}"
            for code, price, stage in zip(people.code, *_segments(people, header), strict=True)
        ]
        self._customers.append(",".join([null] * 3))  # ANONYMOUS is -1, the last
        self._stores = [
            f"{code},{stores.format_names[kind]},{stores.region_names[region]}"
            for code, kind, region in zip(stores.code, stores.format.tolist(), stores.region.tolist(), strict=True)
        ]

    def write_up(self, week: Week, trips: Trips, basket_ids: list[str], lines: Lines) -> str:
        """The file's text: header and rows by store, then product."""
        marks = rules.label(lines, self._catalogue, trips.customer.size)
        days = [(week.day(offset), (offset + 1) % 7 + 1) for offset in range(7)]
        before, after = [], []
        for basket in range(trips.customer.size):
            date, weekday = days[trips.day[basket]]
            before.append(f"{week.code},{date},{weekday},{trips.hour[basket]},")
            after.append(
                f"{self._customers[trips.customer[basket]]},{basket_ids[basket]},{rules.SIZES[marks.size[basket]]},"
                f"{rules.PRICE_SENSITIVITIES[marks.price_sensitivity[basket]]},{rules.TYPES[marks.type[basket]]},"
                f"{rules.MISSIONS[marks.mission[basket]]},{self._stores[trips.store[basket]]}"
            )
        order = np.lexsort((lines.basket, self._product_rank[lines.product], trips.store[lines.basket]))
        columns = (lines.basket, lines.quantity, lines.pence, lines.product)
        rows = [
            f"{before[basket]}{quantity},{pence / 100},{self._products[product]},{after[basket]}"
            for basket, quantity, pence, product in zip(*(column[order].tolist() for column in columns), strict=True)
        ]
        return "\n".join([header_line(self._header, week), *rows]) + "\n"


def _segments(people: Population, header: Header) -> tuple[list[str], list[str]]:
    if header != "A":
        return people.price_segment, people.lifestage
    prices = [PRICE_CODES[name] for name in people.price_segment]
    return prices, [_DOCUMENTED_STAGES[name] for name in people.lifestage]


def packed(name: str, text: str) -> bytes:
    """The bytes of a file, gzipped if its name says so; they depend on the text alone."""
    content = text.encode("ascii")
    return gzip.compress(content, compresslevel=6, mtime=0) if name.endswith(".gz") else content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def truth_of(week_file: str) -> str:
    """The name of the file that has the planted missions of a weekly file."""
    return f"{TRUTH}/{week_file.replace('transactions_', 'missions_').split('.')[0]}.csv.gz"


def read_text(path: Path) -> str:
    """The text of a file, gzipped or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("ascii")


def truth_text(basket_ids: list[str], missions: list[str]) -> str:
    """The ground truth of a week: the planted mission of every basket."""
    rows = sorted(f"{basket},{mission}" for basket, mission in zip(basket_ids, missions, strict=True))
    return "\n".join(["BASKET_ID,PLANTED_MISSION", *rows]) + "\n"


def products_text(catalogue: Catalogue) -> str:
    """`products.csv`: codes and readable names of every product and its four category levels."""
    rows = []
    for code, name, levels, names in zip(
        catalogue.code, catalogue.name, catalogue.levels, catalogue.level_names, strict=True
    ):
        fields = [code, name]
        for level, level_name in zip(levels.split(","), names, strict=True):
            fields += [level, level_name]
        rows.append(",".join(f'"{field}"' if "," in field else field for field in fields))
    columns = [f"PROD_CODE_{level},PROD_NAME_{level}" for level in (10, 20, 30, 40)]
    return "\n".join([",".join(["PROD_CODE", "PROD_NAME", *columns]), *sorted(rows)]) + "\n"
