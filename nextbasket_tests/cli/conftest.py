"""The command line, run in this process on a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nextbasket_assets.cli.main import main
from nextbasket_tests.cli import small_lake

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NEXTBASKET_LANDING", "NEXTBASKET_LAKE", "NEXTBASKET_DEPLOYMENT", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def on_lake(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same on a small lake with one scored week."""
    small_lake.write(tmp_path)
    monkeypatch.setenv("NEXTBASKET_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("NEXTBASKET_LAKE", str(tmp_path / "lake"))
    return run
