"""The asset: pages and claims in the lake, numbers and place in the metadata, tags on the run, and the page before made again."""

import json
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from nextbasket_assets.assets.weekly_report import _before, weekly_report
from nextbasket_assets.cli.main import main
from nextbasket_assets.lake import freshness, reports
from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.weekly import page
from nextbasket_assets.report.weekly.claims import CLAIMS
from nextbasket_assets.report.weekly.page import LIGHTS
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_tests.lake.test_exports import before
from nextbasket_tests.report.weekly.weeks import CUSTOMERS, WEEKS, code, deliver, put, score, small_lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three weeks, the second and third of them scored; products.csv names the bread."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "products.csv").write_text("PROD_CODE,PROD_NAME\nbread,Sourdough <b>\n")
    return small_lake(str(tmp_path / "lake"), WEEKS[:3])


def make(lake: Lake, week: date, instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
    resources = {
        "lake": LakeResource(root=lake.root),
        "landing": LandingResource(uri=str(Path(lake.root).parent / "landing")),
    }
    instance = instance or dg.DagsterInstance.ephemeral()
    return dg.materialize([weekly_report], instance=instance, partition_key=str(week), resources=resources)


def test_a_week_has_its_page_its_claims_and_its_numbers(lake: Lake) -> None:
    """The page with the retailer's names; a row per claim; the place, the light and the metrics in the metadata; two tags."""
    instance = dg.DagsterInstance.ephemeral()
    result = make(lake, WEEKS[2], instance)
    [made] = [event for event in result.get_asset_materialization_events() if event.partition == str(WEEKS[2])]
    told = {name: value.value for name, value in made.materialization.metadata.items()}
    run = instance.get_run_by_id(result.run_id)
    assert run is not None

    assert "Sourdough &lt;b&gt;" in reports.read(lake, WEEKS[2])
    shown = [code(number) for number in range(CUSTOMERS) if code(number) in reports.read(lake, WEEKS[2])]
    assert len(shown) == 12
    assert all(reports.shows(lake, f"week={WEEKS[2]}/index.html", customer) for customer in shown), "erasure finds them"
    assert len(lake.read("weekly_report", [WEEKS[2]])) == told["dagster/partition_row_count"] == len(CLAIMS)
    first = [name for name in told if "/" not in name][:3]
    assert first == ["report", "light", "why"], "what a reader asks first is on top"
    assert told["path"] == lake.uri("weekly_report")
    assert told["report"] == lake.uri(reports.place(WEEKS[2]))
    assert (told["light"], told["customers_scored"], told["broken_claims"]) == ("amber", CUSTOMERS, 2)
    assert "the_probabilities_come_true" in str(told["why"])
    assert "CUST" not in str(told), "metadata tells nobody"
    assert [run.tags[f"nextbasket/{name}"] for name in ("week", "light")] == ["200609", "amber"]


def test_the_age_that_is_too_old_is_the_shops(lake: Lake, tmp_path: Path) -> None:
    """Whoever replaces a model after 26 weeks is not told that 13 are the limit."""
    (tmp_path / "landing" / "settings.yaml").write_text("retraining: {max_age_weeks: 26}")
    make(lake, WEEKS[2])
    rows = lake.read("weekly_report", [WEEKS[2]]).to_pylist()

    assert [row["found"] for row in rows if row["claim"] == "the_model_in_service_is_recent"] == [
        "1 week(s) old, at most 26"
    ]


def test_the_page_before_is_made_again_with_what_people_then_bought(lake: Lake) -> None:
    """The next run writes the former page once more; its claims stay as they were published."""
    make(lake, WEEKS[2])
    version = lake.version("weekly_report")
    assert "no later week is in the lake" in reports.read(lake, WEEKS[2])
    deliver(lake, WEEKS[3], last=True)
    score(lake, WEEKS[3])
    make(lake, WEEKS[3])

    assert "Looked at up to week 200610" in reports.read(lake, WEEKS[2])
    assert reports.weeks(lake) == WEEKS[2:]
    assert lake.version("weekly_report") == version + 1


def test_the_page_made_again_has_the_light_of_the_table(lake: Lake) -> None:
    """What would be found about the week before by now changes neither its light nor its claims: table and page agree."""
    make(lake, WEEKS[2])
    former = lake.read("weekly_report", [WEEKS[2]]).to_pylist()
    broken = former[0]["claim"]
    put(lake, "weekly_report", WEEKS[2], [row | {"held": row["claim"] != broken} for row in former])
    deliver(lake, WEEKS[3])
    score(lake, WEEKS[3])
    make(lake, WEEKS[3])

    assert former[0]["light"] == "red"
    assert LIGHTS["red"][1] in reports.read(lake, WEEKS[2])
    assert LIGHTS["red"][1] not in reports.read(lake, WEEKS[3])


def test_a_claim_that_is_no_more_stays_on_its_page(lake: Lake) -> None:
    """A week that an older version of the code found amber is amber when its page is made again."""
    make(lake, WEEKS[2])
    put(lake, "weekly_report", WEEKS[2], [{"claim": "old_claim", "light": "amber", "held": False, "found": "0 of 1"}])
    deliver(lake, WEEKS[3])
    score(lake, WEEKS[3])

    assert make(lake, WEEKS[3]).success
    assert "old claim" in reports.read(lake, WEEKS[2])


def test_lists_that_were_made_again_leave_the_report_behind(lake: Lake) -> None:
    """A rescored week asks for its report again."""
    make(lake, WEEKS[2])
    assert "weekly_report" not in freshness.behind(lake)
    score(lake, WEEKS[2])

    assert freshness.behind(lake)["weekly_report"] == [WEEKS[2]]


def test_the_command_says_where_it_is_or_copies_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nextbasket report`: the newest week's place, a copy of a week, and what to do where there is none."""
    monkeypatch.setenv("NEXTBASKET_LAKE", lake.root)
    nothing = CliRunner().invoke(main, ["report"])
    make(lake, WEEKS[2])
    copy = Path(lake.root).parent / "copy.html"
    place, copied, none = (
        CliRunner().invoke(main, ["report", *options])
        for options in ([], ["--week", "200609", "--out", str(copy)], ["--week", "200607"])
    )

    assert "weekly_report has no week yet" in nothing.output
    assert place.output == f"{lake.uri(reports.place(WEEKS[2]))}\n"
    assert copied.output == f"{copy}\n"
    assert copy.read_text() == reports.read(lake, WEEKS[2])
    assert none.exit_code != 0
    assert "weekly_report has no week 200607" in none.output


def test_the_command_gives_the_light_and_its_claims_as_json(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json one document: the week, where its report is, its light, and every claim with what was found."""
    monkeypatch.setenv("NEXTBASKET_LAKE", lake.root)
    make(lake, WEEKS[2])
    answer = json.loads(CliRunner().invoke(main, ["report", "--json"]).stdout)

    rows = lake.read("weekly_report", [WEEKS[2]]).to_pylist()
    assert (answer["week"], answer["report"]) == (str(WEEKS[2]), lake.uri(reports.place(WEEKS[2])))
    assert answer["claims"] == [{name: row[name] for name in ("claim", "light", "held", "found")} for row in rows]
    assert answer["light"] == ("amber" if any(row["held"] is False for row in rows) else "green")


def test_a_broken_catalogue_costs_the_names_only(lake: Lake) -> None:
    """With a products.csv that cannot be read the report is made, and items are shown by their codes."""
    (Path(lake.root).parent / "landing" / "products.csv").write_text("CODE,NAME\nbread,Sourdough\n")

    assert make(lake, WEEKS[2]).success
    assert "Sourdough" not in reports.read(lake, WEEKS[2])
    assert "bread" in reports.read(lake, WEEKS[2])


def test_the_page_before_is_the_newest_earlier_one(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the weeks with a page the last before this one; nothing is made again before the first."""
    monkeypatch.setattr(reports, "weeks", lambda _: [WEEKS[0], WEEKS[1], WEEKS[3]])

    assert _before(lake, WEEKS[2]) == [WEEKS[1]]
    assert _before(lake, WEEKS[0]) == []


@pytest.mark.parametrize("week", [WEEKS[2], WEEKS[3]], ids=["the week", "the week before it"])
def test_an_erasure_beside_the_run_is_not_undone(lake: Lake, monkeypatch: pytest.MonkeyPatch, week: date) -> None:
    """A customer who is erased when a page, or the page before, was gathered and not yet written is on neither of them."""
    make(lake, WEEKS[2])
    deliver(lake, WEEKS[3])
    score(lake, WEEKS[3])
    gone = next(one for one in map(code, range(CUSTOMERS)) if reports.shows(lake, f"week={WEEKS[2]}/index.html", one))
    before(monkeypatch, page, "render", lambda: erase_customer(lake, gone, "erasing"))

    assert make(lake, week).success
    assert holding(lake, gone) == []
    assert reports.weeks(lake) == [one for one in WEEKS[2:] if one <= week]
