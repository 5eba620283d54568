"""Landing a second retailer: every row becomes a line of its week, or is refused with a reason."""

import csv
import gzip
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.catalogue import read_catalogue
from nextbasket_assets.intake.land import LandReport, land, land_as_is
from nextbasket_assets.intake.mapping import read_mapping
from nextbasket_assets.landing import FIELDS, LandingError, inspect, week_code
from nextbasket_assets.retail_calendar import read_calendar
from nextbasket_tests.intake.grocer import MAPPING, SALES, landed, write_grocer
from nextbasket_tests.platforms import FIRST, header, line

SUNDAY, MONDAY = "202404", "202405"  # the weeks of 2024-03-03 and 2024-03-04
NAMES = (f"transactions_{SUNDAY}.csv.gz", f"transactions_{MONDAY}.csv.gz", "products.csv", "time.csv")


def landed_grocer(folder: Path, sales: str = SALES, mapping: str = MAPPING, replace: bool = False) -> LandReport:
    source, mapping_file = write_grocer(folder / "export", sales, mapping)
    return land([source], read_mapping(mapping_file), folder / "landing", replace=replace, progress=lambda _: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_line_has_the_22_fields_of_its_row(tmp_path: Path) -> None:
    """Times, ids, numbers, labels and categories are the row's own; what the retailer has not is empty."""
    landed_grocer(tmp_path)

    first, second = landed(tmp_path / "landing", MONDAY)
    assert tuple(first) == tuple(FIELDS)
    assert {name: value for name, value in first.items() if value} == {
        **{"SHOP_WEEK": MONDAY, "SHOP_DATE": "20240304", "SHOP_WEEKDAY": "2", "SHOP_HOUR": "00"},
        **{"QUANTITY": "2", "SPEND": "0.40", "PROD_CODE": "4002", "PROD_CODE_20": "Bread"},
        **{"CUST_CODE": "ann", "BASKET_ID": "1~8", "STORE_CODE": "CORNER", "STORE_FORMAT": "SS"},
    }
    assert (second["CUST_CODE"], second["QUANTITY"], second["SPEND"]) == ("", "1", "1.00")
    assert (second["BASKET_ID"], second["PROD_CODE_20"]) == ("2~8", "Milk%20&%20co")


def test_weeks_begin_on_monday(tmp_path: Path) -> None:
    """A second before midnight on Sunday and midnight itself are lines of two weeks, which time.csv explains."""
    landed_grocer(tmp_path)

    assert [row["SHOP_DATE"] for row in landed(tmp_path / "landing", SUNDAY)] == ["20240303"]
    assert landed(tmp_path / "landing", SUNDAY)[0]["SHOP_WEEKDAY"] == "1"
    weeks = read_calendar(BytesIO((tmp_path / "landing" / "time.csv").read_bytes()))
    assert [week_code(week) for week in sorted(weeks)] == [SUNDAY, MONDAY]


def test_rows_in_are_lines_landed_and_rows_refused(tmp_path: Path) -> None:
    """Nothing is dropped in silence: the counts add up, and every refused row is in a file with its line and its reason."""
    report = landed_grocer(tmp_path)

    count = report.sources["sales.csv"]
    assert (count.rows, count.landed, count.refused) == (8, 3, 5)
    assert report.quantities_rounded == 1
    with (tmp_path / "landing" / "land-report" / "refused_lines.csv").open(newline="") as stream:
        refused = [(int(row["line"]), row["reason"]) for row in csv.DictReader(stream)]
    assert refused == [
        (5, "PROD_CODE is empty"),
        (6, "the row has 5 columns, the header 9"),
        (7, "sold_at is no ISO 8601 time"),
        (8, "QUANTITY is no number"),
        (9, "STORE_FORMAT is none of SS, MS, LS, XLS: give it one under codes in the mapping"),
    ]
    assert sum(report.reasons.values()) == 5


def test_what_was_landed_is_a_sound_landing_file(tmp_path: Path) -> None:
    """The platform's own inspection takes every weekly file, and its catalogue knows the names; the first of a code counts."""
    landed_grocer(tmp_path)

    for name in NAMES[:2]:
        inspect(BytesIO((tmp_path / "landing" / name).read_bytes()), name)
    catalogue = read_catalogue(BytesIO((tmp_path / "landing" / "products.csv").read_bytes()))
    assert (catalogue.name("4001"), catalogue.name("4002")) == ("Oat milk 1 l", "Rye bread")
    assert catalogue.groups["Milk%20&%20co"] == "Milk & co"


def test_landing_again_changes_nothing(tmp_path: Path) -> None:
    """The same source gives the same bytes, and files that are there already are not touched."""
    landed_grocer(tmp_path)
    before = contents(tmp_path / "landing")
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "landing").iterdir()}
    report = landed_grocer(tmp_path)

    assert contents(tmp_path / "landing") == before
    assert {file.status for file in report.files} == {"unchanged"}
    assert {file.name for file in report.files} == set(NAMES)
    assert times.items() >= {(name, (tmp_path / "landing" / name).stat().st_mtime_ns) for name in NAMES}


def test_a_week_does_not_lose_lines_unasked(tmp_path: Path) -> None:
    """An export that ends in the middle of a week that was landed whole is refused, and nothing of it is delivered."""
    landed_grocer(tmp_path)
    before = contents(tmp_path / "landing")
    shorter = "\n".join([*SALES.splitlines()[:3], ""])

    with pytest.raises(LandingError, match="the week has 2 lines and would have 1"):
        landed_grocer(tmp_path, shorter)
    assert contents(tmp_path / "landing") == before
    assert [file.status for file in landed_grocer(tmp_path, shorter, replace=True).files if file.lines] == [
        "unchanged",
        "replaced",
    ]


def test_parquet_and_compressed_files_give_the_same_lines(tmp_path: Path) -> None:
    """How the export is stored does not matter: numbers that pandas made floats of are the same ids."""
    sales = "\n".join([*SALES.splitlines()[:3], ""])
    landed_grocer(tmp_path / "csv", sales)
    wanted = [landed(tmp_path / "csv" / "landing", week) for week in (SUNDAY, MONDAY)]
    table = pa.csv.read_csv(BytesIO(sales.encode()))
    index = table.schema.get_field_index("receipt")
    table = table.set_column(index, "receipt", table["receipt"].cast(pa.float64()))
    for kind in ("parquet", "csv.gz"):
        source, mapping = write_grocer(tmp_path / kind / "export", sales)
        source = source.rename(source.with_name(f"sales.{kind}"))
        if kind == "parquet":
            pq.write_table(table, source)
        else:
            source.write_bytes(gzip.compress(sales.encode()))
        land([source], read_mapping(mapping), tmp_path / kind / "landing", progress=lambda _: None)

        assert [landed(tmp_path / kind / "landing", week) for week in (SUNDAY, MONDAY)] == wanted


def test_names_may_be_in_the_lines(tmp_path: Path) -> None:
    """Without a products file names and categories come from the lines; those of earlier exports are kept."""
    mapping = MAPPING.replace("  file: articles.csv\n", "").replace("[title, size]", "title").replace("shelf", "till")
    rows = SALES.splitlines()
    landed_grocer(tmp_path, "\n".join([*rows[:2], ""]), mapping)
    landed_grocer(tmp_path, "\n".join([rows[0], rows[2].replace("ignored", "Rye bread"), ""]), mapping)

    catalogue = read_catalogue(BytesIO((tmp_path / "landing" / "products.csv").read_bytes()))
    assert catalogue.names == {"4001": "ignored", "4002": "Rye bread"}
    assert landed(tmp_path / "landing", MONDAY)[0]["PROD_CODE_20"] == "1"


def test_a_basket_without_an_id_is_a_customers_visit(tmp_path: Path) -> None:
    """Lines of one customer, day, hour and store are one basket; a line of nobody belongs to none and is refused."""
    report = landed_grocer(tmp_path, mapping=MAPPING.replace("  BASKET_ID: [till, receipt]\n", ""))

    assert [row["BASKET_ID"] for row in landed(tmp_path / "landing", MONDAY)] == ["ann~20240304~00~CORNER"]
    assert report.reasons["BASKET_ID is empty"] == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sold_at", "sold", "no column 'sold'; the nearest one is 'sold_at'"),
        ("articles.csv", "gone.csv", "gone.csv: no such products file"),
        (
            "timestamp: sold_at",
            "date: title",
            "no row could be landed: most often 'title is no ISO 8601 time', 7 times",
        ),
    ],
)
def test_a_wrong_mapping_is_told_and_lands_nothing(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A mapping that does not fit the file leaves the landing folder empty and says what is wrong."""
    with pytest.raises(LandingError, match=message):
        landed_grocer(tmp_path, mapping=MAPPING.replace(old, new))
    assert not (tmp_path / "landing").exists() or not list((tmp_path / "landing").iterdir())


def test_a_cut_file_lands_nothing(tmp_path: Path) -> None:
    """A compressed export that ends early is refused as a whole: nobody knows what is missing."""
    source, mapping = write_grocer(tmp_path / "export")
    cut = source.with_name("sales.csv.gz")
    cut.write_bytes(gzip.compress(SALES.encode())[:-20])

    with pytest.raises(LandingError, match="the compressed file is cut or damaged"):
        land([cut], read_mapping(mapping), tmp_path / "landing", progress=lambda _: None)
    assert not list((tmp_path / "landing").iterdir())


def test_landing_files_are_delivered_as_they_are(tmp_path: Path) -> None:
    """Without a mapping sound weekly files are copied byte for byte; one that is not stops them all."""
    source, out = tmp_path / "export", tmp_path / "landing"
    source.mkdir()
    name = f"transactions_{week_code(FIRST)}.csv"
    (source / name).write_text(f"{header()}\n{line(FIRST, 1, 0, 'PRD1')}\n")
    (source / "notes.txt").write_text("not for the platform")
    report = land_as_is([source], out, progress=lambda _: None)

    assert contents(out) == {name: (source / name).read_bytes()}
    assert report.sources[name].landed == 1
    (source / f"transactions_{MONDAY}.csv").write_text(header())
    with pytest.raises(LandingError, match="last line has no newline"):
        land_as_is([source], out, progress=lambda _: None)
    with pytest.raises(LandingError, match=r"notes\.txt: not a landing file"):
        land_as_is([source / "notes.txt"], out, progress=lambda _: None)
    assert set(contents(out)) == {name}
