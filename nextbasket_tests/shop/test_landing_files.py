import csv
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from nextbasket_assets.shop.shop import ShopReport
from nextbasket_tests.shop.conftest import WEEKS, by_basket, rows_of

Row = dict[str, str]


def test_rows_are_sorted_by_store_and_product(small_shop: tuple[Path, ShopReport]) -> None:
    """A file scatters a basket's lines: its rows are in the order of store and product."""
    for path in small_shop[0].glob("transactions_*.csv.gz"):
        keys = [(row["STORE_CODE"], row["PROD_CODE"]) for row in rows_of(path)]
        assert keys == sorted(keys)


def test_basket_ids_leak_the_customer_and_not_the_time(small_rows: list[Row]) -> None:
    """Serials rise with the customer inside a week, anonymous first, and go back in date within a customer."""
    weeks = defaultdict(list)
    for basket, rows in sorted(by_basket(small_rows).items()):
        assert len(basket) == 15
        weeks[basket[:7]].append((rows[0]["CUST_CODE"].strip('"'), rows[0]["SHOP_DATE"]))

    assert sorted(weeks) == [f"9941{number:03d}" for number in range(1, WEEKS + 1)]
    backwards = 0
    for baskets in weeks.values():
        customers = [customer for customer, _ in baskets]
        assert customers == sorted(customers)
        backwards += sum(a[0] == b[0] != "" and a[1] > b[1] for a, b in pairwise(baskets))
    assert backwards > 50


def test_a_basket_is_one_customer_place_and_time(small_rows: list[Row]) -> None:
    """Everything but the line itself is the same in all lines of a basket, and no product is in it twice."""
    of_line = {"QUANTITY", "SPEND", "PROD_CODE", "PROD_CODE_10", "PROD_CODE_20", "PROD_CODE_30", "PROD_CODE_40"}
    for rows in by_basket(small_rows).values():
        assert len({tuple(value for name, value in row.items() if name not in of_line) for row in rows}) == 1
        assert len({row["PROD_CODE"] for row in rows}) == len(rows)


def test_values_are_in_their_domains(small_rows: list[Row]) -> None:
    """Quantities are positive and never 2, hours 8 to 21, spend positive, weekdays follow the date."""
    assert all(int(row["QUANTITY"]) >= 1 and row["QUANTITY"] != "2" for row in small_rows)
    assert {int(row["SHOP_HOUR"]) for row in small_rows} == set(range(8, 22))
    assert all(float(row["SPEND"]) > 0 for row in small_rows)
    assert {row["SHOP_WEEKDAY"] for row in small_rows if row["SHOP_DATE"] == "20060410"} == {"2"}
    assert {row["SHOP_WEEKDAY"] for row in small_rows if row["SHOP_DATE"] == "20060416"} == {"1"}


def test_size_and_type_follow_from_the_basket(small_rows: list[Row]) -> None:
    """Size is S up to 2 units and L from 10; type counts units and groups; XX has nothing classified."""
    for rows in by_basket(small_rows).values():
        units, groups = sum(int(row["QUANTITY"]) for row in rows), len({row["PROD_CODE_30"] for row in rows})
        assert rows[0]["BASKET_SIZE"] == ("S" if units < 3 else "M" if units < 10 else "L")
        if rows[0]["BASKET_TYPE"] == "XX":
            assert {row["PROD_CODE_20"] for row in rows} <= {"DEP00076", "DEP00077", "DEP00078", "DEP00079"}
            continue
        small = units < 10 and groups <= 3
        full = units >= 15 and groups >= 8
        assert rows[0]["BASKET_TYPE"] == ("Small Shop" if small else "Full Shop" if full else "Top Up")


def test_dominant_mission_follows_from_spend(small_rows: list[Row]) -> None:
    """The class that leads by spend names the mission from its threshold on; otherwise the basket is Mixed."""
    classes = {"Fresh": "12", "Grocery": "389", "Nonfood": "4567"}
    bounds = {"Fresh": 0.63, "Grocery": 0.63, "Nonfood": 0.70}
    for rows in by_basket(small_rows).values():
        if rows[0]["BASKET_DOMINANT_MISSION"] == "XX":
            continue
        spend = {
            name: sum(round(100 * float(row["SPEND"])) for row in rows if row["PROD_CODE_40"][-1] in digits)
            for name, digits in classes.items()
        }
        leader = max(spend, key=lambda name: spend[name])
        dominant = spend[leader] / sum(spend.values()) >= bounds[leader]
        assert rows[0]["BASKET_DOMINANT_MISSION"] == (leader if dominant else "Mixed")


def test_the_hierarchy_is_a_strict_tree(small_shop: tuple[Path, ShopReport], small_rows: list[Row]) -> None:
    """Every code has one parent, levels have 9, 31, 90 and 250 codes, and files and products.csv agree."""
    products = {row["PROD_CODE"]: row for row in csv.DictReader((small_shop[0] / "products.csv").open())}
    levels = ["PROD_CODE", "PROD_CODE_10", "PROD_CODE_20", "PROD_CODE_30", "PROD_CODE_40"]

    assert [len({row[level] for row in products.values()}) for level in levels] == [4997, 250, 90, 31, 9]
    for child, parent in pairwise(levels):
        assert len({(row[child], row[parent]) for row in products.values()}) == len(
            {row[child] for row in products.values()}
        )
    assert all(row[level] == products[row["PROD_CODE"]][level] for row in small_rows for level in levels)


def test_names_are_readable_and_unique(small_shop: tuple[Path, ShopReport]) -> None:
    """Every product has its own name, which contains the name of its class; the bag is called a bag."""
    products = list(csv.DictReader((small_shop[0] / "products.csv").open()))

    assert len({row["PROD_NAME"] for row in products}) == len(products)
    assert all(row["PROD_NAME_10"] in row["PROD_NAME"] for row in products)
    assert [row["PROD_NAME"] for row in products if row["PROD_CODE"] == "PRD0903678"] == ["carrier bag"]
