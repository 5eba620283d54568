"""The landing sensor on an ephemeral instance: what it launches, what it waits for, what it says."""

import itertools
import os
import shutil
import uuid
from datetime import date, timedelta

import dagster as dg
import pytest
from dagster._core.events import AssetCheckEvaluationPlanned, DagsterEvent, DagsterEventType

from nextbasket_assets.assets.shop_settings import ShopSettingsError
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import monday
from nextbasket_assets.operations.checks import RETRAINING_CHECKS
from nextbasket_assets.operations.sensors import failed_check, landing_sensor
from nextbasket_assets.partitions import weekly
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_tests.operations.ticking import HEADER, LINE, Shop


def test_a_file_is_taken_when_two_looks_agree(shop: Shop) -> None:
    """A new file waits one look, a growing one as long as it grows; then its week is scored once."""
    shop.deliver("200607", lines=1)
    assert "waiting" in str(shop.tick().skip_message)
    shop.deliver("200607", lines=2)
    assert "waiting" in str(shop.tick().skip_message)

    assert shop.launched() == [("score_week", "2006-04-10")]


def test_the_run_says_which_branch_and_why(shop: Shop) -> None:
    """The tags of the run carry the decision in words."""
    shop.deliver("200607")
    shop.tick()
    [request] = shop.tick().run_requests or []

    assert request.tags["nextbasket/branch"] == "score_week"
    assert request.tags["nextbasket/week"] == "200607"
    assert request.tags["nextbasket/why"] == (
        "week 200607 is new; no new model: 1 week(s) of history, 12 are needed to train"
    )


def test_the_same_file_again_does_nothing(shop: Shop) -> None:
    """A week in the lake is left alone when its file comes again with another date but the same content."""
    shop.deliver("200607", lines=2)
    shop.ingest("200607")
    os.utime(shop.folder / "transactions_200607.csv", ns=(99, 99))
    shop.tick()
    result = shop.tick()

    assert not result.run_requests
    assert result.skip_message == "all 1 file(s) of the landing folder are in the lake as they are"


def test_a_look_logs_what_is_not_in_the_lake(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside a week that is in the lake another one arrives: only that one has a line."""
    shop.deliver("200607")
    shop.ingest("200607")
    shop.tick()
    shop.tick()
    shop.deliver("200608")
    capsys.readouterr()
    shop.tick()

    said = capsys.readouterr().err
    shop.tick()
    assert "transactions_200608.csv: new or still growing" in said
    assert "transactions_200607.csv" not in said
    assert "transactions_200608.csv" not in capsys.readouterr().err  # the folder is as it was


def test_a_corrected_file_runs_its_week_again(shop: Shop) -> None:
    """New content under the same name asks for a run of its own, with another run key."""
    shop.deliver("200607", lines=1)
    shop.tick()
    [first] = shop.tick().run_requests or []
    shop.ingest("200607")
    shop.deliver("200607", lines=2)
    shop.tick()
    [second] = shop.tick().run_requests or []

    assert second.partition_key == "2006-04-10"
    assert first.run_key != second.run_key
    assert "is corrected" in second.tags["nextbasket/why"]


def test_one_bad_file_does_not_stop_the_others(shop: Shop) -> None:
    """A cut file, a foreign name and an unknown week are named; the sound file beside them is taken."""
    shop.deliver("200607")
    shop.deliver("200608", text=HEADER + LINE[:-1])
    shop.deliver("200699")
    (shop.folder / "transactions_200607.csv.bak").touch()
    shop.tick()

    assert shop.launched() == [("score_week", "2006-04-10")]
    (shop.folder / "transactions_200607.csv").unlink()
    shop.tick()
    said = str(shop.tick().skip_message)
    assert "transactions_200608.csv: last line has no newline at byte" in said
    assert "there is no retail week 200699" in said
    assert "transactions_200607.csv.bak" in said


def test_a_second_copy_is_named(shop: Shop) -> None:
    """A week that is in the lake lies there under another week's name as well: the tick says so."""
    shop.deliver("200607")
    shop.ingest("200607")
    shop.deliver("200608")
    shop.tick()

    assert str(shop.tick().skip_message).startswith("transactions_200608.csv: duplicate of transactions_200607.csv")


@pytest.mark.parametrize(("files", "end"), [(3, "or .csv.gz"), (5, "or .csv.gz; and 2 more ignored")])
def test_a_look_names_three_files_of_a_kind(shop: Shop, files: int, end: str) -> None:
    """Of five names that mean nothing here three are said, and how many more there are."""
    for number in range(files):
        (shop.folder / f"{number}.txt").touch()
    said = str(shop.tick().skip_message)

    assert said.count("the name is not transactions_YYYYWW") == 3
    assert said.endswith(end)


def twelve_weeks(shop: Shop) -> list[str]:
    """A first load, looked at once."""
    codes = [f"2006{number:02d}" for number in range(7, 19)]
    for lines, code in enumerate(codes, start=1):
        shop.deliver(code, text=HEADER + LINE * lines)
    shop.tick()
    return codes


def test_a_first_load_is_a_few_runs_not_one_per_week(shop: Shop) -> None:
    """Twelve weeks at once: one backfill of eleven; when it is over the newest trains, for now there is history enough."""
    *loaded, _ = twelve_weeks(shop)
    [backfill] = shop.tick().run_requests or []

    assert backfill.job_name == "backfill_weeks"
    assert backfill.tags["dagster/asset_partition_range_start"] == "2006-04-10"
    assert backfill.tags["dagster/asset_partition_range_end"] == "2006-06-19"
    for code in loaded:
        shop.ingest(code)
    shop.hold([monday(code) for code in loaded])
    assert shop.launched() == [("train_and_score_week", "2006-06-26")]


def twelfth_of_twelve(shop: Shop) -> None:
    """Eleven weeks are in the lake, and one more landed."""
    *loaded, _ = twelve_weeks(shop)
    for code in loaded:
        shop.ingest(code)
    shop.hold([monday(code) for code in loaded])


def test_a_refused_model_is_not_followed_at_once(shop: Shop) -> None:
    """The model as of the week before was refused: the next week is scored, and its tag says what it waits for."""
    twelfth_of_twelve(shop)
    refused = registry.Decision(
        week=monday("200617"),
        name="rnn_model",
        version="challenger",
        decision=registry.REFUSED,
        why="recall@10 .1 < .2",
        metrics={},
        artifact="models/challenger",
        digest="d",
        inputs={},
        run_id="r",
    )
    registry.record(shop.lake, refused)
    [request] = shop.tick().run_requests or []

    assert request.job_name == "score_week"
    assert "the one as of 200617 is not in service, and 4 weeks pass" in request.tags["nextbasket/why"]


def test_the_shop_says_when_it_wants_a_new_model(shop: Shop) -> None:
    """Twelve weeks are enough by default; a shop that asks for thirteen waits for them."""
    twelfth_of_twelve(shop)
    (shop.folder / "settings.yaml").write_text("retraining: {min_history_weeks: 13}")
    [request] = shop.tick().run_requests or []

    assert request.job_name == "score_week"
    assert "12 week(s) of history, 13 are needed to train" in request.tags["nextbasket/why"]


def test_a_corrected_week_counts_once(shop: Shop) -> None:
    """The newest of eleven weeks is corrected: there are eleven weeks of history, not twelve."""
    *loaded, last = twelve_weeks(shop)[:-1]
    (shop.folder / "transactions_200618.csv").unlink()
    for code in (*loaded, last):
        shop.ingest(code)
    shop.hold([monday(code) for code in (*loaded, last)])
    shop.deliver(last, lines=20)
    shop.tick()
    [request] = shop.tick().run_requests or []

    assert request.tags["nextbasket/why"] == (
        "week 200617 is corrected; no new model: 11 week(s) of history, 12 are needed to train"
    )


def test_weeks_that_arrive_together_train_once(shop: Shop) -> None:
    """The second of two weeks after the eleventh hears of the model that the first one is about to train."""
    shop.hold([monday(f"2006{number:02d}") for number in range(7, 18)])
    shop.deliver("200618")
    shop.deliver("200619", lines=2)
    shop.tick()
    first, second = shop.tick().run_requests or []

    assert (first.job_name, second.job_name) == ("train_and_score_week", "score_week")
    assert second.tags["nextbasket/why"] == "week 200619 is new; the champion is 1 week(s) old"


def test_a_wrong_policy_stops_the_tick(shop: Shop) -> None:
    """A misspelt threshold is no default: the tick fails with the words of the runs, before any is launched."""
    twelfth_of_twelve(shop)
    (shop.folder / "settings.yaml").write_text("retraining: {max_age: 26}")

    with pytest.raises(ShopSettingsError, match="below retraining is something else than its settings"):
        shop.tick()


def test_weeks_that_failed_to_load_are_no_history(shop: Shop) -> None:
    """The backfill of a first load failed: the newest week is scored, and says that there is too little to train."""
    twelve_weeks(shop)
    [backfill] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.FAILURE, run_key=str(backfill.run_key))
    [newest] = shop.tick().run_requests or []

    assert (newest.job_name, newest.partition_key) == ("score_week", "2006-06-26")
    assert "1 week(s) of history, 12 are needed" in newest.tags["nextbasket/why"]


def test_every_delivery_of_a_file_that_comes_back_is_run(shop: Shop) -> None:
    """A file, its correction, the file and the correction again: four runs, each under a key of its own."""
    keys = []
    for lines in (1, 2, 1, 2):
        shop.deliver("200607", lines=lines)
        shop.tick()
        [request] = shop.tick().run_requests or []
        shop.has_run(dg.DagsterRunStatus.SUCCESS, run_key=str(request.run_key))
        shop.ingest("200607")
        keys.append(request.run_key)

    assert len(set(keys)) == 4


def test_a_lake_that_was_emptied_is_loaded_again(shop: Shop) -> None:
    """The weeks of a lake that somebody deleted are asked for once more, by the same Dagster, and not again when that fails."""
    shop.deliver("200607")
    shop.tick()
    [first] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.SUCCESS, run_key=str(first.run_key))
    shop.ingest("200607")
    shop.tick()
    shutil.rmtree(shop.lake.root)
    [again] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.FAILURE, run_key=str(again.run_key))

    assert again.run_key != first.run_key
    assert shop.launched() == []


def load(shop: Shop, week: str, lines: int) -> None:
    """A week arrives, is asked for and succeeds, and the looks after that see it in the lake."""
    shop.deliver(week, lines=lines)
    shop.tick()
    [request] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.SUCCESS, run_key=str(request.run_key))
    shop.ingest(week)
    assert [shop.launched() for _ in range(2)] == [[], []]


def test_every_week_of_an_emptied_lake_is_loaded_again(shop: Shop) -> None:
    """Also those that came when the table was there already."""
    load(shop, "200607", lines=1)
    load(shop, "200608", lines=2)
    shutil.rmtree(shop.lake.root)

    assert shop.launched() == [("score_week", "2006-04-10"), ("score_week", "2006-04-17")]


def test_a_file_may_come_back_long_after_its_lake_was_emptied(shop: Shop) -> None:
    """Looks at an empty folder and an empty lake do not forget that there was another lake."""
    load(shop, "200607", lines=1)
    (shop.folder / "transactions_200607.csv").unlink()
    shutil.rmtree(shop.lake.root)
    assert [shop.launched() for _ in range(2)] == [[], []]
    shop.deliver("200607")
    shop.tick()

    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_failed_week_is_not_tried_again_when_another_one_makes_the_first_table(shop: Shop) -> None:
    """The table that the first success makes is no lake begun anew."""
    shop.deliver("200607")
    shop.deliver("200608", lines=2)
    shop.tick()
    failed, made = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.FAILURE, run_key=str(failed.run_key))
    shop.has_run(dg.DagsterRunStatus.SUCCESS, run_key=str(made.run_key))
    shop.ingest("200608")

    assert shop.launched() == []


@pytest.mark.parametrize("old", [True, False])
def test_a_corrected_old_week_changes_no_model(shop: Shop, old: bool) -> None:
    """Beside an old week that was corrected the newest one hears of the champion in service; the old one trains nothing."""
    weeks = [monday("200607") + timedelta(weeks=number) for number in range(40)]
    shop.hold(weeks)
    promote(shop.lake, weeks[35])
    if old:
        shop.deliver("200626")
        shop.ingest("200626")
        shop.deliver("200626", lines=2)
    shop.deliver("200647", lines=3)
    shop.tick()
    requests = {request.tags["nextbasket/week"]: request for request in shop.tick().run_requests or []}

    assert {request.job_name for request in requests.values()} == {"score_week"}
    assert requests["200647"].tags["nextbasket/why"] == "week 200647 is new; the champion is 5 week(s) old"
    assert list(requests) == (["200626"] if old else []) + ["200647"]
    if old:
        assert "a later one is in service, as of 200642" in requests["200626"].tags["nextbasket/why"]


def test_a_late_week_of_a_shop_without_a_model_trains_nothing(shop: Shop) -> None:
    """Twelve weeks before it are enough, and the later ones in the lake are the ones to train on."""
    weeks = [monday(f"2006{number:02d}") for number in range(7, 27)]
    shop.hold([week for week in weeks if week != monday("200620")])
    shop.deliver("200620")
    shop.tick()
    [request] = shop.tick().run_requests or []

    assert request.job_name == "score_week"
    assert "the lake has later weeks, up to 200626" in request.tags["nextbasket/why"]


def test_a_failed_check_trains_the_next_week(shop: Shop) -> None:
    """A champion of five weeks stays for its age, and goes for a check that asks for a new model."""
    weeks = [monday(f"2006{number:02d}") for number in range(7, 27)]
    shop.hold(weeks)
    promote(shop.lake, weeks[-5])
    report(shop.instance, passed=False)
    shop.deliver("200627")
    shop.tick()
    [request] = shop.tick().run_requests or []

    assert request.job_name == "train_and_score_week"
    assert f"the check {RETRAINING_CHECKS[0].name} asks for a new model" in request.tags["nextbasket/why"]


def promote(lake: Lake, week: date) -> None:
    numbers: dict[str, dict[str, int]] = {"metrics": {}, "inputs": {}}
    words = {"why": "it won", "artifact": "a", "digest": "d", "run_id": "run"}
    registry.record(
        lake,
        registry.Decision(week=week, name="rnn_model", version="v", decision="promoted", **words, **numbers),  # type: ignore[arg-type]
    )


def test_weeks_outside_the_calendar_are_refused(shop: Shop) -> None:
    """A file of a week that is no partition does not stop the tick; it is said."""
    shop.deliver("200701")
    shop.tick()

    assert "after the last week wanted" in str(shop.tick().skip_message)
    assert date(2007, 2, 26) > monday("200652")


def report(instance: dg.DagsterInstance, passed: bool, key: dg.AssetCheckKey = RETRAINING_CHECKS[0]) -> None:
    """The result of a check that may ask for a new model."""
    instance.report_runless_asset_event(dg.AssetCheckEvaluation(key.asset_key, key.name, passed=passed, metadata={}))


@pytest.mark.parametrize("key", RETRAINING_CHECKS, ids=lambda key: key.name)
def test_a_failed_check_asks_for_a_model_until_it_holds(shop: Shop, key: dg.AssetCheckKey) -> None:
    """The latest result counts: nothing without one, the check's name when it failed, nothing once it holds again."""
    assert failed_check(shop.instance) is None
    report(shop.instance, passed=False, key=key)
    assert failed_check(shop.instance) == key.name
    report(shop.instance, passed=True, key=key)
    assert failed_check(shop.instance) is None


def test_a_check_that_holds_hides_no_other_one(shop: Shop) -> None:
    """The first of the checks held, the second one failed: that one asks for a model."""
    held, failed = RETRAINING_CHECKS
    report(shop.instance, passed=True, key=held)
    report(shop.instance, passed=False, key=failed)

    assert failed_check(shop.instance) == failed.name


def about_to_check(instance: dg.DagsterInstance) -> None:
    """A run began and has not come to its check."""
    key, kind = RETRAINING_CHECKS[0], DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    planned = AssetCheckEvaluationPlanned(asset_key=key.asset_key, check_name=key.name)
    event = DagsterEvent(event_type_value=kind.value, job_name="score_week", event_specific_data=planned)
    instance.report_dagster_event(event, run_id=str(uuid.uuid4()))


def test_a_run_that_died_before_its_checks_hides_no_result(shop: Shop) -> None:
    """The request for a new model stands until a check that was evaluated takes it back."""
    report(shop.instance, passed=False)
    about_to_check(shop.instance)

    assert failed_check(shop.instance) == RETRAINING_CHECKS[0].name


def test_a_check_that_is_running_does_not_stop_the_tick(shop: Shop) -> None:
    """While a run is about to evaluate the check there is no result, and the sensor still answers."""
    about_to_check(shop.instance)
    shop.deliver("200607")
    shop.tick()

    assert failed_check(shop.instance) is None
    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_week_that_is_not_in_the_retailers_calendar_is_not_run(shop: Shop) -> None:
    """The folder's time.csv knows one of two weeks: the other one is refused by its name."""
    (shop.folder / "time.csv").write_text("shop_week,date_from\n200607,20060410\n")
    shop.deliver("200607")
    shop.deliver("200608", lines=2)
    shop.tick()

    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_broken_calendar_stops_no_week(shop: Shop) -> None:
    """A time.csv that cannot be read is no calendar."""
    (shop.folder / "time.csv").write_text("week\n1\n")
    shop.deliver("200607")
    shop.tick()

    assert shop.launched() == [("score_week", "2006-04-10")]


@pytest.mark.parametrize(
    ("status", "held"),
    [("STARTING", True), ("STARTED", True), ("NOT_STARTED", False), ("SUCCESS", False), ("FAILURE", False)],
)
def test_weeks_that_arrive_during_the_sensors_run_wait_for_its_end(shop: Shop, status: str, held: bool) -> None:
    """A load that is copied over several looks makes no week twice; a run that was never launched holds nothing up."""
    shop.has_run(dg.DagsterRunStatus(status), run_key="another")
    shop.deliver("200607")
    shop.tick()
    result = shop.tick()

    assert bool(result.run_requests) is not held
    assert ("a run of this sensor has not ended" in str(result.skip_message)) is held


def test_a_run_that_somebody_else_started_holds_no_week_up(shop: Shop) -> None:
    """The files wait for the sensor's own runs; what a person launches may last."""
    shop.has_run(dg.DagsterRunStatus.STARTED, sensor_name="another", run_key="another")
    shop.deliver("200607")
    shop.tick()

    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_week_whose_run_failed_is_not_asked_for_again(shop: Shop) -> None:
    """Its key was used: the tick says so, and the weeks beside it are asked for."""
    shop.deliver("200607")
    shop.tick()
    [failed] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.FAILURE, run_key=str(failed.run_key))

    assert "the run(s) for 1 week(s) ended without them" in str(shop.tick().skip_message)
    shop.deliver("200608", lines=2)
    shop.tick()
    assert shop.launched() == [("score_week", "2006-04-17")]


def test_what_no_run_is_asked_for_any_more_is_said_at_every_look(shop: Shop) -> None:
    """A week that stopped after its lines were in the lake: its refresh is asked for once, then each look names it."""
    week = "200607"
    shop.deliver(week)
    shop.ingest(week)
    shop.hold([monday(week)], "raw_transactions")
    shop.tick()
    [refresh] = shop.tick().run_requests or []
    shop.has_run(dg.DagsterRunStatus.FAILURE, run_key=str(refresh.run_key))
    said = [str(shop.tick().skip_message) for _ in range(3)]
    shop.hold([monday(week)])

    assert set(said) == {
        "behind are staged_baskets 200607, and the run(s) for these weeks ended without them: mend what stopped them and "
        "start them again; all 1 file(s) of the landing folder are in the lake as they are"
    }
    assert shop.launched() == [("refresh_weeks", "2006-04-10")]  # the table behind it, now that somebody mended it


def test_what_is_behind_outside_the_calendar_waits_until_it_is_inside(shop: Shop) -> None:
    """A lake of a wider calendar stops no look: its week is asked for as soon as the calendar has it."""
    outside = "200701"
    shop.hold([monday(outside)], "raw_transactions")
    shop.deliver("200607")
    shop.tick()
    assert shop.launched() == [("score_week", "2006-04-10")]
    shop.ingest("200607")
    assert shop.launched() == shop.launched() == []
    shop.last = monday(outside)

    assert shop.launched() == [("refresh_weeks", monday(outside).isoformat())]


@pytest.mark.parametrize(("status", "held"), [("STARTED", True), ("NOT_STARTED", False)])
def test_a_run_that_was_never_launched_holds_no_refresh_up(shop: Shop, status: str, held: bool) -> None:
    """What a dying daemon left unlaunched changes no table: what is behind is asked for beside it."""
    shop.hold([monday("200607")], "raw_transactions")
    shop.has_run(dg.DagsterRunStatus(status), run_key="another")
    shop.tick()

    assert bool(shop.launched()) is not held


@pytest.mark.parametrize("name", ["products.csv", "time.csv", "missions.yaml", "export.yaml", "settings.yaml"])
def test_what_is_read_beside_the_weeks_is_no_file_to_wonder_about(shop: Shop, name: str) -> None:
    """A file that the platform looks for is not said to be ignored."""
    (shop.folder / name).touch()

    assert shop.tick().skip_message == "the landing folder is empty"


@pytest.mark.parametrize("weeks", [["200607"], ["200607", "200608"]])
def test_a_refresh_makes_one_table(shop: Shop, weeks: list[str]) -> None:
    """The run for what is behind, of one week or of a range, makes the first table alone and none after it."""
    shop.hold([monday(week) for week in weeks], "raw_transactions")
    [request] = shop.tick().run_requests or []

    assert request.job_name == "refresh_weeks"
    assert request.asset_selection == [dg.AssetKey("staged_baskets")]


def test_a_run_of_the_sensor_is_no_news_when_nothing_waits_for_it(shop: Shop) -> None:
    """While it runs, a folder whose weeks are all in the lake is what the tick says."""
    shop.deliver("200607")
    shop.ingest("200607")
    shop.has_run(dg.DagsterRunStatus.STARTED, run_key="another")
    shop.tick()

    assert shop.tick().skip_message == "all 1 file(s) of the landing folder are in the lake as they are"


def test_nothing_is_made_anew_before_every_file_was_read(shop: Shop) -> None:
    """A table is behind, and this look has no time to read the second of two files: it asks for nothing."""
    shop.hold([monday("200607")], "raw_transactions")
    for lines, week in enumerate(("200607", "200608"), start=1):
        shop.deliver(week, lines=lines)
    shop.tick()
    shop.clock = itertools.count(0, 31).__next__

    assert shop.launched() == []


def test_a_calendar_that_has_not_begun_is_said(shop: Shop) -> None:
    """A first week in the future, with an open end, is a reason to wait and no error."""
    sensor = landing_sensor(weekly(date(2998, 1, 1), None))
    context = dg.build_sensor_context(
        instance=shop.instance,
        cursor="kept",
        resources={"landing": LandingResource(uri=str(shop.folder)), "lake": LakeResource(root=shop.lake.root)},
    )
    result = sensor.evaluate_tick(context)

    assert result.skip_message == "no week has begun: the first one is 2998-01-01"
    assert result.cursor == "kept"
