import csv
import hashlib
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nextbasket_assets.shop.calibration import catalogue_names
from nextbasket_assets.shop.landing_files import HEADER_B, read_text
from nextbasket_assets.shop.ledger import NAME
from nextbasket_assets.shop.missions import MISSIONS
from nextbasket_assets.shop.shop import ShopReport, write_shop
from nextbasket_assets.shop.truth import planted_missions
from nextbasket_tests.shop.conftest import CUSTOMERS, SEED, WEEKS, by_basket, rows_of, shop_rows

Row = dict[str, str]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_write_the_same_bytes(small_shop: tuple[Path, ShopReport], tmp_path: Path) -> None:
    """Two shops with the same arguments are byte for byte the same, another seed makes another shop."""
    write_shop(tmp_path / "again", customers=CUSTOMERS, weeks=WEEKS, seed=SEED)
    write_shop(tmp_path / "other", customers=CUSTOMERS, weeks=WEEKS, seed=SEED + 1)

    assert digests(tmp_path / "again") == digests(small_shop[0])
    assert (
        digests(tmp_path / "other")["transactions_200607.csv.gz"]
        != digests(small_shop[0])["transactions_200607.csv.gz"]
    )


def test_a_longer_shop_starts_with_the_shorter_one(small_shop: tuple[Path, ShopReport], tmp_path: Path) -> None:
    """Nothing looks ahead: the weeks of a short shop are those of a long one, only calendar and ledger differ."""
    write_shop(tmp_path, customers=CUSTOMERS, weeks=3, seed=SEED)
    short, long = digests(tmp_path), digests(small_shop[0])
    for of_all_weeks in ("time.csv", NAME):
        del short[of_all_weeks]

    assert len(short) == 8
    assert short == {name: long[name] for name in short}


@pytest.mark.parametrize("customers", [1, 10])
def test_a_tiny_shop_opens(tmp_path: Path, customers: int) -> None:
    """Ten customers, or one, and three weeks are enough for files with a header."""
    report = write_shop(tmp_path, customers=customers, weeks=3, seed=1, compress=False)

    assert report.files == ("transactions_200607.csv", "transactions_200608.csv", "transactions_200609.csv")
    assert len(shop_rows(tmp_path)) == report.lines
    assert (tmp_path / "transactions_200607.csv").read_text().startswith(HEADER_B + "\n")


def test_a_smaller_range_keeps_the_tree(tmp_path: Path) -> None:
    """With 600 products every class still has one, and the files use them."""
    report = write_shop(tmp_path, customers=50, weeks=3, seed=1, products=600)
    products = list(csv.DictReader((tmp_path / "products.csv").open()))

    assert report.products == len({row["PROD_CODE"] for row in products}) == 600
    assert len({row["PROD_CODE_10"] for row in products}) == 250
    assert {row["PROD_CODE"] for row in shop_rows(tmp_path)} <= {row["PROD_CODE"] for row in products}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"customers": 0}, "customers must be at least 1"),
        ({"weeks": 0}, "weeks must be between 1 and 999"),
        ({"strength": 1.5}, "strength must be between 0 and 1"),
        ({"products": 100}, "products must be at least 250"),
        ({"products": 32_768}, "products must be at most 32767"),
        ({"recency": -3}, "recency must be between 0 and 1"),
        ({"header": "D"}, "header must be A, B or C"),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    """An argument out of range is refused with its name and range, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        write_shop(tmp_path, **({"customers": 5, "weeks": 2, "seed": 1} | arguments))  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def test_the_report_counts_what_is_in_the_files(small_shop: tuple[Path, ShopReport], small_rows: list[Row]) -> None:
    """Lines, baskets and customers of the report are those of the files."""
    report = small_shop[1]
    baskets = by_basket(small_rows)

    assert report.lines == len(small_rows)
    assert report.baskets == len(baskets)
    assert report.anonymous_baskets == sum(rows[0]["CUST_CODE"] == '""' for rows in baskets.values())
    assert report.customers == len({row["CUST_CODE"] for row in small_rows} - {'""'})


def test_the_calendar_runs_beyond_the_last_file(small_shop: tuple[Path, ShopReport]) -> None:
    """time.csv has Monday to Sunday weeks, 25 of them after the last file, and every shop date is in its week."""
    calendar = {row["shop_week"]: row for row in csv.DictReader((small_shop[0] / "time.csv").open())}

    assert len(calendar) == WEEKS + 25
    assert calendar["200607"] == {"shop_week": "200607", "date_from": "20060410", "date_to": "20060416"}
    for row in shop_rows(small_shop[0]):
        assert calendar[row["SHOP_WEEK"]]["date_from"] <= row["SHOP_DATE"] <= calendar[row["SHOP_WEEK"]]["date_to"]


@pytest.mark.parametrize(
    ("header", "changed", "null"),
    [
        ("A", {"seg_1": "CUST_PRICE_SENSITIVITY", "seg_2": "CUST_LIFESTAGE"}, ""),
        ("B", {}, '""'),
        ("C", {"SPEND": "SFNND", "BASKET_TYPE": "BASKET_TYFN"}, '""'),
    ],
)
def test_dialects_rename_columns_and_nothing_else(
    small_shop: tuple[Path, ShopReport], tmp_path: Path, header: str, changed: dict[str, str], null: str
) -> None:
    """A has the documented names and letters, C damages two names of the first file, the values stay."""
    write_shop(tmp_path, customers=CUSTOMERS, weeks=2, seed=SEED, header=header)  # type: ignore[arg-type]
    ours, reference = (
        rows_of(tmp_path / "transactions_200607.csv.gz"),
        rows_of(small_shop[0] / "transactions_200607.csv.gz"),
    )

    assert list(ours[0]) == [changed.get(name, name) for name in HEADER_B.split(",")]
    assert {row["CUST_CODE"] for row in ours if not row["CUST_CODE"].startswith("CUST")} == {null}
    same = [name for name in HEADER_B.split(",") if name not in ("CUST_CODE", "seg_1", "seg_2")]
    assert [[row[changed.get(name, name)] for name in same] for row in ours] == [
        [row[name] for name in same] for row in reference
    ]
    if header == "A":
        letters = {row["CUST_PRICE_SENSITIVITY"] for row in ours}
        assert letters <= {"LA", "MM", "UM", "XX", ""}
    if header == "C":
        assert read_text(tmp_path / "transactions_200608.csv.gz").startswith(HEADER_B + "\n")


def test_the_truth_names_a_mission_for_every_basket(small_shop: tuple[Path, ShopReport], small_rows: list[Row]) -> None:
    """The ground truth has each basket once, and no planted mission's name is in a landing file."""
    truth = planted_missions(small_shop[0])

    assert set(truth) == {row["BASKET_ID"] for row in small_rows}
    assert set(truth.values()) == {mission.name for mission in MISSIONS}
    text = read_text(small_shop[0] / "transactions_200607.csv.gz")
    assert not any(mission.name in text for mission in MISSIONS)


def core_share(folder: Path) -> float:
    """Share of lines that are in the core departments of their basket's planted mission."""
    products = {row["PROD_CODE"]: row["PROD_NAME_20"] for row in csv.DictReader((folder / "products.csv").open())}
    cores = {mission.name: set(mission.core) for mission in MISSIONS}
    truth = planted_missions(folder)
    return float(np.mean([products[row["PROD_CODE"]] in cores[truth[row["BASKET_ID"]]] for row in shop_rows(folder)]))


def test_strength_concentrates_baskets_on_their_mission(tmp_path: Path) -> None:
    """At strength 0 a basket ignores its mission, at 0.9 most of its lines are in the mission's core."""
    shares = {}
    for strength in (0.0, 0.5, 0.9):
        write_shop(tmp_path / str(strength), customers=150, weeks=4, seed=2, strength=strength)
        shares[strength] = core_share(tmp_path / str(strength))

    assert shares[0.0] < 0.2
    assert shares[0.0] + 0.2 < shares[0.5]
    assert shares[0.9] > 0.7


def test_missions_have_four_to_eight_core_departments() -> None:
    """Eight missions, each with a core of four to eight departments that exist."""
    names = {name for group in catalogue_names()["groups"].values() for name in group["departments"]}

    assert len(MISSIONS) == 8
    assert all(4 <= len(mission.core) <= 8 and set(mission.core) <= names for mission in MISSIONS)


def test_customers_repeat_themselves(small_rows: list[Row]) -> None:
    """Customers buy again what they bought, far more than what another customer of the same activity bought."""
    weeks = sorted({row["SHOP_WEEK"] for row in small_rows})
    before, after = defaultdict(set), defaultdict(set)
    for row in small_rows:
        if row["CUST_CODE"] != '""':
            (before if row["SHOP_WEEK"] < weeks[4] else after)[row["CUST_CODE"]].add(row["PROD_CODE"])
    both = sorted((customer for customer in before if customer in after), key=lambda customer: len(before[customer]))
    own = np.mean([len(before[a] & after[a]) / len(after[a]) for a in both])
    neighbours = np.mean([len(before[b] & after[a]) / len(after[a]) for a, b in pairwise(both)])

    assert own > 3 * neighbours


def test_progress_is_reported_week_by_week(tmp_path: Path) -> None:
    """The callback hears each finished week and the number of weeks."""
    heard: list[tuple[int, int]] = []
    write_shop(tmp_path, customers=5, weeks=3, seed=1, progress=lambda done, weeks: heard.append((done, weeks)))

    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_carrier_bags_come_in_week_nineteen(tmp_path: Path) -> None:
    """No bag is sold before week 12, some are alone until week 19, and it is one of the most frequent products after that."""
    write_shop(tmp_path, customers=200, weeks=24, seed=1)
    weekly = Counter(row["SHOP_WEEK"] for row in shop_rows(tmp_path) if row["PROD_CODE"] == "PRD0903678")

    assert sum(count for week, count in weekly.items() if week < "200618") == 0
    assert sum(weekly[str(week)] for week in range(200625, 200631)) >= 40
