"""`nextbasket shop`, and the shop of the demo: what is asked is done or refused in words, and nobody's file is lost."""

from pathlib import Path

import pytest

from nextbasket_assets.cli import working
from nextbasket_tests.cli.conftest import Run

DEMO = ".nextbasket/demo/landing"


@pytest.fixture
def demo(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The demo as far as its shop: nothing that is behind the landed weeks."""
    for name in ("_landed", "open_lake", "show_missions", "show_customer", "show_evaluation"):
        monkeypatch.setattr(working, name, lambda *_: (None, None))
    for name in ("plans.default_as_of", "plans.demo_plan", "runs.carry_out", "runs.catch_up"):
        monkeypatch.setattr(f"nextbasket_assets.cli.{name}", lambda *_: None)
    return lambda *arguments: run("demo", "--as-of=200607", "--customers=20", *arguments)


def interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop of the next command is stopped when its weeks are written."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextbasket_assets.shop.shop.time_table", stop)


@pytest.mark.parametrize("place", ["s3://bucket/shop", ""])
def test_a_place_that_is_no_folder_is_refused(run: Run, tmp_path: Path, place: str) -> None:
    """An address makes no folder of its name, and an empty --out does not fill the folder of the caller."""
    result = run("shop", f"--out={place}", "--customers=20")

    assert result.exit_code == 2
    assert "is not a folder of this machine" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argument", ["--seed=-1", "--customers=1", "--strength=2", "--recency=nan"])
def test_an_argument_out_of_range_is_named(run: Run, tmp_path: Path, argument: str) -> None:
    """A wrong number is said of the option that has it, and nothing is made."""
    result = run("shop", "--out=x", argument)

    assert result.exit_code == 2
    assert argument.split("=")[0].strip("-") in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_as_out_is_named_with_the_option(run: Run, tmp_path: Path) -> None:
    """The advice on a place that takes no shop is of --out, not of the platform's own places."""
    (tmp_path / "taken").touch()
    result = run("shop", "--out=taken", "--customers=20")

    assert result.exit_code == 1
    assert "taken: Not a directory." in result.stderr
    assert "NEXTBASKET" not in result.stderr


def test_a_shop_in_a_folder_of_somebody_else_says_which_file(run: Run, tmp_path: Path) -> None:
    """What is found, and what to do, in three lines."""
    (tmp_path / "products.csv").write_text("mine")
    result = run("shop", "--out=.", "--customers=20")

    assert result.exit_code == 2
    assert "1 file(s) in . were not written by a shop, or were changed since, products.csv first." in result.stderr
    assert (tmp_path / "products.csv").read_text() == "mine"


def test_a_stopped_shop_says_that_it_starts_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C: the same command does not go on where it was, and does not say so."""
    interrupt(monkeypatch)
    result = run("shop", "--out=x", "--customers=20", "--weeks=1")

    assert result.exit_code == 1
    assert "The same command writes it again, from its first week on." in result.stderr


def test_a_demo_that_was_stopped_is_told_of_its_own_shop(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter demo after an interrupted one: the weeks are of its shop, and the usage is that of no other command."""
    with monkeypatch.context() as stopped:
        interrupt(stopped)
        assert "from its first week on" in demo("--weeks=4").stderr
    result = demo("--weeks=3")

    assert result.exit_code == 2
    assert f"1 weekly file(s) in {DEMO} are of a shop of 4 weeks" in result.stderr.replace(f"{Path.cwd()}/", "")
    assert "Remove them, or write 4 weeks." in result.stderr
    assert "Usage" not in result.stderr
    assert demo("--weeks=4").exit_code == 0


def test_a_demo_says_when_its_size_does_nothing(demo: Run, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where weeks are there already, a size that was typed and is not theirs is said to do nothing."""
    demo("--weeks=2")

    assert "used" not in demo("--weeks=2").stderr
    assert "the weekly files there are used; --weeks does nothing." in demo("--weeks=3").stderr
    monkeypatch.setenv("NEXTBASKET_LANDING", "elsewhere")
    assert "elsewhere: the weekly files there are used; --customers and --weeks do nothing." in demo("--weeks=2").stderr
    assert "used" not in run("demo", "--as-of=200607").stderr, "nobody typed a size"
