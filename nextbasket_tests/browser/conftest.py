"""A platform with two months of a small shop, Dagster's UI on it, and a headless Chromium."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from nextbasket_assets.cli import home
from nextbasket_tests.browser import chromium
from nextbasket_tests.browser.server import served
from nextbasket_tests.platforms import WEEKS, Platform, week_lines

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MILLISECONDS = 60_000  # for what a page shows; nothing waits longer than it has to
TRAINED, CLICKED, DROPPED = WEEKS[6:9]


@dataclass(frozen=True)
class Site:
    """The UI's address, and the platform it shows."""

    address: str
    platform: Platform


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A headless Chromium; where CI has none, that is a failure."""
    if not chromium.found() and "CI" not in os.environ:
        pytest.skip("no Chromium: apt-get install chromium, or name one in CHROMIUM")
    assert chromium.found(), "CI installs Chromium before this (see .ci/run), and there is none"
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page as wide as a laptop's."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Weeks up to TRAINED in the lake, models and scores for that week; made through the API, kept in Dagster's home."""
    root = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(root / "dagster"))
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # the quick compiler: every run is short
        home.prepare(str(root / "dagster"))
        with dg.DagsterInstance.from_config(str(root / "dagster")) as instance:
            shop = Platform(root, instance, environment={"NEXTBASKET_LAST_WEEK": DROPPED.isoformat()})
            for week in WEEKS[: WEEKS.index(CLICKED)]:
                shop.deliver(week, week_lines(week))
            assert shop.run("backfill_weeks", WEEKS[0], WEEKS[WEEKS.index(TRAINED) - 1]).success
            assert shop.run("train_and_score_week", TRAINED).success
            yield shop


@pytest.fixture(scope="session")
def site(platform: Platform) -> Iterator[Site]:
    """The UI on that platform, started as `nextbasket ui` starts it."""
    environment = {
        "DAGSTER_HOME": str(platform.root / "dagster"),
        "NEXTBASKET_LANDING": str(platform.root / "landing"),
        "NEXTBASKET_LAKE": str(platform.root / "lake"),
        "NEXTBASKET_DRIVER_MEMORY": "1g",
        **platform.environment,
    }
    with served(platform.root, environment) as address:
        yield Site(address, platform)
