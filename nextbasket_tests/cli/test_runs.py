"""A run that fails says which run it was, what its step said, and what kind of failure it is."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.cli import runs
from nextbasket_assets.cli.runs import Run, catch_up, failure
from nextbasket_assets.errors import BAD_INPUT, FAILED, NOTHING_THERE, RED, facts_and_remedy
from nextbasket_assets.lake.tables import NotThereError
from nextbasket_assets.landing import FIELDS, LandingError
from nextbasket_assets.operations.lost_runs import process_tags
from nextbasket_assets.partitions import LGSR_WEEKS, weeks_of_tags
from nextbasket_assets.settings.reading import Settings, settings
from nextbasket_tests.cli.conftest import Run as Command
from nextbasket_tests.report.weekly.weeks import WEEKS, small_lake

TABLE = "staged_baskets"


def run(body: Callable[[], Iterator[Any]]) -> dg.ExecuteInProcessResult:
    """A run of one asset with one check."""

    @dg.multi_asset(specs=[dg.AssetSpec(TABLE)], check_specs=[dg.AssetCheckSpec("claim", asset=TABLE, blocking=True)])
    def asset() -> Iterator[Any]:
        yield from body()

    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize([asset], instance=instance, raise_on_error=False)


def bad_file() -> Iterator[Any]:
    yield from ()
    raise LandingError("transactions_200607.csv: 0 bytes. Deliver it.")


def nothing_there() -> Iterator[Any]:
    yield from ()
    raise NotThereError("no model yet. Train one.") from OSError("gone")


def red_check() -> Iterator[Any]:
    yield dg.AssetCheckResult(asset_key=TABLE, check_name="claim", passed=False)
    raise dg.Failure("staged_baskets: a claim does not hold. Correct the input.", allow_retries=False)


def broken_engine() -> Iterator[Any]:
    yield from ()
    raise RuntimeError("java.lang.Exception\n" + "\tat somewhere\n" * 1000)


@pytest.mark.parametrize(
    ("body", "code", "facts"),
    [
        (bad_file, BAD_INPUT, "transactions_200607.csv: 0 bytes."),
        (nothing_there, NOTHING_THERE, "No model yet."),
        (red_check, RED, "staged_baskets: a claim does not hold."),
        (broken_engine, FAILED, "RuntimeError: java.lang.Exception"),
    ],
)
def test_a_failure_says_its_kind(body: Callable[[], Iterator[Any]], code: int, facts: str) -> None:
    """A bad file, a red check, and anything else: three exit codes; of our errors no class is named, no trace is endless."""
    error = failure("score_week 200607", run(body))

    assert (error.what, error.exit_code) == ("score_week 200607", code)
    assert facts_and_remedy(str(error))[0].lower().startswith(facts.lower())
    assert len(str(error)) <= 600


def foreign(error: BaseException) -> Callable[[], Iterator[Any]]:
    """The body of a step that fails so."""

    def body() -> Iterator[Any]:
        yield from ()
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "facts", "remedy"),
    [
        (KeyError("rank"), "KeyError: 'rank'.", "See the run in the UI (make ui)."),
        (
            RuntimeError("Torn. Sorry: no advice"),
            "RuntimeError: Torn. Sorry: no advice.",
            "See the run in the UI (make ui).",
        ),
        (
            RuntimeError("called o1.save.\n: a.B: torn\n\tat a.b\nCaused by: a.C: full\n\tat c.d\n\t... 9 more"),
            "Caused by: a.C: full.",
            "See the run in the UI (make ui).",
        ),
        (dg.DagsterExecutionInterruptedError(), "It was stopped.", "The same command goes on."),
    ],
)
def test_what_is_no_error_of_ours_is_no_advice(error: Exception, facts: str, remedy: str) -> None:
    """An error that somebody else words is told by its last line and class; one that was stopped goes on."""
    assert facts_and_remedy(str(failure("score_week 200607", run(foreign(error))))) == (facts, remedy)


def test_a_run_says_which_process_it_is_of(tmp_path: Path) -> None:
    """One week and a range: both carry the process, and no daemon tries them again beside the command."""

    @dg.asset(partitions_def=LGSR_WEEKS, backfill_policy=dg.BackfillPolicy.single_run())
    def table() -> None: ...

    found = dg.Definitions([table], jobs=[dg.define_asset_job("score_week")])
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for last in WEEKS[:2]:
            result = runs._execute(found, instance, Run("score_week", WEEKS[0], last))
            tags = result.dagster_run.tags
            assert process_tags().items() <= tags.items()
            assert weeks_of_tags(tags) == [week for week in WEEKS if week <= last]


def test_a_run_is_named_by_its_job_and_weeks() -> None:
    """One week, a range, or one table of it, as the retailer names weeks."""
    first, last = date(2006, 4, 10), date(2006, 4, 24)

    assert str(Run("score_week", first, first)) == "score_week 200607"
    assert str(Run("backfill_weeks", first, last)) == "backfill_weeks 200607 to 200609"
    assert str(Run("refresh_weeks", first, last, "score_exports")) == "score_exports 200607 to 200609"


def test_what_is_behind_is_made_again_table_by_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weeks that were made before a correction are refreshed in the sensor's order, each once, and the reason is said."""
    made: list[Run] = []
    small_lake(str(tmp_path / "lake"), WEEKS[:3])  # its commits do not say what they read: all of them are behind

    def record(_: Settings, wanted: Sequence[Run]) -> None:
        made.extend(wanted)

    monkeypatch.setattr(runs, "carry_out", record)
    catch_up(dataclasses.replace(settings({}), lake=str(tmp_path / "lake")))

    assert [str(run) for run in made[:2]] == [
        "mission_tagged_baskets 200607 to 200609",
        "mission_profiles 200608 to 200609",
    ]
    assert {run.job for run in made} == {"refresh_weeks"}
    assert len(made) == len(set(made)) == 7
    assert "mission_tagged_baskets 200607 to 200609: staged_baskets changed since" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("demo",), ("score", "--week=200607")])
def test_the_commands_end_with_what_is_behind(
    on_lake: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """`demo` and `score` make later weeks again that a corrected week left behind, after their own runs."""
    (tmp_path / "landing" / "transactions_200607.csv").write_text(
        ",".join(FIELDS) + "\n" + "," * (len(FIELDS) - 1) + "\n"
    )
    calls: list[str] = []
    monkeypatch.setattr(runs, "carry_out", lambda _, wanted: calls.append(wanted[-1].job))
    monkeypatch.setattr(runs, "catch_up", lambda _: calls.append("catch_up"))
    on_lake(*arguments)

    assert calls[1:] == ["catch_up"]


def test_the_newest_landed_week_is_scored_where_none_is_named(
    on_lake: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two weeks in the landing folder the later one, on the history of the earlier."""
    for code in ("200607", "200608"):
        text = ",".join(FIELDS) + "\n" + "," * (len(FIELDS) - 1) + "\n"
        (tmp_path / "landing" / f"transactions_{code}.csv").write_text(text)
    made: list[str] = []
    monkeypatch.setattr(runs, "carry_out", lambda _, wanted: made.extend(map(str, wanted)))
    monkeypatch.setattr(runs, "catch_up", lambda _: None)
    on_lake("score")

    assert made == ["backfill_weeks 200607", "score_week 200608"]
