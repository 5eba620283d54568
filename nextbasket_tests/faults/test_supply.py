"""Supply chain: what is installed is recent enough, nothing unpickles, and the UI listens to this machine alone."""

import ast
import os
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.version import Version

from nextbasket_assets.cli.main import main

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "nextbasket_assets").rglob("*.py"))
FLOORS = {  # below them: known holes, named in docs/runbook.md
    "torch": "2.10",
    "dagster": "1.13.1",
    "dagster-aws": "0.29.1",
    "dagster-webserver": "1.13.1",
    "pyspark": "3.5.8",
}
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("name", FLOORS)
def test_s7_versions_are_above_their_floors(name: str) -> None:
    """What is installed, what the lock pins and what pyproject allows are all at or above the floor."""
    floor = Version(FLOORS[name])
    locked = (
        line.split(" ")[0].split(";")[0].strip() for line in (ROOT / "requirements.lock").read_text().splitlines()
    )
    pinned = dict(line.split("==") for line in locked if "==" in line)
    declared = (ROOT / "pyproject.toml").read_text()
    [wanted] = {
        str(Requirement(text.strip(' ",')).specifier)
        for text in declared.splitlines()
        if text.strip(' ",').startswith(f"{name}>=")
    }
    lowest = min(Version(part.lstrip(">=")) for part in wanted.split(",") if part.startswith(">="))

    assert Version(version(name).split("+")[0]) >= floor
    assert Version(pinned[name].split("+")[0]) >= floor
    assert lowest >= floor


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_s7_nothing_unpickles_or_evaluates(path: Path) -> None:
    """No module imports a pickler, calls torch.load, eval or exec, allows pickles in numpy, or opens a shell."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in UNPICKLING]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLING:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called in {"eval", "exec", "torch.load", "torch.save", "yaml.load", "os.system"}:
                found.append(called)
            found += [name for name in ("allow_pickle", "shell") if options.get(name) == "True"]

    assert not found, f"{path.name} uses {found}: artifacts are safetensors, JSON and parquet; commands are lists"


def test_no_engine_overwrites() -> None:
    """Spark never overwrites: static mode wipes the other weeks, dynamic mode keeps stale rows of an emptied one."""
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in SOURCES}

    assert not [name for name, text in texts.items() if "overwrite" in text and "mode(" in text]


def test_f5_spark_never_skips_what_it_cannot_read() -> None:
    """Corrupt and missing files stop a stage: both ignore settings are off, and every stage sets them."""
    from nextbasket_assets.transforms.tables import SETTINGS

    assert SETTINGS["spark.sql.files.ignoreCorruptFiles"] == "false"
    assert SETTINGS["spark.sql.files.ignoreMissingFiles"] == "false"


def test_s6_the_ui_listens_to_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nextbasket ui` starts on 127.0.0.1; with --read-only it starts a viewer that takes no changes."""
    started: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda path, command: started.append(command))
    for name in ("NEXTBASKET_LANDING", "NEXTBASKET_LAKE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for arguments in (["ui"], ["ui", "--read-only"]):
        assert CliRunner().invoke(main, arguments).exit_code == 0

    working, viewing = started
    assert working[working.index("-h") + 1] == viewing[viewing.index("-h") + 1] == "127.0.0.1"
    assert "--read-only" in viewing
    assert Path(viewing[0]).name == "dagster-webserver"
