"""The UI in a real browser, as a data engineer uses it."""

from typing import TYPE_CHECKING

import pytest

from nextbasket_tests.browser.conftest import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_first(site: Site, page: "Page") -> None:
    """X."""
    import shutil

    page.goto(site.address + "/asset-groups?expanded=global@global:raw")
    page.wait_for_timeout(8000)
    page.screenshot(path="/tmp/browser/first.png")
    page.goto(site.address + "/jobs")
    page.wait_for_timeout(4000)
    page.screenshot(path="/tmp/browser/jobs.png")
    shutil.copytree(site.platform.root, "/tmp/browser/shop", dirs_exist_ok=True)
