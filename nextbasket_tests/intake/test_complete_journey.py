"""A real second retailer: Complete Journey's lines go through the mapping of the documentation and through the platform."""

from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pytest

from nextbasket_assets.intake.land import land
from nextbasket_assets.intake.mapping import read_mapping
from nextbasket_assets.resources.landing import LandingResource, catalogue_of
from nextbasket_tests.platforms import Platform, failure

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "complete_journey"
MAPPING = ROOT / "docs" / "examples" / "complete_journey.yaml"
TABLES = ["raw_transactions", "rejected_lines", "landed_files", "staged_baskets"]
WEEKS = {"NEXTBASKET_FIRST_WEEK": "2016-12-26", "NEXTBASKET_LAST_WEEK": "open"}

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the Complete Journey sample is not on this machine")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("journey")
    land([SHARED / "transactions_sample.csv.gz"], read_mapping(MAPPING), root / "landing", progress=lambda _: None)
    return root


def test_every_line_of_a_real_retailer_is_landed(root: Path) -> None:
    """75,000 lines of 2017 become 54 weekly files, and the items have their names."""
    folder = LandingResource(uri=str(root / "landing")).folder()

    assert len(list((root / "landing").glob("transactions_*.csv.gz"))) == 54
    report = (root / "landing" / "land-report" / "report.json").read_text()
    assert '"rows": 75000,\n   "landed": 75000,\n   "refused": 0' in report
    assert catalogue_of(folder).name("940996") != "940996"


@pytest.mark.slow
def test_its_weeks_become_baskets(root: Path) -> None:
    """Two weeks pass every check on the way to staged_baskets: ids as delivered, no line lost, none rejected."""
    platform = Platform(root, dg.DagsterInstance.ephemeral(), environment=WEEKS)
    weeks = [date(2017, 1, 2), date(2017, 1, 9)]
    result = platform.run("backfill_weeks", *weeks, selection=TABLES)

    assert result.success, failure(result)
    assert platform.lake.read("rejected_lines", weeks).num_rows == 0
    lines = platform.lake.read("raw_transactions", weeks)
    baskets = platform.lake.read("staged_baskets", weeks)
    assert lines.num_rows == sum(file["lines"] for file in platform.lake.read("landed_files", weeks).to_pylist())
    assert set(baskets["basket"].to_pylist()) == set(lines["basket"].to_pylist())
    assert pc.all(pc.is_valid(baskets["customer"])).as_py()
