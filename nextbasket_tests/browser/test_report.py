"""The week's report in a real browser: a category manager's phone and desk."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from nextbasket_assets.lake import reports
from nextbasket_tests.browser.conftest import TRAINED
from nextbasket_tests.platforms import Platform

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(platform: Platform) -> Path:
    """The page of a scored week."""
    return platform.root / "lake" / reports.place(TRAINED)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_is_sound_on_a_phone_and_on_a_desk(report: Path, browser: "Browser", width: int) -> None:
    """No console error, no request beyond the file, no violation that axe finds, nothing to scroll sideways for."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": width, "height": 844})
    page, complaints, asked = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())

    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert complaints == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()
