"""The corner shop of docs/your-data.md: the synthetic shop as that till would export it, and the platform's settings for it."""

import csv
import gzip
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from nextbasket_assets.shop.shop import write_shop

HEADER = ("sold_at", "shop", "receipt_no", "member", "sku", "article", "department", "qty", "line_total")
LATER = date(2024, 1, 8) - date(2006, 4, 10)  # from the first week of the synthetic shop to that of the page
JOURNEY = """household_id,store_id,basket_id,product_id,quantity,sales_value,week,transaction_timestamp
1,9,31000000001,100,1.0,3.86,5,2017-01-28 19:06:53
1,9,31000000001,101,2.0,1.0,5,2017-01-28 19:06:53
"""
JOURNEY_PRODUCTS = """product_id,manufacturer_id,department,brand,product_category,product_type,package_size
100,1,GROCERY,National,FRZN ICE,ICE - CRUSHED/CUBED,22 LB
101,1,PASTRY,Private,BREAD,BREAD:ITALIAN/FRENCH,
"""


@dataclass(frozen=True)
class CornerShop:
    """A folder in which the commands of the pages find what they name."""

    root: Path

    def write(self, customers: int, weeks: int) -> None:
        """The exports of both worked retailers, and LGSR-format files."""
        write_shop(
            self.root / "weekly", customers=customers, weeks=weeks, products=300, seed=1, strength=0.8, recency=0.95
        )
        (self.root / "export").mkdir()
        with (self.root / "export" / "sales_2024_a.csv").open("w", newline="") as stream:
            writer = csv.writer(stream, delimiter=";")
            writer.writerow(HEADER)
            writer.writerows(self._sales())
        with gzip.open(self.root / "transactions_sample.csv.gz", "wt") as stream:
            stream.write(JOURNEY)
        with gzip.open(self.root / "products.csv.gz", "wt") as stream:
            stream.write(JOURNEY_PRODUCTS)

    def _sales(self) -> list[tuple[str, ...]]:
        with (self.root / "weekly" / "products.csv").open(newline="") as stream:
            names = {row["PROD_CODE"]: (row["PROD_NAME"], row["PROD_NAME_20"]) for row in csv.DictReader(stream)}
        sales = []
        for path in sorted((self.root / "weekly").glob("transactions_*.csv.gz")):
            with gzip.open(path, "rt", newline="") as stream:
                sales += [_sale(row, names[row["PROD_CODE"]]) for row in csv.DictReader(stream)]
        return sorted(sales)


def _sale(row: dict[str, str], names: tuple[str, str]) -> tuple[str, ...]:
    sold = datetime.strptime(row["SHOP_DATE"], "%Y%m%d") + LATER + timedelta(hours=int(row["SHOP_HOUR"]))
    member = row["CUST_CODE"].replace("CUST000", "M-") or "guest"
    where = (row["STORE_CODE"][-3:], row["BASKET_ID"][-9:])
    return (sold.isoformat(), *where, member, row["PROD_CODE"], *names, row["QUANTITY"], row["SPEND"].replace(".", ","))
