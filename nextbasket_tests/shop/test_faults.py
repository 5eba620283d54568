from collections import defaultdict
from pathlib import Path

import pytest

from nextbasket_assets.shop.faults import Faults
from nextbasket_assets.shop.landing_files import HEADER_B, read_text
from nextbasket_assets.shop.shop import ShopReport, write_shop
from nextbasket_tests.shop.conftest import CUSTOMERS, SEED, WEEKS

Rows = dict[str, list[str]]
FIELD = {name: number for number, name in enumerate(HEADER_B.split(","))}


def faulty(folder: Path, faults: Faults, header: str = "B") -> tuple[ShopReport, Rows]:
    report = write_shop(folder, customers=CUSTOMERS, weeks=WEEKS, seed=SEED, faults=faults, header=header)  # type: ignore[arg-type]
    return report, rows_below_header(folder)


def rows_below_header(folder: Path) -> Rows:
    return {path.name: read_text(path).splitlines()[1:] for path in sorted(folder.glob("transactions_*"))}


def value(row: str, name: str) -> str:
    return row.split(",")[FIELD[name]]


def changed(clean: Rows, damaged: Rows) -> list[tuple[str, str]]:
    assert {name: len(rows) for name, rows in clean.items()} == {name: len(rows) for name, rows in damaged.items()}
    pairs = [pair for name in clean for pair in zip(clean[name], damaged[name], strict=True)]
    return [(before, after) for before, after in pairs if before != after]


@pytest.fixture(scope="module")
def clean(small_shop: tuple[Path, ShopReport]) -> Rows:
    return rows_below_header(small_shop[0])


def test_no_fault_changes_nothing(tmp_path: Path, clean: Rows) -> None:
    """Faults that are all off leave the clean shop."""
    assert faulty(tmp_path, Faults(seed=5))[1] == clean


def test_damaged_ids_hit_every_row_of_one_week(tmp_path: Path, clean: Rows) -> None:
    """A spreadsheet turned every basket id of week 2 into 9.94E+14 and nothing else."""
    pairs = changed(clean, faulty(tmp_path, Faults(damaged_ids=2))[1])

    assert len(pairs) == len(clean["transactions_200608.csv.gz"])
    assert all(after == before.replace(value(before, "BASKET_ID"), "9.94E+14") for before, after in pairs)


@pytest.mark.parametrize(("header", "before", "after"), [("B", '"","",""', ",,"), ("A", ",,", '"","",""')])
def test_swapped_nulls_write_the_other_null(tmp_path: Path, header: str, before: str, after: str) -> None:
    """One week writes its nulls empty instead of quoted, or quoted instead of empty."""
    plain = faulty(tmp_path / "plain", Faults(), header)[1]
    pairs = changed(plain, faulty(tmp_path / "swapped", Faults(swapped_nulls=1), header)[1])

    anonymous = [(old, new) for old, new in pairs if "CUST0" not in old]
    assert len(anonymous) == sum("CUST0" not in row for row in plain["transactions_200607.csv.gz"]) > 0
    assert all(f",{before},9941" in old and f",{after},9941" in new for old, new in anonymous)


def test_duplicate_rows_are_repeated_in_their_file(tmp_path: Path, clean: Rows) -> None:
    """Fifteen rows come twice, next to each other, in the file they belong to."""
    damaged = faulty(tmp_path, Faults(duplicate_rows=15))[1]
    extra = {name: len(damaged[name]) - len(set(damaged[name])) for name in damaged}

    assert sum(extra.values()) == 15
    assert {name: sorted(set(rows)) for name, rows in damaged.items()} == {
        name: sorted(rows) for name, rows in clean.items()
    }


def test_late_rows_are_in_the_next_weeks_file(tmp_path: Path, clean: Rows) -> None:
    """Three rows are missing from their own file and stand in the next one, with their own week."""
    damaged = faulty(tmp_path, Faults(late_rows=3))[1]
    late = [(name, row) for name, rows in damaged.items() for row in rows if value(row, "SHOP_WEEK") not in name]

    assert len(late) == 3
    assert all(int(name[13:19]) == int(value(row, "SHOP_WEEK")) + 1 for name, row in late)
    assert sorted(row for rows in damaged.values() for row in rows) == sorted(
        row for rows in clean.values() for row in rows
    )


def test_single_row_faults_hit_as_many_rows_as_asked(tmp_path: Path, clean: Rows) -> None:
    """Six rows cost nothing, one has quantity 1,685, two are of a class that is not in the tree."""
    faults = Faults(zero_spend_rows=6, huge_quantity=True, unknown_category=2)
    pairs = changed(clean, faulty(tmp_path, faults)[1])

    assert len(pairs) == 9
    assert sum(value(after, "SPEND") == "0.0" for _, after in pairs) == 6
    assert sum((value(after, "QUANTITY"), value(after, "SPEND")) == ("1685", "2594.9") for _, after in pairs) == 1
    assert sum(value(after, "PROD_CODE_10") == "CL99999" for _, after in pairs) == 2


def test_late_hour_moves_one_whole_basket(tmp_path: Path, clean: Rows) -> None:
    """All lines of one basket are at hour 22."""
    pairs = changed(clean, faulty(tmp_path, Faults(late_hour=True))[1])
    basket = value(pairs[0][0], "BASKET_ID")

    assert {value(after, "SHOP_HOUR") for _, after in pairs} == {"22"}
    assert len(pairs) == sum(basket in row for rows in clean.values() for row in rows)


def test_late_hour_moves_one_basket_of_a_week_without_ids(tmp_path: Path) -> None:
    """Where a spreadsheet made all ids of the week equal, it is still one customer's trip that is late."""
    faults = Faults(damaged_ids=1)
    plain = write_shop(tmp_path / "plain", customers=60, weeks=1, seed=SEED, faults=faults)
    late = Faults(damaged_ids=1, late_hour=True)
    write_shop(tmp_path / "late", customers=60, weeks=1, seed=SEED, faults=late)
    pairs = changed(rows_below_header(tmp_path / "plain"), rows_below_header(tmp_path / "late"))

    assert 1 <= len(pairs) <= 40 < plain.lines
    assert len({(value(row, "CUST_CODE"), value(row, "SHOP_DATE"), value(row, "SHOP_HOUR")) for row, _ in pairs}) == 1


def test_missing_weeks_have_no_file(tmp_path: Path, clean: Rows) -> None:
    """Weeks 2 and 4 never arrive; the other files are the clean ones."""
    report, damaged = faulty(tmp_path, Faults(missing_weeks=(2, 4)))

    assert set(clean) - set(damaged) == {"transactions_200608.csv.gz", "transactions_200610.csv.gz"}
    assert report.files == tuple(damaged)
    assert damaged == {name: clean[name] for name in damaged}


def test_a_truncated_week_ends_inside_its_last_field(tmp_path: Path, clean: Rows) -> None:
    """The file of week 3 loses its last character and its line end."""
    faulty(tmp_path, Faults(truncated_week=3))
    text = read_text(tmp_path / "transactions_200609.csv.gz")

    assert text == "\n".join([HEADER_B, *clean["transactions_200609.csv.gz"]])[:-1]


def test_the_lock_file_does_not_look_like_a_week(tmp_path: Path, clean: Rows) -> None:
    """A spreadsheet's lock file lies beside the clean files."""
    damaged = faulty(tmp_path, Faults(lock_file=True))[1]

    assert (tmp_path / ".~lock.transactions_200607.csv#").is_file()
    assert damaged == clean


def basket_contents(rows: list[str]) -> dict[str, tuple[object, ...]]:
    lines = defaultdict(list)
    for row in rows:
        if value(row, "CUST_CODE") != '""':
            lines[value(row, "BASKET_ID")].append(row)
    kept = ("SHOP_HOUR", "QUANTITY", "SPEND", "PROD_CODE", "CUST_CODE", "BASKET_TYPE", "STORE_CODE")
    return {
        basket: tuple(sorted(tuple(value(row, name) for name in kept) for row in own)) for basket, own in lines.items()
    }


def test_the_replayed_tail_copies_earlier_baskets(tmp_path: Path, clean: Rows) -> None:
    """Every identified basket of the last 2 weeks copies one of weeks 1 to 4, under a new id and on a day of its week."""
    damaged = faulty(tmp_path, Faults(replay_tail=2))[1]
    names = list(clean)
    sources = [content for name in names[:4] for content in basket_contents(clean[name]).values()]
    replays = {name: basket_contents(damaged[name]) for name in names[6:]}
    copied = [content for contents in replays.values() for content in contents.values()]

    assert {name: damaged[name] for name in names[:6]} == {name: clean[name] for name in names[:6]}
    assert len(copied) == len(set(copied))
    assert 0.4 < len(copied) / len(sources) < 0.6  # two weeks, of a history of four
    assert set(copied) <= set(sources)
    for name in names[6:]:
        assert all(value(row, "SHOP_WEEK") in name for row in damaged[name])
        keys = [(value(row, "STORE_CODE"), value(row, "PROD_CODE")) for row in damaged[name]]
        assert keys == sorted(keys)
        anonymous = {value(row, "BASKET_ID") for row in damaged[name] if value(row, "CUST_CODE") == '""'}
        assert max(anonymous) < min(replays[name])
        assert {value(row, "SHOP_WEEKDAY") for row in damaged[name] if value(row, "BASKET_ID") in replays[name]} == set(
            "1234567"
        )


def test_faults_are_drawn_from_their_seed(tmp_path: Path) -> None:
    """The same seed hits the same rows, another seed hits others."""
    shops = [faulty(tmp_path / str(n), Faults(seed=seed, zero_spend_rows=6))[1] for n, seed in enumerate((1, 1, 2))]

    assert shops[0] == shops[1] != shops[2]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (Faults(truncated_week=WEEKS + 1), "a fault names week 9"),
        (Faults(replay_tail=WEEKS), "replay_tail=8 needs at least 11 weeks"),
        (Faults(missing_weeks=(0,)), "a fault names week 0"),
        (Faults(missing_weeks=(8, 8)), r"missing_weeks=\(8, 8\) names a week twice"),
        (Faults(zero_spend_rows=-5), "zero_spend_rows must be at least 0, got -5"),
    ],
)
def test_impossible_faults_are_refused_before_anything_is_written(tmp_path: Path, faults: Faults, message: str) -> None:
    """A fault that no shop of these weeks can have is refused with what it needs."""
    with pytest.raises(ValueError, match=message):
        faulty(tmp_path, faults)

    assert list(tmp_path.iterdir()) == []


def test_more_faults_than_rows_are_refused(tmp_path: Path) -> None:
    """Whether a shop has the rows shows when it is written."""
    with pytest.raises(ValueError, match="the faults ask for 10000000 rows"):
        faulty(tmp_path, Faults(zero_spend_rows=10**7))
