"""Make the README's pictures from the synthetic shop: `make pictures`. Nothing in them is drawn by hand.

Runs the demo in a folder (a few minutes; a folder that is kept is not run again), opens the UI on it in a headless Chromium,
and writes small PNG files beside this script.
"""

import argparse
import base64
import io
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nextbasket_assets.partitions import LGSR_FIRST_WEEK
from nextbasket_tests.browser.chromium import launched
from nextbasket_tests.browser.server import ask, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
WEEKS = 20
SHOP = ("--customers=500", f"--weeks={WEEKS}")
LAST_WEEK = LGSR_FIRST_WEEK + timedelta(weeks=WEEKS - 1)  # so that the curves fill their frames
GROUPS = "global@global:baskets,global@global:missions,global@global:next_basket,global@global:report"
WIDEST, COLOURS, MARGIN = 1300, 48, 10  # points, colours of a picture, points around the graph
_PICTURES = """{ assetNodeOrError(assetKey: {path: ["mission_profiles"]}) { ... on AssetNode {
  assetMaterializations(limit: 1) { metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } } } } }"""


def main() -> None:
    """Run the demo where it was not run yet, then write every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="Where the demo runs, or ran; a temporary folder by default.")
    chosen = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as fresh:
        folder = (chosen or Path(fresh)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([Path(sys.executable).with_name("nextbasket"), "demo", *SHOP], cwd=folder, check=True)
        with served(folder, {"NEXTBASKET_LAST_WEEK": str(LAST_WEEK)}, "--read-only") as address, launched() as browser:
            lineage(browser, address)
            plots(browser, address)
            mission(address)
            report(browser, folder)


def lineage(browser: "Browser", address: str) -> None:
    """The whole graph, and nothing around it."""
    page = browser.new_page(viewport={"width": 2000, "height": 1570})
    page.goto(f"{address}/asset-groups?expanded={GROUPS}")
    page.get_by_text("weekly_report").first.wait_for()
    page.wait_for_timeout(5000)  # the states of the weeks arrive after the boxes
    boxes = [box for node in page.locator("foreignObject").all() if (box := node.bounding_box())]
    left, top = (min(box[side] for box in boxes) - MARGIN for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    write("lineage.png", page.screenshot(clip={"x": left, "y": top, "width": right - left, "height": bottom - top}))


def plots(browser: "Browser", address: str) -> None:
    """What an asset's page plots over the weeks."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/assets/staged_baskets")
    page.get_by_role("button", name="Plots").click()
    page.locator("canvas").nth(3).wait_for()
    page.locator("canvas").nth(3).scroll_into_view_if_needed()
    page.wait_for_timeout(1500)  # the curves are drawn with an animation
    write("plots.png", page.screenshot())


def mission(address: str) -> None:
    """The newest week's lift bars, as the asset's metadata has them."""
    [made] = ask(address, _PICTURES)["assetNodeOrError"]["assetMaterializations"]
    texts = {entry["label"]: entry["mdStr"] for entry in made["metadataEntries"] if "mdStr" in entry}
    write("missions.png", base64.b64decode(texts["lift_bars"].split("base64,")[1].rstrip(")")))


def report(browser: "Browser", folder: Path) -> None:
    """The top of the newest week's report: whether the week is safe to use, and why."""
    *_, newest = sorted(folder.glob(".nextbasket/demo/lake/reports/week=*/index.html"))
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(newest.as_uri())
    write("report.png", page.screenshot())


def write(name: str, png: bytes) -> None:
    """Keep a picture: at most as wide as the README shows it, and with few colours, so that it is small."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(HERE / name, optimize=True)
    print(f"{name}: {image.width} x {image.height}, {(HERE / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
