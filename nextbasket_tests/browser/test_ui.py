"""The UI in a real browser, as a data engineer uses it: look, click, drop a file, wait for green."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from nextbasket_assets.landing import week_code
from nextbasket_tests.browser.conftest import CLICKED, DROPPED, TRAINED, Site
from nextbasket_tests.browser.server import ask
from nextbasket_tests.platforms import week_lines

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

GROUPS = ("baskets", "missions", "next_basket", "report")
RUN_MILLISECONDS = 600_000  # a run starts a Spark of its own


def test_the_first_look_is_undisturbed(site: Site, page: "Page") -> None:
    """No dialog covers the page, nothing is asked of another host, and the server's log has no warning of ours."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    page.goto(site.address)

    expect(page.get_by_role("link", name=re.compile("Lineage"))).to_be_visible()  # an icon is called column_lineage
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert hosts == {site.address.split("/")[2]}
    assert "Warning" not in (site.platform.root / "ui.log").read_text()


def test_the_lineage_reads_from_left_to_right(site: Site, page: "Page") -> None:
    """Every asset is in the global lineage, and each one is to the right of all that it is made from."""
    specs = list(site.platform.definitions().resolve_all_asset_specs())
    page.goto(f"{site.address}/asset-groups?expanded={','.join(f'global@global:{group}' for group in GROUPS)}")
    nodes = page.locator("foreignObject:not(.group)").filter(has_text=re.compile("[a-z]"))
    expect(nodes).to_have_count(len(specs))
    seen = [((node.text_content() or "").split("Latest event")[0], node.bounding_box()) for node in nodes.all()]
    lefts = {
        name: box["x"]
        for name in (spec.key.to_user_string() for spec in specs)
        for text, box in seen
        if box and short(name, text)
    }
    assert lefts.keys() == {spec.key.to_user_string() for spec in specs}
    for spec in specs:
        for dep in spec.deps:
            assert lefts[dep.asset_key.to_user_string()] < lefts[spec.key.to_user_string()], (dep, spec.key)


def test_an_asset_explains_itself(site: Site, page: "Page") -> None:
    """An asset's page has its description, its columns with their sources, owner, kinds, and a link to the source."""
    page.goto(f"{site.address}/assets/staged_baskets")

    expect(page.get_by_text("One row per basket: who, when, where")).to_be_visible()
    expect(page.get_by_text("units of merchandise. From raw_transactions.quantity.")).to_be_visible()
    for text in ("nextbasket", "Spark", "Delta Lake"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="baskets.py")).to_be_visible()


def test_a_check_is_a_claim_that_held(site: Site, page: "Page") -> None:
    """A check's page says what it claims, and that it passed."""
    page.goto(f"{site.address}/assets/staged_baskets?view=checks&checkDetail=every_basket_is_there_once")

    expect(page.get_by_text("Every basket is there once.")).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()


def test_numbers_plot_over_weeks_and_pictures_show(site: Site, page: "Page") -> None:
    """The row counts of the weeks are a curve on the asset's page; the trained model shows its training curve."""
    page.goto(f"{site.address}/assets/staged_baskets")
    page.get_by_role("button", name="Plots").click()

    expect(page.get_by_text("dagster/partition_row_count", exact=True)).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()

    page.goto(f"{site.address}/assets/rnn_model?view=partitions&partition={TRAINED}")
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("img", name="loss and validation recall after every epoch")).to_be_visible()


def test_a_tick_that_launches_nothing_says_why(site: Site, page: "Page") -> None:
    """The sensor's page opens every tick, and the tick gives its reason in words."""
    watch(site, page, on=True)
    page.goto(f"{site.address}/locations/nextbasket/sensors/landing_sensor")
    page.get_by_role("button", name="0 runs requested").last.click()

    expect(page.get_by_role("dialog").get_by_text("Skip reason:")).to_be_visible()


def test_a_week_is_materialised_by_clicking(site: Site, page: "Page") -> None:
    """Job, button, week, launch: the run succeeds, and the week is green on the asset's page."""
    watch(site, page, on=False)
    site.platform.deliver(CLICKED, week_lines(CLICKED))
    page.goto(f"{site.address}/locations/nextbasket/jobs/score_week")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill(CLICKED.isoformat())
    dialog.get_by_role("textbox").first.press("Enter")
    dialog.get_by_role("button", name="Launch 1 run").click()
    expect(dialog).to_have_count(0)  # it closes once the run is launched; leaving earlier would stop that

    await_run(site, page, {"nextbasket/branch": "score_week", "dagster/partition": CLICKED.isoformat()})
    page.goto(f"{site.address}/assets/next_basket_scores?view=partitions&partition={CLICKED}")
    expect(page.get_by_text("Materialized", exact=True).first).to_be_visible()
    expect(page.get_by_text(week_code(CLICKED), exact=True)).to_be_visible()


def test_a_dropped_file_becomes_scores(site: Site, page: "Page") -> None:
    """With the sensor on, a file in the landing folder is a run that succeeds, found by its week, and lists of that week."""
    watch(site, page, on=True)
    site.platform.deliver(DROPPED, week_lines(DROPPED))

    await_run(site, page, {"nextbasket/week": week_code(DROPPED), "dagster/sensor_name": "landing_sensor"})
    assert DROPPED in site.platform.lake.weeks("next_basket_scores")


def short(name: str, text: str) -> bool:
    """Whether a node's text is the name, cut in the middle where it is long."""
    start, _, end = text.strip().partition("…")
    return name == text.strip() or bool(end and name.startswith(start) and name.endswith(end))


def watch(site: Site, page: "Page", *, on: bool) -> None:
    """Switch the landing sensor on or off by its toggle; the server says whether it is, for the toggle is drawn late."""
    page.goto(f"{site.address}/automation")
    page.get_by_text("landing_sensor").wait_for()
    for _ in range(5):
        if watching(site) == on:
            return
        page.locator("label", has=page.get_by_role("checkbox")).last.click()
        page.wait_for_timeout(3000)
    assert watching(site) == on


def watching(site: Site) -> bool:
    """Whether the server runs the landing sensor."""
    place = 'repositoryName: "__repository__", repositoryLocationName: "nextbasket", sensorName: "landing_sensor"'
    query = f"{{ sensorOrError(sensorSelector: {{{place}}}) {{ ... on Sensor {{ sensorState {{ status }} }} }} }}"
    return bool(ask(site.address, query)["sensorOrError"]["sensorState"]["status"] == "RUNNING")


def await_run(site: Site, page: "Page", tags: dict[str, str]) -> None:
    """See a run with these tags turn green in the list of runs that is filtered by them."""
    query = "&".join(f"q[]=tag:{name}={value}" for name, value in tags.items())
    page.goto(f"{site.address}/runs?{query}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=RUN_MILLISECONDS)
