"""Landing a second retailer: every row becomes a line of its week, or is refused with a reason."""

import csv
import gzip
import re
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.catalogue import read_catalogue
from nextbasket_assets.intake import text as text_files
from nextbasket_assets.intake.account import LandReport, SourceCount
from nextbasket_assets.intake.land import land, land_as_is
from nextbasket_assets.intake.mapping import When, read_mapping
from nextbasket_assets.landing import FIELDS, LandingError, inspect, week_code
from nextbasket_assets.retail_calendar import read_calendar
from nextbasket_tests.intake.grocer import MAPPING, SALES, landed, write_grocer
from nextbasket_tests.platforms import FIRST, header, line

SUNDAY, MONDAY = "202404", "202405"  # the weeks of 2024-03-03 and 2024-03-04
NAME = f"transactions_{week_code(FIRST)}.csv"
NAMES = (f"transactions_{SUNDAY}.csv.gz", f"transactions_{MONDAY}.csv.gz", "products.csv", "time.csv")


def landed_grocer(folder: Path, sales: str = SALES, mapping: str = MAPPING, replace: bool = False) -> LandReport:
    source, mapping_file = write_grocer(folder / "export", sales, mapping)
    how: dict[str, Any] = {"replace": replace, "most_refused": 1.0, "progress": lambda _: None}
    return land([source], read_mapping(mapping_file), folder / "landing", **how)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".land-lock")
    return {path.name: path.read_bytes() for path in files}


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
    assert f"{SUNDAY},20240226,20240303" in (tmp_path / "landing" / "time.csv").read_text().splitlines()


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


def test_a_refused_row_is_kept_in_its_own_letters(tmp_path: Path) -> None:
    """Whoever looks for a customer in refused_lines.csv finds them as the retailer writes them."""
    rows = SALES.splitlines()
    landed_grocer(tmp_path, "\n".join([*rows[:2], rows[4].replace("bo", "Zoë"), ""]))

    refused = (tmp_path / "landing" / "land-report" / "refused_lines.csv").read_text(encoding="utf-8")
    assert '""loyalty_card"": ""Zoë""' in refused


def test_progress_adds_up_to_the_bytes_of_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block after block: a bar of this length is full at the end, and not before."""
    monkeypatch.setattr(text_files, "_BLOCK_BYTES", 64)
    source, mapping = write_grocer(tmp_path / "export", "\n".join([*SALES.splitlines()[:3], ""]))
    told: list[int] = []
    land([source], read_mapping(mapping), tmp_path / "landing", progress=told.append)

    assert sum(told) == source.stat().st_size
    assert len(told) > 2


def test_what_was_landed_is_a_sound_landing_file(tmp_path: Path) -> None:
    """The platform's own inspection takes every weekly file, and its catalogue knows the names; the first of a code counts."""
    landed_grocer(tmp_path)

    for name in NAMES[:2]:
        inspect(BytesIO((tmp_path / "landing" / name).read_bytes()), name)
    catalogue = read_catalogue(BytesIO((tmp_path / "landing" / "products.csv").read_bytes()))
    assert (catalogue.name("4001"), catalogue.name("4002")) == ("Oat milk 1 l", "Rye bread")
    assert catalogue.groups["Milk%20&%20co"] == "Milk & co"


def test_landing_again_changes_nothing(tmp_path: Path) -> None:
    """The same source gives the same bytes, with no time in them, and files that are there already are not touched."""
    landed_grocer(tmp_path)
    before = contents(tmp_path / "landing")
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "landing").iterdir()}
    report = landed_grocer(tmp_path)

    assert contents(tmp_path / "landing") == before
    assert {file.status for file in report.files} == {"unchanged"}
    assert {file.name for file in report.files} == set(NAMES)
    assert {before[name][4:8] for name in NAMES[:2]} == {bytes(4)}
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
    """A mapping that does not fit the file delivers nothing and says what is wrong."""
    with pytest.raises(LandingError, match=message):
        landed_grocer(tmp_path, mapping=MAPPING.replace(old, new))
    assert set(contents(tmp_path / "landing")) <= {"refused_lines.csv", "report.json"}


def test_a_cut_file_lands_nothing(tmp_path: Path) -> None:
    """A compressed export that ends early is refused as a whole: nobody knows what is missing."""
    source, mapping = write_grocer(tmp_path / "export")
    cut = source.with_name("sales.csv.gz")
    cut.write_bytes(gzip.compress(SALES.encode())[:-20])

    with pytest.raises(LandingError, match="the compressed file is cut or damaged"):
        land([cut], read_mapping(mapping), tmp_path / "landing", progress=lambda _: None)
    assert contents(tmp_path / "landing") == {}


def test_landing_files_are_delivered_as_they_are(tmp_path: Path) -> None:
    """Without a mapping sound weekly files are copied byte for byte; one that is not stops them all."""
    source, out = tmp_path / "export", tmp_path / "landing"
    source.mkdir()
    name = f"transactions_{week_code(FIRST)}.csv"
    (source / name).write_text(f"{header()}\n{line(FIRST, 1, 0, 'PRD1')}\n")
    (source / "notes.txt").write_text("not for the platform")
    report = land_as_is([source], out, progress=lambda _: None)

    assert contents(out) == {name: (source / name).read_bytes()}
    assert report.sources[name] == SourceCount(rows=1, landed=1)
    (source / f"transactions_{MONDAY}.csv").write_text(header())
    with pytest.raises(LandingError, match="last line has no newline"):
        land_as_is([source], out, progress=lambda _: None)
    with pytest.raises(LandingError, match=r"notes\.txt: not a landing file"):
        land_as_is([source / "notes.txt"], out, progress=lambda _: None)
    assert set(contents(out)) == {name}


def weekly(folder: Path, name: str, *items: str) -> Path:
    """A landing file of the first week with a line for each item."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join([header(), *(line(FIRST, 1, 0, item) for item in items), ""]).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return folder / name


def test_two_landing_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Without a mapping, too, no file takes the place of its namesake; nothing is delivered."""
    sources = [weekly(tmp_path / place, NAME, "PRD1", place) for place in ("a", "b")]

    with pytest.raises(LandingError, match=f"two of the sources have one name, {NAME}"):
        land_as_is(sources, tmp_path / "landing", progress=lambda _: None)
    assert not (tmp_path / "landing").exists()


def test_two_landing_files_of_one_week_that_differ_are_refused(tmp_path: Path) -> None:
    """When a plain and a compressed file of one week hold different texts, none of them is delivered."""
    weekly(tmp_path / "a", NAME, "PRD1")
    weekly(tmp_path / "a", f"{NAME}.gz", "PRD1", "PRD2")

    with pytest.raises(LandingError, match=rf"{NAME}\.gz: {NAME} is another file for week"):
        land_as_is([tmp_path / "a"], tmp_path / "landing", progress=lambda _: None)
    assert contents(tmp_path / "landing") == {}


@pytest.mark.parametrize("there", [NAME, f"{NAME}.gz"])
def test_a_week_that_is_delivered_twice_is_one(tmp_path: Path, there: str) -> None:
    """Of a plain and a compressed file with one text, one is delivered, under the name that is there; the rest is repeated."""
    out = tmp_path / "landing"
    weekly(out, there, "PRD1")
    for name in (NAME, f"{NAME}.gz"):
        weekly(tmp_path / "a", name, "PRD1", "PRD2")
    report = land_as_is([tmp_path / "a"], out, progress=lambda _: None)

    assert [(file.name, file.status, file.lines) for file in report.files] == [(there, "replaced", 2)]
    assert contents(out) == {there: (tmp_path / "a" / there).read_bytes()}
    assert report.sources == {
        NAME: SourceCount(rows=2, landed=2),
        f"{NAME}.gz": SourceCount(rows=2, repeated=2),
    }


@pytest.mark.parametrize("broken", [b"", header().encode(), header().encode() + b"\n", b"\0"])
def test_a_broken_landing_file_can_be_replaced(tmp_path: Path, broken: bytes) -> None:
    """A sound file takes the place of one that the platform would refuse, without being told to."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / NAME).write_bytes(broken)
    source = weekly(tmp_path / "a", NAME, "PRD1")
    report = land_as_is([source], tmp_path / "landing", progress=lambda _: None)

    assert [file.status for file in report.files] == ["replaced"]
    assert contents(tmp_path / "landing") == {NAME: source.read_bytes()}


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    """Nothing is delivered when one of the files has no place."""
    (tmp_path / "landing" / "products.csv").mkdir(parents=True)
    source = weekly(tmp_path / "a", NAME, "PRD1")
    (tmp_path / "a" / "products.csv").write_text("PROD_CODE,PROD_NAME\n")

    with pytest.raises(LandingError, match=r"products\.csv: the landing folder has a folder of that name"):
        land_as_is([source.parent], tmp_path / "landing", progress=lambda _: None)
    assert contents(tmp_path / "landing") == {}


def test_what_lies_beside_the_weeks_is_delivered_by_name(tmp_path: Path) -> None:
    """The settings of the exports, too, from their folder and by themselves."""
    source = weekly(tmp_path / "a", NAME, "PRD1")
    (tmp_path / "a" / "export.yaml").write_text("k: 3\n")
    land_as_is([source.parent], tmp_path / "landing", progress=lambda _: None)
    report = land_as_is([tmp_path / "a" / "export.yaml"], tmp_path / "landing", progress=lambda _: None)

    assert set(contents(tmp_path / "landing")) == {NAME, "export.yaml"}
    assert [(file.name, file.status) for file in report.files] == [("export.yaml", "unchanged")]


def test_an_earlier_products_file_keeps_its_items_and_columns(tmp_path: Path) -> None:
    """With a byte order mark, and categories that the mapping has not: what it says of an item stays, and landing repeats."""
    mapping = MAPPING.replace("    PROD_CODE_20: shelf\n", "")
    (tmp_path / "landing").mkdir()
    earlier = "\ufeffPROD_CODE,PROD_NAME,PROD_CODE_20,PROD_NAME_20\n4001,old,M,Milk\n9,Soap,H,Home\n"
    (tmp_path / "landing" / "products.csv").write_text(earlier, encoding="utf-8")
    landed_grocer(tmp_path, mapping=mapping)
    after = (tmp_path / "landing" / "products.csv").read_text()

    assert after == (
        "PROD_CODE,PROD_NAME,PROD_CODE_20,PROD_NAME_20\n4001,Oat milk 1 l,M,Milk\n4002,Rye bread,,\n9,Soap,H,Home\n"
    )
    landed_grocer(tmp_path, mapping=mapping)
    assert (tmp_path / "landing" / "products.csv").read_text() == after


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sku;name\n1;x\n", r"products\.csv: no column PROD_CODE or PROD_NAME"),
        ("PROD_CODE,PROD_NAME\n1,Käse\n".encode("latin-1"), r"products\.csv: no CSV file in UTF-8"),
    ],
)
def test_a_products_file_of_another_kind_is_not_written_over(tmp_path: Path, content: bytes, message: str) -> None:
    """What is there and cannot be read stays, and nothing is delivered."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "products.csv").write_bytes(content)

    with pytest.raises(LandingError, match=message):
        landed_grocer(tmp_path)
    assert contents(tmp_path / "landing") == {"products.csv": content}


def test_a_number_that_is_none_is_empty(tmp_path: Path) -> None:
    """NaN, which pandas writes for a gap, is no customer's code; the other codes are whole."""
    source, mapping = write_grocer(tmp_path / "export")
    table = pa.csv.read_csv(BytesIO("\n".join([*SALES.splitlines()[:4], ""]).encode()))
    index = table.schema.get_field_index("loyalty_card")
    table = table.set_column(index, "loyalty_card", pa.array([17.0, float("nan"), None]))
    pq.write_table(table, source.with_name("sales.parquet"))
    land([source.with_name("sales.parquet")], read_mapping(mapping), tmp_path / "landing", progress=lambda _: None)

    rows = [row for week in (SUNDAY, MONDAY) for row in landed(tmp_path / "landing", week)]
    assert [row["CUST_CODE"] for row in rows] == ["17", "", ""]


def test_a_date_that_stands_for_none_is_refused(tmp_path: Path) -> None:
    """Rows of the end or the beginning of time, which exports write for none, are refused, and the rest is landed."""
    source, mapping = write_grocer(tmp_path / "export")
    rows = SALES.splitlines()[:3]
    late = [rows[1].replace("2024-03-03", day) for day in ("9999-12-31", "2999-12-31", "2024-03-06", "1900-01-01")]
    source.write_text("\n".join([*rows, *late, ""]))
    out, latest = tmp_path / "landing", date(2024, 3, 5)
    report = land([source], read_mapping(mapping), out, latest=latest, most_refused=1.0, progress=lambda _: None)

    assert report.sources["sales.csv"].landed == 2
    assert dict(report.reasons) == {"sold_at is in the future": 3, "sold_at is before the year 1990": 1}


def test_an_items_first_row_is_completed_by_later_ones(tmp_path: Path) -> None:
    """An empty name or category is taken of a later row; what the first row has stays, and a name goes with its code."""
    source, mapping = write_grocer(tmp_path / "export")
    articles = "ean,title,size,shelf\n4001,,,\n4002,Rye,,\n4001,Oat milk,,Milk\n4002,Other,,Bread\n4003,,,\n"
    source.with_name("articles.csv").write_text(articles)
    land([source], read_mapping(mapping), tmp_path / "landing", most_refused=1.0, progress=lambda _: None)

    assert (tmp_path / "landing" / "products.csv").read_text().splitlines()[1:] == [
        "4001,Oat milk,Milk,Milk",
        "4002,Rye,Bread,Bread",
        "4003,4003,,",
    ]
    assert [row["PROD_CODE_20"] for row in landed(tmp_path / "landing", SUNDAY)] == ["Milk"]
    source.with_name("articles.csv").write_text("ean,title,size,shelf\n4001,,,\n")
    land([source], read_mapping(mapping), tmp_path / "landing", replace=True, most_refused=1.0, progress=lambda _: None)
    assert "4001,Oat milk,Milk,Milk" in (tmp_path / "landing" / "products.csv").read_text()


def test_a_file_in_another_encoding_than_the_mappings_is_told(tmp_path: Path) -> None:
    """Bytes that the encoding has not are an error of the file, wherever in it they are."""
    with pytest.raises(LandingError, match=r"sales\.csv: cannot be read"):
        landed_grocer(tmp_path, SALES.replace("ignored", "käse"), "csv: {encoding: ascii}\n" + MAPPING)


def test_a_mapping_that_refuses_many_rows_lands_none(tmp_path: Path) -> None:
    """Days and months exchanged: the rows that fit are in wrong months, so nothing is delivered; the account is kept."""
    source, mapping = write_grocer(tmp_path / "export", "\n".join([*SALES.splitlines()[:4], ""]))
    source.write_text(source.read_text().replace("2024-03-03T23:59:59", "03/13/2024"))
    source.write_text(re.sub("2024-03-04T.{8}", "03/04/2024", source.read_text()))
    how = read_mapping(mapping).model_copy(update={"when": When(timestamp=["sold_at"], format="%d/%m/%Y")})
    out = tmp_path / "landing"

    with pytest.raises(LandingError, match=r"1 of 3 rows are refused, more than 1 %: .* give --allow-refused 0\.34"):
        land([source], how, out, progress=lambda _: None)
    assert set(contents(out)) == {"refused_lines.csv", "report.json"}
    assert "03/13/2024" in (out / "land-report" / "refused_lines.csv").read_text()
    assert land([source], how, out, most_refused=0.34, progress=lambda _: None).sources["sales.csv"].landed == 2


def test_a_shortened_number_is_no_code(tmp_path: Path) -> None:
    """EANs and cards of which a spreadsheet or a float kept some digits would be one: they are refused, unless listed."""
    rows = SALES.splitlines()[:3]
    short = [rows[2].replace("4002", "4.00638E+12"), rows[2].replace("ann", "9.0071992547409920e+15")]
    sales = "\n".join([*rows, *short, rows[2].replace("ann", "1.2E5"), rows[2].replace("ann", "12E5"), ""])
    report = landed_grocer(tmp_path, sales, MAPPING.replace('{guest: ""}', '{guest: "", 1.2E5: 1.2E5}'))

    why = "is a number that a spreadsheet shortened: export it as text"
    assert dict(report.reasons) == {f"PROD_CODE {why}": 1, f"CUST_CODE {why}": 1}
    assert [row["CUST_CODE"] for row in landed(tmp_path / "landing", MONDAY)] == ["ann", "1.2E5", "12E5"]


def test_lines_of_unknown_items_are_counted(tmp_path: Path) -> None:
    """An item that the products file lacks has no category: it is said how many lines; `codes` are applied to both files."""
    sales = "\n".join([*SALES.splitlines()[:3], SALES.splitlines()[2].replace("4002", "4003"), ""])
    mapping = MAPPING.replace("  CUST_CODE: {guest", '  PROD_CODE: {"4002": "B"}\n  CUST_CODE: {guest')
    report = landed_grocer(tmp_path, sales, mapping)

    assert report.lines_without_a_product == 1
    assert [(row["PROD_CODE"], row["PROD_CODE_20"]) for row in landed(tmp_path / "landing", MONDAY)] == [
        ("B", "Bread"),
        ("4003", ""),
    ]


def test_parts_of_units_are_counted_with_a_decimal_comma(tmp_path: Path) -> None:
    """A quantity of 0,35 counts as rounded and one of 2,0 does not."""
    names = SALES.split("\n")[0].split(",")
    cells = (
        ["2024-03-04", "1", str(n), "ann", "4001", "", pieces, "1", ""] for n, pieces in enumerate(("2,0", "0,35"))
    )
    sales = "\n".join([";".join(names), *(";".join(row) for row in cells), ""])
    source, mapping = write_grocer(tmp_path / "export", sales, 'csv: {delimiter: ";", decimal: ","}\n' + MAPPING)
    source.with_name("articles.csv").write_text("ean;title;size;shelf\n")
    report = land([source], read_mapping(mapping), tmp_path / "landing", progress=lambda _: None)

    assert report.quantities_rounded == 1
