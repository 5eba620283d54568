"""Reading the exports: every row is one line of its file, and what cannot be read says where and what to do."""

import errno
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbasket_assets.intake import columnar
from nextbasket_assets.intake import text as text_files
from nextbasket_assets.intake.land import land, land_as_is
from nextbasket_assets.intake.mapping import Csv, read_mapping
from nextbasket_assets.intake.sources import batches, find_sources
from nextbasket_assets.landing import LandingError
from nextbasket_tests.intake.grocer import MAPPING, SALES, landed, write_grocer
from nextbasket_tests.platforms import FIRST, header, line

Write = Callable[..., Path]


def rows(path: Path, text: Csv = Csv(), columns: tuple[str, ...] = ("a", "b")) -> list[tuple[str, ...]]:  # noqa: B008
    """The cells of the rows, and the texts of those that are malformed."""
    found: list[tuple[str, ...]] = []
    for batch in batches(path, list(columns), text):
        found += [tuple(row.values()) for row in batch.rows.to_pylist()]
        found += [(content,) for _, content in batch.malformed.values()]
    return found


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str, name: str = "s.csv", encoding: str = "utf-8") -> Path:
        data = text.encode(encoding)
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return tmp_path / name

    return written


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["s.csv", "s.csv.gz"])
@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["1,x", '2,"Big pot', "3,x", '4,Small "pot"', "5,x"], 3),
        (["1,x", '2,a"b', '"3,x', '4,"y"'], 4),  # the first quote is inside of a value
        (['1,"x ""y"" z', '2,"y"'], 2),
        (['1,"x"', "2,y", '3,"z'], 4),  # at the end of the file
    ],
)
def test_a_quote_that_is_left_open_is_told(write: Write, name: str, end: str, lines: list[str], number: int) -> None:
    """No row disappears in the value of another: the file is refused, and the line where the quote opens is named."""
    for last in ("", end):
        with pytest.raises(
            LandingError, match=f"{name}: line {number}: a value begins with a quote that is not closed"
        ):
            rows(write(end.join(["a,b", *lines]) + last, name))


def test_a_quote_that_is_left_open_before_the_end_of_a_block_is_told(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file of many blocks, too, whatever comes first: the line is named, not the block."""
    monkeypatch.setattr(text_files, "_BLOCK_BYTES", 64)
    lines = [f"{number},x" for number in range(1, 200)]
    lines[150] = '151,"x'

    with pytest.raises(LandingError, match="line 152: a value begins with a quote"):
        rows(write("\n".join(["a,b", *lines, ""])))


def test_a_quote_behind_a_byte_order_mark_is_a_quote(write: Write) -> None:
    """The mark that spreadsheets begin a file with hides no quote that is left open, and is no part of a name."""
    assert rows(write('\ufeff"a","b"\n1,x\n')) == [("1", "x")]
    with pytest.raises(LandingError, match="line 1: a value begins with a quote"):
        rows(write('\ufeff"a,b\n1,x\n2,"y"\n'))


def test_a_quote_is_looked_for_in_the_mappings_encoding_and_delimiter(write: Write) -> None:
    """UTF-16 and a semicolon: the line of the open quote is named, and a sound file is read."""
    text = Csv(delimiter=";", encoding="utf-16")

    assert rows(write('a;b\n1;"x;y"\n2;z\n', encoding="utf-16"), text) == [("1", "x;y"), ("2", "z")]
    with pytest.raises(LandingError, match="line 3: a value begins with a quote"):
        rows(write('a;b\n1;x\n2;"z\n', encoding="utf-16"), text)


@given(st.lists(st.text('",xy \ufeff', min_size=1, max_size=8), min_size=1, max_size=6))
def test_a_file_that_is_read_has_a_row_for_every_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    """Whatever the quotes are: a file is refused, or each of its lines is a row or a malformed one."""
    path = tmp_path_factory.mktemp("quotes") / "s.csv"
    path.write_text("\n".join(["a,b", *lines, ""]), encoding="utf-8")
    try:
        found = rows(path)
    except LandingError as error:
        assert "a value begins with a quote" in str(error)  # noqa: PT017
    else:
        assert len(found) == len(lines)


def test_sources_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """In whatever order they are named and wherever they are: the lines of a week stand alike."""
    for name in ("x/a.csv", "a/c.csv", "a/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [path.name for path in find_sources([tmp_path / "a", tmp_path / "x"])] == ["a.csv", "b.csv", "c.csv"]


def test_suffixes_are_read_in_any_case_and_the_rest_is_named(tmp_path: Path) -> None:
    """Capital suffixes are read as their kind; other files and folders in the source are named in the report."""
    source, mapping = write_grocer(tmp_path / "export", "\n".join([*SALES.splitlines()[:3], ""]))
    names = SALES.split("\n")[0].split(",")
    cells = ["2024-03-04", "2", "9", "bo", "4001", "", "1", "1", ""]
    table = {name: [cell] for name, cell in zip(names, cells, strict=True)}
    pq.write_table(pa.table(table), source.with_name("b.PARQUET"))
    source.with_name("a.CSV.GZ").write_bytes(gzip.compress(source.read_bytes()))
    source.rename(source.with_name("sales.CSV"))
    (source.parent / "february").mkdir()
    (source.parent / "old.csv").mkdir()
    (source.parent / "notes.txt").touch()
    out = source.parent / "landing"
    reports = [land([source.parent], read_mapping(mapping), out, progress=lambda _: None) for _ in range(2)]

    assert list(reports[0].sources) == ["a.CSV.GZ", "b.PARQUET", "sales.CSV"]
    assert [(count.landed, count.repeated) for count in reports[0].sources.values()] == [(2, 0), (1, 0), (0, 2)]
    named = ["february", "grocer.yaml", "notes.txt", "old.csv"]
    assert reports[0].not_read == reports[1].not_read == named
    assert json.loads((out / "land-report" / "report.json").read_text())["not_read"] == named


def test_what_is_beside_weekly_files_and_not_delivered_is_named(tmp_path: Path) -> None:
    """Without a mapping, too, the report names what was left in the source."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "transactions_200607.csv").write_text(f"{header()}\n{line(FIRST, 1, 0, 'PRD1')}\n")
    (tmp_path / "a" / "transactions_200608.CSV").touch()

    assert land_as_is([tmp_path / "a"], tmp_path / "out", progress=lambda _: None).not_read == [
        "transactions_200608.CSV"
    ]


def parquet(folder: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), folder / "s.parquet")
    return folder / "s.parquet"


def test_a_parquet_column_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A list is an error with the column's name, its type, and what to do."""
    path = parquet(tmp_path, a=pa.array(["1"]), b=pa.array([["x", "y"]]))

    with pytest.raises(LandingError, match=r"s\.parquet: column 'b' holds list<.*Export it as text"):
        rows(path)


def test_numbers_that_are_not_whole_or_too_large_are_told_apart(tmp_path: Path) -> None:
    """Whole numbers have no point; those of which the type keeps some digits only look like a spreadsheet's."""
    many, single = pa.array([17.0, float("inf"), 2.0**53, None]), pa.array([0.1, 1.0, 2.0**24, 2.0], pa.float32())
    path = parquet(tmp_path, a=many, b=pa.array([40128000001.0, 0.5, 1.0, 2.0]), c=single)

    found = rows(path, columns=("a", "b", "c"))
    assert [row[0] for row in found] == ["17", "inf", "9.0071992547409920e+15", None]
    assert [row[1] for row in found] == ["40128000001", "0.5", "1", "2"]
    assert [row[2] for row in found] == ["0.1", "1", "1.6777216000000000e+07", "2"]


def test_categories_of_pandas_are_the_values_they_stand_for(tmp_path: Path) -> None:
    """A column of few different values, which is written as a dictionary, has the texts of a plain one."""
    numbers, texts = (pa.array(values).dictionary_encode() for values in ([17.0, 18.0, 17.0], ["x", "y", "x"]))

    assert rows(parquet(tmp_path, a=numbers, b=texts)) == [("17", "x"), ("18", "y"), ("17", "x")]


def test_an_error_of_the_disk_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to export a sound file again because a disk could not be read."""
    path = parquet(tmp_path, a=pa.array(["1"]), b=pa.array(["x"]))

    def broken(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(columnar.pq, "ParquetFile", broken)
    with pytest.raises(OSError, match="Input/output error"):
        rows(path)


def test_parquet_rows_have_their_numbers_in_every_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused row of the second batch is found again: numbers go on as in a text file with a header."""
    monkeypatch.setattr(columnar, "_BATCH_ROWS", 2)
    path = parquet(tmp_path, a=pa.array(["x"] * 5))

    assert [batch.numbers.tolist() for batch in batches(path, ["a"], Csv())] == [[2, 3], [4, 5], [6]]


def test_decimals_are_the_numbers_without_the_scale(tmp_path: Path) -> None:
    """An EAN in decimal(38,10) is the code that a text file has, and zero is no exponent."""
    numbers = [Decimal("4006381333000"), Decimal(0), Decimal("-12.50"), Decimal(100), None]
    whole = pa.array([None if number is None else number // 1 for number in numbers], pa.decimal128(13, 0))
    path = parquet(
        tmp_path, a=pa.array(numbers, pa.decimal128(38, 10)), b=pa.array(numbers, pa.decimal128(15, 2)), c=whole
    )

    assert [row[0] for row in rows(path)] == ["4006381333000", "0", "-12.5", "100", None]
    assert [row[1] for row in rows(path)] == ["4006381333000", "0", "-12.5", "100", None]
    assert [row[0] for row in rows(path, columns=("c",))] == ["4006381333000", "0", "-12", "100", None]


def test_a_broken_parquet_file_is_not_told_about_delimiters(tmp_path: Path) -> None:
    """What is no parquet file, or cut in its pages, says so and is to be exported again."""
    path = parquet(tmp_path, a=pa.array([str(number) for number in range(9000)]), b=pa.array(["x"] * 9000))
    whole = path.read_bytes()
    for broken in (b"", b"a,b\n1,2\n", whole[:-20], whole[:4] + b"\xff" * 2000 + whole[2004:]):
        path.write_bytes(broken)
        with pytest.raises(LandingError, match=r"s\.parquet: cannot be read as parquet: .*Export it again\.") as told:
            rows(path)
        assert "delimiter" not in str(told.value)


def test_the_decimal_sign_is_that_of_the_text_files(tmp_path: Path) -> None:
    """Numbers of a parquet file have no decimal comma: a mapping for both kinds reads them alike."""
    mapping = 'csv: {decimal: ",", delimiter: ";"}\n' + MAPPING
    source, mapping_file = write_grocer(tmp_path / "export", mapping=mapping)
    source.with_name("articles.csv").write_text("ean;title;size;shelf\n")
    cells = ["2024-03-04T09:00:00", 1, 7, "ann", "4001", "", 1.0, 2.5, "small"]
    names = SALES.split("\n")[0].split(",")
    pq.write_table(pa.table({n: [cell] for n, cell in zip(names, cells, strict=True)}), source.with_name("b.parquet"))
    source.write_text("\n".join([";".join(names), "2024-03-04T09:00:00;1;8;ann;4001;;1;2,5;small", ""]))
    land([source, source.with_name("b.parquet")], read_mapping(mapping_file), tmp_path / "out", progress=lambda _: None)

    assert [row["SPEND"] for row in landed(tmp_path / "out", "202405")] == ["2.50", "2.50"]


def test_a_file_of_malformed_rows_is_given_up(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no row has the header's columns their texts are not gathered for ever; a sound row begins the count anew."""
    monkeypatch.setattr(text_files, "_MOST_MALFORMED", 20)
    monkeypatch.setattr(text_files, "_BLOCK_BYTES", 12)

    assert len(rows(write("a,b\n" + "1,x,\n1,x,\n1,x\n" * 99))) == 297
    with pytest.raises(
        LandingError, match="20 rows on end are no rows of the header: the row has 3 columns, the header 2"
    ):
        rows(write("a,b\n1,x\n" + "1,x,\n" * 99))


def test_rows_have_their_numbers_in_every_batch(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the second and later blocks, too, a row's number is that of its line, malformed ones between them counted."""
    monkeypatch.setattr(text_files, "_BLOCK_BYTES", 32)
    lines = [f"{number},x" if number % 5 else f"{number}" for number in range(2, 40)]
    found = list(batches(write("\n".join(["a,b", *lines, ""])), ["a", "b"], Csv()))

    assert sum(batch.rows.num_rows > 0 for batch in found) > 3
    for batch in found:
        assert batch.numbers.tolist() == [int(row["a"]) for row in batch.rows.to_pylist()]
        assert {str(number) for number in batch.malformed} == {content for _, content in batch.malformed.values()}
    assert sum(len(batch.malformed) for batch in found) == 7


@pytest.mark.parametrize("name", ["s.csv", "s.csv.gz"])
@pytest.mark.parametrize(("end", "ended"), [("\n", True), ("\r\n", True), ("", False)])
def test_a_text_that_may_be_cut_is_told(write: Write, name: str, end: str, ended: bool) -> None:
    """A last line without a line end is read, for many programs write so, and the last batch says so."""
    found = list(batches(write("a,b\n1,x\n2,12.5" + end, name), ["a", "b"], Csv()))

    assert [row["b"] for batch in found for row in batch.rows.to_pylist()] == ["x", "12.5"]
    assert found[-1].ended is ended


@pytest.mark.parametrize("header", ["a,b,a", "b,a,a"])
def test_a_column_that_is_there_twice_is_named(write: Write, header: str) -> None:
    """Nobody can say which of them is meant."""
    with pytest.raises(LandingError, match=r"s\.csv: column 'a' is there twice\. Keep one of them\."):
        rows(write(f"{header}\n1,2,3\n"))


def test_products_beside_each_source_are_read(tmp_path: Path) -> None:
    """Two folders with a products file each: the items of both have names, and a namesake elsewhere counts as not read."""
    first, mapping = write_grocer(tmp_path / "a", "\n".join([*SALES.splitlines()[:2], ""]))
    second, _ = write_grocer(tmp_path / "b", "\n".join([SALES.splitlines()[0], SALES.splitlines()[2], ""]))
    second.rename(second.with_name("more.csv"))
    first.with_name("articles.csv").write_text("ean,title,size,shelf\n4001,Oat milk,,Milk\n")
    second.with_name("articles.csv").write_text("ean,title,size,shelf\n4002,Rye bread,,Bread\n")
    report = land([tmp_path / "a", tmp_path / "b"], read_mapping(mapping), tmp_path / "out", progress=lambda _: None)

    assert (tmp_path / "out" / "products.csv").read_text().splitlines()[1:] == [
        "4001,Oat milk,Milk,Milk",
        "4002,Rye bread,Bread,Bread",
    ]
    assert (report.lines_without_a_product, report.not_read) == (0, ["grocer.yaml"])


def test_a_source_that_grows_meanwhile_lands_nothing(tmp_path: Path) -> None:
    """A file that is still being copied is refused, with a mapping and without one: its last line may be half of one."""
    sales = "\n".join([*SALES.splitlines()[:3], ""])
    source, mapping = write_grocer(tmp_path / "export", sales)
    weekly = tmp_path / "transactions_200607.csv"
    weekly.write_text(f"{header()}\n{line(FIRST, 1, 0, 'PRD1')}\n")

    def grow(path: Path) -> Callable[[int], None]:
        def progress(_: int) -> None:
            with path.open("a") as stream:
                stream.write("2024-03-04T00:00:00,1,8\n")

        return progress

    with pytest.raises(LandingError, match=r"sales\.csv: it changed while it was landed"):
        land([source], read_mapping(mapping), tmp_path / "out", progress=grow(source))
    with pytest.raises(LandingError, match=r"transactions_200607\.csv: it changed while it was landed"):
        land_as_is([weekly], tmp_path / "out", progress=grow(weekly))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".land-lock"]
