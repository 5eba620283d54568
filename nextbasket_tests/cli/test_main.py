"""The command line: it says what it does, and its errors say what to do."""

from datetime import date
from pathlib import Path

import click
import pytest

from nextbasket_assets.cli import shop as shop_command
from nextbasket_assets.cli.main import main
from nextbasket_assets.cli.options import week
from nextbasket_assets.shop import customers, shop
from nextbasket_tests.cli.conftest import Run


def test_help_names_every_command(run: Run) -> None:
    """`nextbasket --help` lists the commands with a sentence each."""
    text = run("--help").output

    for command in main.commands:
        assert command in text


def test_a_shop_is_written_where_asked(run: Run, tmp_path: Path) -> None:
    """`nextbasket shop` writes a file per week, the calendar and the names, and counts them."""
    result = run("shop", "--customers=20", "--weeks=2", "--products=300", f"--out={tmp_path / 'landing'}")

    assert result.exit_code == 0, result.output
    assert "2 files" in result.output
    names = {path.name for path in (tmp_path / "landing").iterdir()}
    assert names >= {"transactions_200607.csv.gz", "transactions_200608.csv.gz", "time.csv", "products.csv"}


def test_a_missing_landing_folder_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A landing folder that does not exist is one sentence, not a traceback."""
    monkeypatch.setenv("NEXTBASKET_LANDING", "nowhere")
    result = run("demo")

    assert result.exit_code == 4
    assert "nowhere: no such landing folder" in result.output
    assert "Traceback" not in result.output


def test_looking_before_there_is_anything_says_what_to_run(run: Run, tmp_path: Path) -> None:
    """`nextbasket customer` on an empty lake names the command that fills it."""
    (tmp_path / ".nextbasket/demo/landing").mkdir(parents=True)
    result = run("customer")

    assert result.exit_code == 3
    assert "Run `nextbasket demo`" in result.output


def test_a_week_may_be_named_by_a_day() -> None:
    """Who knows a date and not the number of its week gives the date."""
    assert week(click.Context(main), click.Option(["--week"]), "2006-04-12") == date(2006, 4, 10)


def test_a_week_that_is_none_is_refused(run: Run) -> None:
    """--week takes the retailer's YYYYWW."""
    result = run("missions", "--week", "200660")

    assert result.exit_code == 2
    assert "WW from 01 to 52" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("shop", "--out=x", "--customers=99999999999"),
        ("shop", "--out=x", "--weeks=0"),
        ("demo", "--customers=0"),
        ("ui", "--port=65536"),
    ],
)
def test_a_number_that_cannot_be_is_a_wrong_command_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """What no shop and no machine has is refused with its bounds, before anything is made."""
    monkeypatch.setattr("os.execv", lambda *_: None)  # the UI would take this process
    result = run(*arguments)

    assert result.exit_code == 2
    assert "is not in the range" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_shop_may_be_as_large_as_the_command_says() -> None:
    """The command's bounds are those of the shop."""
    assert (shop_command.MOST_CUSTOMERS, shop_command.MOST_WEEKS) == (customers._HIGHEST_CODE, shop._MOST_WEEKS)
