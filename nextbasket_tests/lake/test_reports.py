"""Reports in the lake: written whole or not at all, found, and out of it again when they show an erased customer."""

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


def test_an_erased_customer_is_in_no_report(lake: Lake) -> None:
    """Pages that show the code go, escaped characters and half-written pages included; others and longer codes stay."""
    reports.put(lake, WEEK, "<td>C&lt;1&amp;&#39;&#34;</td>")
    reports.put(lake, NEXT, "<td>C&lt;1&amp;&#39;&#34;99</td>")
    Disk().put(lake.path(reports.FOLDER, "week=2006-04-24", ".index.html.half"), b"C&lt;1&amp;&#39;&#34; \xc3")
    assert holding(lake, GONE) == ["reports/week=2006-04-10/index.html", "reports/week=2006-04-24/.index.html.half"]
    receipt = erase_customer(lake, GONE, "run")

    assert receipt.deleted["reports"] == ["week=2006-04-10/index.html", "week=2006-04-24/.index.html.half"]
    assert receipt.remaining == []
    assert reports.weeks(lake) == [NEXT]
