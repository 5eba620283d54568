"""`nextbasket doctor` finds what is wrong, says what to do, and its exit code says whether anything is."""

import dataclasses
import gzip
import json
import os
from pathlib import Path

import pytest

from nextbasket_assets.cli import health
from nextbasket_assets.cli.health import OK, WARNING, WRONG
from nextbasket_assets.landing import FIELDS
from nextbasket_assets.settings.reading import Settings, settings
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.faults.test_supply import FLOORS

GIGABYTE = 1 << 30


def places(root: Path) -> Settings:
    return dataclasses.replace(settings({}), landing=str(root / "landing"), lake=str(root / "lake"))


def test_a_sound_machine_is_healthy(on_lake: Run) -> None:
    """Java starts, versions are above the floors, the scored week is found; a landing folder without weeks is a warning."""
    result = on_lake("doctor", "--json")
    answer = json.loads(result.stdout)
    states = {finding["about"]: finding["state"] for finding in answer["findings"]}

    assert result.exit_code == 0, result.output
    assert answer["healthy"]
    assert states.keys() == {"java", "memory", "disk", "versions", "landing", "lake", "runs"}
    assert (states["java"], states["versions"], states["lake"], states["landing"]) == (OK, OK, OK, WARNING)


def test_what_is_wrong_is_red(on_lake: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Java that is none and a landing folder that is not there: both are named, with what to do, and the code is 5."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("NEXTBASKET_LANDING", str(tmp_path / "nowhere"))
    result = on_lake("doctor", "--json")
    found = {finding["about"]: finding for finding in json.loads(result.stdout)["findings"]}

    assert result.exit_code == 5
    assert result.stderr.splitlines()[1] == "why    2 of 7 things are wrong: java, landing."
    assert found["java"]["to_do"] == "Point it at a Java 17, or unset it."
    assert found["landing"]["to_do"] == "Create it, or set NEXTBASKET_LANDING to the right one."


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ('openjdk version "17.0.9" 2023-10-17', OK),
        ('java version "1.8.0_392"', OK),
        ('openjdk version "21.0.1"', WRONG),
        ("command not found", WRONG),
    ],
)
def test_only_a_java_that_spark_knows_will_do(said: str, state: str) -> None:
    """8, 11 and 17; the old way to write 8, too."""
    assert health.java_version(said, "/j").state == state


def test_memory_is_compared_with_what_is_needed() -> None:
    """Three gigabytes of heap and two beside it."""
    assert health.memory("3g", 5 * GIGABYTE).state == OK
    assert health.memory("3g", 4 * GIGABYTE).state == WARNING
    assert health.memory("512m", 3 * GIGABYTE).state == OK


@pytest.mark.parametrize(("limit", "bytes_"), [("1048576\n", 1 << 20), ("max\n", None), (str(1 << 62), None)])
def test_a_container_has_the_memory_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, bytes_: int | None
) -> None:
    """The limit where there is one, and never more than the machine has."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(health, "Path", lambda name: tmp_path / name.rpartition("/")[2])

    assert health.total_memory() == (bytes_ or machine)


@pytest.mark.parametrize(("free", "state"), [(20 * GIGABYTE, OK), (2 * GIGABYTE, WARNING), (GIGABYTE // 2, WRONG)])
def test_disk_is_looked_at_where_the_lake_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    """The folder need not be there yet: the nearest one that is counts."""
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))

    assert health.disk(places(tmp_path)).state == state


@pytest.mark.parametrize("look", ["lake", "runs"])
@pytest.mark.parametrize("below", ["", "/sub"])
def test_a_file_where_a_folder_belongs_is_wrong(tmp_path: Path, look: str, below: str) -> None:
    """A lake or a DAGSTER_HOME that is a file, or would lie below one, is named."""
    (tmp_path / "file").touch()
    place = f"{tmp_path / 'file'}{below}"
    found = getattr(health, look)(dataclasses.replace(places(tmp_path), lake=place, dagster_home=place))

    assert found.state == WRONG
    assert found.why == f"{tmp_path / 'file'} cannot be written (Not a directory)"


def test_floors_are_the_suites() -> None:
    """What doctor calls old is what the supply tests call old."""
    assert health.FLOORS == FLOORS


def test_an_old_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the floor that it is below."""
    monkeypatch.setattr(health, "version", lambda name: "2.9.1+cpu" if name == "torch" else "99")
    found = health.versions()

    assert found.state == WRONG
    assert found.why == "known holes: torch 2.9.1+cpu (floor 2.10)"


def test_files_that_nobody_reads_are_said(tmp_path: Path) -> None:
    """Weekly files under another name are a warning that shows the first of them; companions and item lists are none."""
    folder = tmp_path / "landing"
    folder.mkdir()
    for name in ("transactions_200607.csv.gz", "products.csv", "export.yaml", "sales 2006.csv"):
        (folder / name).touch()
    (folder / "export.yaml").write_text("allow: in stock.txt\n")
    (folder / "in stock.txt").write_text("a\n")
    found = health.landing(places(tmp_path))

    assert found.state == WARNING
    assert "1 week(s) with a file, 200607 to 200607" in found.why
    assert "1 other file(s) that nobody reads, 'sales 2006.csv' first" in found.why


@pytest.mark.parametrize("name", ["products.csv", "time.csv"])
def test_a_companion_that_cannot_be_used_is_said(tmp_path: Path, name: str) -> None:
    """The weeks do without it, so that it is a warning, with what to do."""
    folder = tmp_path / "landing"
    folder.mkdir()
    week_of_lines(folder, "transactions_200607.csv", 1)
    (folder / name).write_text("CODE,NAME\na,apples\n")
    found = health.landing(places(tmp_path))

    assert found.state == WARNING
    assert name in found.why
    assert found.to_do


def landing_finding(run: Run) -> dict[str, str]:
    """What doctor says about the landing folder."""
    found = json.loads(run("doctor", "--json").stdout)["findings"]
    return next(finding for finding in found if finding["about"] == "landing")


def week_of_lines(folder: Path, name: str, lines: int) -> None:
    text = "\n".join([",".join(FIELDS), *["," * (len(FIELDS) - 1)] * lines, ""]).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)


@pytest.mark.parametrize(("lines", "state"), [(1, OK), (2, WRONG)])
def test_rivals_for_a_week_are_wrong(on_lake: Run, tmp_path: Path, lines: int, state: str) -> None:
    """Two files of one week that differ stop every run of it; the same content twice is one week."""
    week_of_lines(tmp_path / "landing", "transactions_200607.csv", 1)
    week_of_lines(tmp_path / "landing", "transactions_200607.csv.gz", lines)
    found = landing_finding(on_lake)

    assert found["state"] == state
    assert ("is another file for week 200607" if state == WRONG else "1 week(s) with a file") in found["why"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"allow: gone.txt", "Export.yaml names 'gone.txt', which is not in the landing folder."),
        (b"length: huge", "Length is 'huge'."),
        (b"campaign: spring\nholdout_share: 1", "Holdout_share is 1."),
        (b"campaign: \xff", "export.yaml is not YAML in UTF-8"),
    ],
)
def test_an_export_yaml_that_cannot_be_used_is_wrong(on_lake: Run, tmp_path: Path, text: bytes, why: str) -> None:
    """What would stop every export of a week is said before one runs."""
    (tmp_path / "landing" / "export.yaml").write_bytes(text)
    found = landing_finding(on_lake)

    assert found["state"] == WRONG
    assert found["why"].lower().startswith(why.lower())


def test_a_settings_yaml_that_cannot_be_used_is_wrong(on_lake: Run, tmp_path: Path) -> None:
    """What would stop every run is said before one is started, and a sound file is no stranger in the folder."""
    (tmp_path / "landing" / "settings.yaml").write_text("next_basket_scores: {k: 7}")
    sound = landing_finding(on_lake)
    (tmp_path / "landing" / "settings.yaml").write_text("next_basket_scores: {length: 7}")
    found = landing_finding(on_lake)

    assert "settings.yaml" not in sound["why"]
    assert found["state"] == WRONG
    assert "below next_basket_scores is something else than its settings" in found["why"]


def test_a_week_that_is_not_wanted_is_wrong(on_lake: Run, tmp_path: Path) -> None:
    """A landed week after the last one that the settings allow."""
    (tmp_path / "landing" / "transactions_200901.csv").touch()
    found = landing_finding(on_lake)

    assert found["state"] == WRONG
    assert "lie outside the weeks wanted" in found["why"]
