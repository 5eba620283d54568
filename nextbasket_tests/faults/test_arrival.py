"""Arrival: files that are late, again, changed, empty, or called what they should not be."""

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from nextbasket_assets.lake import freshness
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.refreshing import refreshes
from nextbasket_tests.faults import shop
from nextbasket_tests.platforms import WEEKS, Platform, failure

BASKET_TABLES = ("raw_transactions", "rejected_lines", "landed_files", "staged_baskets", "mission_tagged_baskets")


def arrive(platform: Platform, week: date, seed: int = 0) -> None:
    """A week lands and is scored."""
    platform.deliver(week, shop.lines(week, seed))
    assert platform.run("score_week", week).success


def take_correction_back(platform: Platform) -> None:
    """The landing folder has the first three weeks as they were when the shop was recorded."""
    platform.deliver(WEEKS[1], shop.lines(WEEKS[1]))


def catch_up(platform: Platform) -> list[str]:
    """Run what the sensor would ask for until nothing is behind; the tables that were made anew, in order."""
    made = []
    while requests := refreshes(platform.lake, WEEKS):
        for request in requests:
            assert request.table is not None
            assert platform.run(request.job, request.first, request.last, selection=[request.table]).success
            made.append(request.table)
        assert len(made) < 20, "the lake never gets up to date"
    return made


@pytest.mark.slow
def test_f7_f9_late_and_corrected_weeks_end_like_an_in_order_run(empty: Callable[[str], Platform]) -> None:
    """A week after its successor, then a correction of the oldest: later weeks are behind, made anew, and end the same."""
    late, calm = empty("late"), empty("calm")
    for week in (WEEKS[0], WEEKS[2]):
        arrive(late, week)
    assert freshness.behind(late.lake) == {}
    arrive(late, WEEKS[1])
    assert freshness.behind(late.lake) == {"mission_profiles": [WEEKS[2]], "customer_sequences": [WEEKS[2]]}
    assert catch_up(late) == ["mission_profiles", "customer_sequences", *freshness.SCORES]
    arrive(late, WEEKS[0], seed=1)
    assert freshness.behind(late.lake)["customer_sequences"] == [WEEKS[1], WEEKS[2]]
    catch_up(late)
    for week in WEEKS[:3]:
        calm.deliver(week, shop.lines(week, seed=int(week == WEEKS[0])))
    assert calm.run("backfill_weeks", WEEKS[0], WEEKS[2]).success
    assert calm.run("refresh_weeks", WEEKS[0], WEEKS[2], selection=["mission_profiles", *freshness.SCORES]).success

    assert shop.contents(late.lake) == shop.contents(calm.lake)
    assert catch_up(late) == []


@pytest.mark.slow
def test_f7_a_correction_keeps_the_old_version_and_tags_the_models_history_again(trained: Platform) -> None:
    """A corrected week under a trained model: its history and every later week follow; the version before is still there."""
    before = trained.lake.snapshot("staged_baskets")
    assert trained.run("backfill_weeks", WEEKS[1]).success

    assert freshness.behind(trained.lake) == {
        "mission_history": [shop.AS_OF],
        "mission_profiles": [shop.AS_OF],
        "customer_sequences": [WEEKS[2], WEEKS[3]],
    }
    assert before is not None
    assert all(Path(trained.lake.uri("staged_baskets", file.path)).exists() for file in before.published)
    assert catch_up(trained)[0] == "mission_history"
    assert freshness.behind(trained.lake) == {}


def test_f8_an_empty_correction_needs_a_word(trained: Platform) -> None:
    """A header alone is red and leaves the week; with the tag the week is empty in every table, and the tag is recorded."""
    rows = trained.lake.rows("staged_baskets")
    path = trained.root / "landing" / f"transactions_{week_code(WEEKS[1])}.csv.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).split(b"\n")[0] + b"\n"))
    refused = trained.run("backfill_weeks", WEEKS[1])
    assert not refused.success
    assert "0 rows, only a header, expected > 0" in failure(refused)
    assert trained.lake.rows("staged_baskets") == rows

    allowed = trained.run("backfill_weeks", WEEKS[1], tags={"nextbasket/allow": "an_empty_week"})
    assert allowed.success, failure(allowed)
    for table in BASKET_TABLES:
        assert trained.lake.rows(table)[WEEKS[1]] == (1 if table == "landed_files" else 0), table
    assert trained.lake.rows("staged_baskets")[WEEKS[0]] == rows[WEEKS[0]]


class Ticks:
    """The landing sensor of a platform, tick after tick."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.cursor = platform, None

    def tick(self) -> dg.SensorResult:
        definitions = self.platform.definitions()
        context = dg.build_sensor_context(
            instance=self.platform.instance,
            cursor=self.cursor,
            definitions=definitions,
            resources=dict(definitions.resources or {}),
        )
        result = definitions.get_repository_def().get_sensor_def("landing_sensor").evaluate_tick(context)
        self.cursor = result.cursor
        return result  # type: ignore[return-value]


@pytest.mark.slow
def test_f7_the_sensor_asks_for_what_is_behind(trained: Platform) -> None:
    """After a correction went through, the sensor asks for the tables that it left behind, and says why; then for nothing."""
    for week in (WEEKS[1], WEEKS[4]):
        assert trained.run("score_week", week).success
    ticks = Ticks(trained)
    ticks.tick()
    [request] = ticks.tick().run_requests or []

    assert (request.job_name, request.partition_key) == ("refresh_weeks", shop.AS_OF.isoformat())
    assert [key.to_user_string() for key in request.asset_selection or []] == ["mission_history"]
    assert "staged_baskets changed since" in request.tags["nextbasket/why"]
    catch_up(trained)
    assert not ticks.tick().run_requests
    assert freshness.versions(trained.lake).items() <= json.loads(str(ticks.cursor))["fresh"].items()


def test_f12_the_same_tick_twice_asks_for_the_same_run(trained: Platform) -> None:
    """A daemon that dies after a tick and looks again from its old cursor asks by the same run keys: one run in all."""
    ticks = Ticks(trained)
    ticks.tick()
    cursor = ticks.cursor
    first = [request.run_key for request in ticks.tick().run_requests or []]
    ticks.cursor = cursor
    again = [request.run_key for request in ticks.tick().run_requests or []]

    assert len(first) == 2
    assert first == again


@pytest.mark.parametrize("listed", [4, 5])
def test_f13_a_week_that_the_calendar_lacks_is_skipped(trained: Platform, listed: int) -> None:
    """time.csv without the week: the sensor skips it with the reason; with the week, it runs."""
    rows = [f"{week_code(week)},{week:%Y%m%d},{week + timedelta(days=6):%Y%m%d}" for week in WEEKS[:listed]]
    (trained.root / "landing" / "time.csv").write_text("\n".join(["shop_week,date_from,date_to", *rows, ""]))
    take_correction_back(trained)
    ticks = Ticks(trained)
    ticks.tick()
    result = ticks.tick()

    asked = [request.partition_key for request in result.run_requests or [] if request.job_name == "score_week"]
    assert asked == ([WEEKS[4].isoformat()] if listed == 5 else [])


def test_f13_a_calendar_that_contradicts_the_weeks_stops_nothing(trained: Platform) -> None:
    """A time.csv whose weeks begin on other days is said, and is not used."""
    (trained.root / "landing" / "time.csv").write_text("shop_week,date_from,date_to\n200607,20060411,20060417\n")
    ticks = Ticks(trained)
    ticks.tick()

    assert len(ticks.tick().run_requests or []) == 2


def test_f13_a_week_is_made_beside_companions_that_cannot_be_read(trained: Platform) -> None:
    """With a broken time.csv the week is made as if there were none, and the check about the calendar is red."""
    (trained.root / "landing" / "time.csv").write_text("shop_week,date_from,date_to\n200607,20060411,20060417\n")
    take_correction_back(trained)
    result = trained.run("backfill_weeks", WEEKS[0], WEEKS[2])

    assert result.success, failure(result)
    [check] = [found for found in result.get_asset_check_evaluations() if "calendar" in found.check_name]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)


@pytest.mark.parametrize("key", ["../../x", "/etc/passwd", "2006-04-10\n", "x" * 300, "2006-04-11"])
def test_f14_partition_keys_that_are_none(trained: Platform, key: str) -> None:
    """A key outside the calendar is refused before anything is written, inside the root or outside it."""
    before = everything(trained.root.parent)
    job = trained.definitions().resolve_job_def("backfill_weeks")
    with pytest.raises(Exception, match=r"(?i)partition"):
        job.execute_in_process(partition_key=key, instance=trained.instance)

    assert everything(trained.root.parent) == before


def test_f14_landing_names_that_are_none(trained: Platform) -> None:
    """Names with a line feed, quotes, or two hundred characters are ignored by name, and no path is made of them."""
    odd = ["transactions_200612.csv\n", "transactions_200612.csv;rm -rf", "t" * 200, "transactions_200612 (1).csv"]
    for name in odd:
        (trained.root / "landing" / name).write_text("x")
    before = everything(trained.root.parent)
    ticks = Ticks(trained)
    ticks.tick()
    asked = {request.partition_key for request in ticks.tick().run_requests or []}

    assert asked == {WEEKS[1].isoformat(), WEEKS[4].isoformat()}
    assert everything(trained.root.parent) == before


def everything(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


def test_f14_tables_have_names(tmp_path: Path) -> None:
    """A table name with a path in it never becomes a path."""
    for name in ("../x", "/etc", "a\0b", "model_registry/.."):
        with pytest.raises(Exception, match="no such table"):
            Lake(str(tmp_path)).files(name, [])
