"""Reports in the lake: written whole or not at all, found, and out of it again when they show an erased customer."""

import html
from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.lake import reports
from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.storage import Disk
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.lake.test_exports import before
from nextbasket_tests.report.weekly.weeks import code, score

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


def customers(lake: Lake) -> list[str]:
    """Of the week's lists."""
    return sorted(set(lake.read("next_basket_scores", [WEEK], ["customer"])["customer"].to_pylist()))


def page(codes: list[str]) -> str:
    """Introduces these customers."""
    return "".join(map(shown, codes))


@pytest.mark.parametrize("first", [True, False], ids=["first page", "another one"])
@pytest.mark.parametrize("moment", ["read", "looked at", "half written"])
def test_an_erasure_beside_a_report_is_not_undone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, moment: str, first: bool
) -> None:
    """Whenever a customer is erased while a page is made with them, no page shows them, and the week has its page."""
    score(lake, WEEK)
    if not first:
        reports.put(lake, WEEK, page(customers(lake)))
    owner, name = {"read": (html, "escape"), "looked at": (Disk, "put"), "half written": (Path, "replace")}[moment]
    before(monkeypatch, owner, name, lambda: erase_customer(lake, code(7), "erasing"))
    told = reports.put_newest(lake, WEEK, lambda: customers(lake), page)

    assert holding(lake, code(7)) == []
    assert told == [code(number) for number in range(40) if number != 7]
    assert reports.read(lake, WEEK) == page(told)


def test_an_erasure_after_a_report_was_written_is_not_undone(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """An erasure that removes the page before its run looks at the tables again leaves the week with a page, without them."""
    score(lake, WEEK)
    put = reports.put

    def erased(lake: Lake, week: date, made: str) -> str:
        monkeypatch.setattr(reports, "put", put)
        place = put(lake, week, made)
        assert erase_customer(lake, code(7), "erasing").deleted["reports"] == ["week=2006-04-10/index.html"]
        return place

    monkeypatch.setattr(reports, "put", erased)
    told = reports.put_newest(lake, WEEK, lambda: customers(lake), page)

    assert code(7) not in told
    assert reports.read(lake, WEEK) == page(told)


def test_a_page_whose_tables_moved_is_not_written(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer who was erased while the page was made is not shown for a moment either."""
    score(lake, WEEK)
    put, written = reports.put, list[str]()
    monkeypatch.setattr(reports, "put", lambda lake, week, made: (written.append(made), put(lake, week, made))[1])
    before(monkeypatch, html, "escape", lambda: erase_customer(lake, code(7), "erasing"))
    told = reports.put_newest(lake, WEEK, lambda: customers(lake), page)

    assert written == [page(told)]


def test_a_page_that_cannot_be_made_again_is_not_left(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails after its tables moved leaves no page that shows the customer who was erased meanwhile."""
    score(lake, WEEK)
    left = [customers(lake)]
    before(monkeypatch, Disk, "put", lambda: erase_customer(lake, code(7), "erasing"))

    with pytest.raises(IndexError):
        reports.put_newest(lake, WEEK, left.pop, page)
    assert holding(lake, code(7)) == []
    assert reports.weeks(lake) == []


def test_a_lost_page_is_no_reason_to_try_for_ever(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tables stay as they are, a file that went while the page was written is the run's error."""
    score(lake, WEEK)

    def lost(*_: object) -> None:
        raise FileNotFoundError("index.html")

    monkeypatch.setattr(Path, "replace", lost)
    with pytest.raises(FileNotFoundError, match=r"index\.html"):
        reports.put_newest(lake, WEEK, lambda: customers(lake), page)


def test_a_page_that_goes_while_it_is_searched_shows_nobody(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run removes a page that an erasure had listed, before it is deleted or before it is read: the erasure goes on."""
    reports.put(lake, WEEK, shown("CUST1"))
    listed = reports.files(lake)
    monkeypatch.setattr(reports, "files", lambda _: listed)
    before(monkeypatch, reports, "remove", lambda: Path(lake.path(reports.place(WEEK))).unlink())

    assert erase_customer(lake, "CUST1", "run").remaining == []
    assert erase_customer(lake, "CUST1", "run").deleted["reports"] == []
