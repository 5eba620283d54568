"""What is in the landing folder is not lost unasked: neither lines of a week, nor rows of the files beside the weeks."""

import gzip
import os
from pathlib import Path

import pytest

from nextbasket_assets.intake.account import LandReport
from nextbasket_assets.intake.delivery import deliver
from nextbasket_assets.intake.land import land, land_as_is
from nextbasket_assets.intake.mapping import read_mapping
from nextbasket_assets.intake.workplace import workplace
from nextbasket_assets.landing import LandingError, week_code
from nextbasket_tests.intake.grocer import MAPPING, landed, write_grocer
from nextbasket_tests.platforms import FIRST, header, line

NAME = f"transactions_{week_code(FIRST)}.csv"
WEEK = "202405"  # of 2024-03-04
HEADER = "sold_at,till,receipt,loyalty_card,ean,title,pieces,amount,kind"


def export(folder: Path, name: str, days: range) -> Path:
    """A row for each of these days of March 2024."""
    source, _ = write_grocer(
        folder, "\n".join([HEADER, *(f"2024-03-{day:02d}T09:00:00,1,{day},ann,4001,,1,1,small" for day in days), ""])
    )
    return source.rename(source.with_name(name))


def landed_exports(sources: list[Path], out: Path, *, replace: bool = False) -> LandReport:
    return land(sources, read_mapping(sources[0].parent / "grocer.yaml"), out, replace=replace, progress=lambda _: None)


def test_an_export_that_splits_a_week_does_not_take_the_place_of_the_other(tmp_path: Path) -> None:
    """A file with more lines, but without those that are there, is refused; both in one call make the whole week."""
    first, second = (
        export(tmp_path / "export", name, days) for name, days in (("a.csv", range(4, 6)), ("b.csv", range(6, 11)))
    )
    out = tmp_path / "landing"
    landed_exports([first], out)

    with pytest.raises(LandingError, match="has 2 lines and would have 5, without 2 of those it has"):
        landed_exports([second], out)
    assert [row["SHOP_DATE"] for row in landed(out, WEEK)] == ["20240304", "20240305"]
    landed_exports([first, second], out)
    assert len(landed(out, WEEK)) == 7


def test_exports_that_overlap_have_their_lines_once(tmp_path: Path) -> None:
    """Rolling exports in one call: a line of both is landed once, counted, and the next export is taken after them."""
    first, second, third = (
        export(tmp_path / "export", f"{name}.csv", days)
        for name, days in (("a", range(4, 7)), ("b", range(5, 9)), ("c", range(4, 10)))
    )
    out = tmp_path / "landing"
    report = landed_exports([first, second], out)

    assert [(one.rows, one.landed, one.repeated) for one in report.sources.values()] == [(3, 3, 0), (4, 2, 2)]
    assert [row["SHOP_DATE"][-1] for row in landed(out, WEEK)] == ["4", "5", "6", "7", "8"]
    assert sum(landed_exports([second, third], out).sources[name].landed for name in ("b.csv", "c.csv")) == 6


def test_equal_lines_of_one_export_are_kept(tmp_path: Path) -> None:
    """Two scans are two lines; of several exports the one that has a line most often says how often it is there."""
    sources = [export(tmp_path / "export", name, range(4, 5)) for name in ("a.csv", "b.csv", "c.csv")]
    for more, source in enumerate(sources):
        source.write_text(source.read_text() + more * (source.read_text().splitlines()[1] + "\n"))
    report = landed_exports(sources, tmp_path / "landing")

    assert [(one.landed, one.repeated) for one in report.sources.values()] == [(1, 0), (1, 1), (1, 2)]
    assert len(landed(tmp_path / "landing", WEEK)) == 3


def test_a_changed_line_is_told(tmp_path: Path) -> None:
    """As many lines of which one is another are a correction, which --replace takes."""
    out = tmp_path / "landing"
    landed_exports([export(tmp_path / "export", "a.csv", range(4, 7))], out)
    corrected = export(tmp_path / "export", "b.csv", range(5, 8))

    with pytest.raises(LandingError, match=r"without 1 of those it has\. .*--replace"):
        landed_exports([corrected], out)
    landed_exports([corrected], out, replace=True)
    assert [row["SHOP_DATE"] for row in landed(out, WEEK)] == ["20240305", "20240306", "20240307"]


def as_is(folder: Path, rows: list[str], out: Path, name: str = NAME, end: str = "\n") -> str:
    """Deliver a weekly file without a mapping; what became of it."""
    folder.mkdir(exist_ok=True)
    text = end.join([*rows, ""]).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return land_as_is([folder / name], out, progress=lambda _: None).files[0].status


def test_equal_lines_are_counted(tmp_path: Path) -> None:
    """A line that is there twice is lost when the new file has it once; other line ends, a byte order mark and
    another order lose nothing.
    """
    out = tmp_path / "landing"
    one, two, three = (line(FIRST, 1, 0, item) for item in ("PRD1", "PRD2", "PRD3"))
    as_is(tmp_path / "a", [header(), one, one, two], out)

    with pytest.raises(LandingError, match="without 1 of those it has"):
        as_is(tmp_path / "a", [header(), one, two, three], out)
    with pytest.raises(LandingError, match="without 2 of those it has"):
        as_is(tmp_path / "a", [header(), two, three, three], out)
    assert as_is(tmp_path / "a", [header(), three, two, one, one], out, end="\r\n") == "replaced"
    assert as_is(tmp_path / "a", [f"\ufeff{header()}", one, one, two, three, three], out) == "replaced"


def test_a_week_under_another_header_is_not_compared(tmp_path: Path) -> None:
    """Where the columns stand otherwise every line counts as lost, in a compressed file, too."""
    out, name = tmp_path / "landing", f"{NAME}.gz"
    as_is(tmp_path / "a", [header(), line(FIRST, 1, 0, "PRD1")], out, name)
    more = [f"{header()},EXTRA", f"{line(FIRST, 1, 0, 'PRD1')},x", f"{line(FIRST, 1, 0, 'PRD2')},x"]

    with pytest.raises(LandingError, match="without 1 of those it has"):
        as_is(tmp_path / "a", more, out, name)


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("products.csv", "PROD_CODE,PROD_NAME", ["1,Milk", "2,Bread"]),
        ("time.csv", "shop_week,date_from,date_to", ["200607,20060410,20060416", "200608,20060417,20060423"]),
    ],
)
def test_a_file_beside_the_weeks_does_not_lose_rows_unasked(
    tmp_path: Path, name: str, columns: str, rows: list[str]
) -> None:
    """A smaller products.csv or time.csv is refused, a larger one and --replace are taken; a row of no code is none."""
    source, out = tmp_path / name, tmp_path / "landing"

    def deliver(*kept: str, replace: bool = False) -> str:
        source.write_text("\n".join([columns, *kept, ""]))
        return land_as_is([source], out, replace=replace, progress=lambda _: None).files[0].status

    deliver(rows[0], ",")
    assert deliver(*rows) == "replaced"
    with pytest.raises(LandingError, match=f"{name}: 1 rows of the one in the landing folder are not in it"):
        deliver(rows[1])
    assert (out / name).read_text().count("\n") == 3
    assert deliver(rows[1], replace=True) == "replaced"


def test_files_are_told_apart_by_their_content(tmp_path: Path) -> None:
    """A setting that was changed in the same second, to a text of the same length, is delivered."""
    new, out = tmp_path / "new" / "export.yaml", tmp_path / "landing"
    for path, text in ((out / new.name, "k: 3\n"), (new, "k: 4\n")):
        path.parent.mkdir()
        path.write_text(text)
        os.utime(path, (0, 0))

    assert [file.status for file in deliver([new], out, replace=False)] == ["replaced"]
    assert (out / new.name).read_text() == "k: 4\n"


def test_the_landing_folder_is_no_source(tmp_path: Path) -> None:
    """A folder that is landed into itself is refused at once, with a mapping and without one."""
    source, mapping = write_grocer(tmp_path / "export", mapping=MAPPING)
    before = sorted(source.parent.iterdir())

    with pytest.raises(LandingError, match="the source and --out must differ"):
        land([source.parent], read_mapping(mapping), source.parent, progress=lambda _: None)
    with pytest.raises(LandingError, match="the source and --out must differ"):
        land_as_is([source.parent], source.parent / ".", progress=lambda _: None)
    assert sorted(source.parent.iterdir()) == before


def test_one_landing_at_a_time(tmp_path: Path) -> None:
    """While another landing is at work none is begun, for each would plan without the other's lines."""
    source, out = export(tmp_path / "export", "a.csv", range(4, 6)), tmp_path / "landing"

    with workplace(out), pytest.raises(LandingError, match="another landing into it is at work"):
        landed_exports([source], out)
    assert not (out / f"transactions_{WEEK}.csv.gz").exists()
    assert landed_exports([source], out).sources["a.csv"].landed == 2


def test_what_a_killed_landing_left_is_removed(tmp_path: Path) -> None:
    """Customers' lines do not stay in the folder of a landing that was killed: the next one removes it."""
    left = tmp_path / "landing" / ".land-x1"
    left.mkdir(parents=True)
    (left / NAME).write_text("ann")
    landed_exports([export(tmp_path / "export", "a.csv", range(4, 6))], tmp_path / "landing")

    assert not left.exists()


def test_a_twin_of_a_week_is_looked_at_whatever_its_name(tmp_path: Path) -> None:
    """A compressed file is unchanged beside an equal plain one, and refused beside another, though its own is equal."""
    out, rows = tmp_path / "landing", [header(), line(FIRST, 1, 0, "PRD1")]
    as_is(tmp_path / "a", rows, out)

    assert as_is(tmp_path / "a", rows, out, f"{NAME}.gz") == "unchanged"
    assert not (out / f"{NAME}.gz").exists()
    (out / NAME).rename(out / "kept")
    as_is(tmp_path / "a", rows, out, f"{NAME}.gz")
    (out / NAME).write_text("\n".join([*rows, line(FIRST, 1, 0, "PRD2"), ""]))
    with pytest.raises(LandingError, match=f"{NAME} is another file for week"):
        as_is(tmp_path / "a", rows, out, f"{NAME}.gz")
