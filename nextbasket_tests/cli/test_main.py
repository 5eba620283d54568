"""The command line: it says what it does, and its errors say what to do."""

from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nextbasket_assets.cli.main import main
from nextbasket_assets.cli.options import week


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    for name in ("NEXTBASKET_LANDING", "NEXTBASKET_LAKE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_help_names_every_command(run) -> None:  # type: ignore[no-untyped-def]
    """`nextbasket --help` lists the commands with a sentence each."""
    text = run("--help").output

    for command in ("demo", "shop", "missions", "customer", "evaluation", "ui"):
        assert command in text


def test_a_shop_is_written_where_asked(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """`nextbasket shop` writes a file per week, the calendar and the names, and counts them."""
    result = run("shop", "--customers=20", "--weeks=2", "--products=300", f"--out={tmp_path / 'landing'}")

    assert result.exit_code == 0, result.output
    assert "2 files" in result.output
    names = {path.name for path in (tmp_path / "landing").iterdir()}
    assert names >= {"transactions_200607.csv.gz", "transactions_200608.csv.gz", "time.csv", "products.csv"}


def test_a_missing_landing_folder_is_named(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A landing folder that does not exist is one sentence, not a traceback."""
    monkeypatch.setenv("NEXTBASKET_LANDING", "nowhere")
    result = run("demo")

    assert result.exit_code == 1
    assert "nowhere: no such landing folder" in result.output
    assert "Traceback" not in result.output


def test_looking_before_there_is_anything_says_what_to_run(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """`nextbasket customer` on an empty lake names the command that fills it."""
    (tmp_path / ".nextbasket/demo/landing").mkdir(parents=True)
    result = run("customer")

    assert result.exit_code == 1
    assert "Run `nextbasket demo`" in result.output


def test_a_week_may_be_named_by_a_day() -> None:
    """Who knows a date and not the number of its week gives the date."""
    assert week(click.Context(main), click.Option(["--week"]), "2006-04-12") == date(2006, 4, 10)


def test_a_week_that_is_none_is_refused(run) -> None:  # type: ignore[no-untyped-def]
    """--week takes the retailer's YYYYWW."""
    result = run("missions", "--week", "200660")

    assert result.exit_code == 2
    assert "WW from 01 to 52" in result.output
