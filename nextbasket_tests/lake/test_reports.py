"""Reports in the lake: written whole or not at all, found, and out of it again when they show an erased customer."""

import html
from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.lake import reports
from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.storage import Disk
from nextbasket_assets.lake.tables import Lake, LakeError

WEEK, NEXT = date(2006, 4, 10), date(2006, 4, 17)
GONE = "C<1&'\""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_report_replaces_the_one_before(lake: Lake) -> None:
    """One page a week, the newest one; a week without one is an error that says what to do."""
    for page in ("old", "new"):
        place = reports.put(lake, WEEK, page)

    assert place.endswith("reports/week=2006-04-10/index.html")
    assert reports.read(lake, WEEK) == "new"
    assert reports.weeks(lake) == [WEEK]
    with pytest.raises(LakeError, match="week 2006-04-17 has no report"):
        reports.read(lake, NEXT)


@pytest.mark.parametrize("folder", ["2006-04-10", "week=20060410", "week=2006-W15-1", "week=2006-13-01", "week="])
def test_a_folder_of_another_name_is_no_week(folder: str) -> None:
    """A week's folder is named in one way; Python reads dates that are written otherwise, too."""
    assert reports.week_of(folder) is None


def test_a_write_that_breaks_leaves_the_page_before(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut in the middle, readers see the old page, and no stump is left."""

    def broken(path: Path, data: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(data[:2])
        raise OSError(28, "No space left on device")

    reports.put(lake, WEEK, "the old page")
    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(LakeError, match="no space left writing"):
        reports.put(lake, WEEK, "the new page")

    assert reports.read(lake, WEEK) == "the old page"
    assert reports.files(lake) == ["week=2006-04-10/index.html"]


def shown(code: str) -> str:
    """A page's part that introduces a customer."""
    return f'<h3 id="person-1">{html.escape(code)}</h3>'


def test_an_erased_customer_is_in_no_report(lake: Lake) -> None:
    """Pages that show the code go, escaped characters and half-written pages included; others and longer codes stay."""
    reports.put(lake, WEEK, shown(GONE))
    reports.put(lake, NEXT, shown(f"{GONE}99"))
    Disk().put(lake.path(reports.FOLDER, "week=2006-04-24", ".index.html.half"), shown(GONE)[:-5].encode() + b"\xc3")
    Disk().put(lake.path(reports.FOLDER, "week=2006-04-24", ".index.html.cut"), shown(GONE)[:-5].encode())
    assert holding(lake, GONE) == ["reports/week=2006-04-10/index.html", "reports/week=2006-04-24/.index.html.cut"]
    receipt = erase_customer(lake, GONE, "run")

    assert receipt.deleted["reports"] == ["week=2006-04-10/index.html", "week=2006-04-24/.index.html.cut"]
    assert receipt.remaining == []
    assert reports.weeks(lake) == [NEXT]


@pytest.mark.parametrize("code", ["1", "2006"])
def test_a_number_on_a_page_is_no_customer(lake: Lake, code: str) -> None:
    """Codes that are numbers are found where a page introduces a customer, and in no count, rank or year."""
    reports.put(lake, WEEK, f"<th scope='row'>{code}</th><td>{code}</td> 1 of 2006 {shown('CUST1')}")
    reports.put(lake, NEXT, shown(code))

    assert erase_customer(lake, code, "run").deleted["reports"] == ["week=2006-04-17/index.html"]


def test_what_is_no_report_is_named_by_a_receipt(lake: Lake) -> None:
    """Files that somebody else put below reports/ are no week; those that are no page are not called searched."""
    reports.put(lake, WEEK, shown("CUST1"))
    for name in ("week=2006-04-10/notes.txt", "week=summer/index.html", "index.html"):
        lake.storage.put(lake.path(reports.FOLDER, name), shown("CUST1").encode())
    receipt = erase_customer(lake, "CUST1", "run")

    assert receipt.deleted["reports"] == ["index.html", "week=2006-04-10/index.html", "week=summer/index.html"]
    assert receipt.not_searched == ["reports/week=2006-04-10/notes.txt"]
    assert reports.weeks(lake) == []
