"""Space: a disk that is full leaves the last good version, no stump, and one sentence. And runs that hang."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.settings.reading import settings
from nextbasket_tests.faults.scenarios import ONE, TABLE, put

ROOT = Path(__file__).parents[2]
WRITES_TOO_MUCH = """
import resource, signal, sys
from pathlib import Path
from nextbasket_tests.faults.scenarios import ONE, put
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
put(Path(sys.argv[1]), {ONE: 20_000})
"""


def test_p4_a_full_disk_leaves_the_last_good_version(tmp_path: Path) -> None:
    """A write that finds no space: one sentence with place and need, the stump is gone, the week is what it was."""
    put(tmp_path, {ONE: 3})
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    failed = subprocess.run(
        [sys.executable, "-c", WRITES_TOO_MUCH, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert failed.returncode == 1
    said = failed.stderr.strip().splitlines()[-1]
    assert f"no space left writing {tmp_path}/lake/{TABLE}/" in said
    assert "(need ~1 MB)" in said
    assert "Free some space" in said
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert Lake(str(tmp_path / "lake")).rows(TABLE) == {ONE: 3}


def test_p4_spark_and_torch_say_it_too() -> None:
    """The sentence comes whichever engine met the full disk first; other errors stay what they are."""
    deep = RuntimeError("An error occurred: java.io.IOException: No space left on device")
    with pytest.raises(LakeError, match="no space left writing PLACE"), room("PLACE", 0):
        raise deep
    with pytest.raises(KeyError), room("PLACE", 0):
        raise KeyError("x")


def test_p11_a_run_that_hangs_is_ended() -> None:
    """Every job carries a longest run time, the shipped settings enforce it, and only dead processes are tried again."""
    shipped = yaml.safe_load((ROOT / "nextbasket_assets" / "dagster.yaml").read_text())
    definitions = build_definitions(settings({}))

    assert shipped["run_monitoring"]["enabled"]
    assert shipped["run_retries"]["retry_on_asset_or_op_failure"] is False
    for job in definitions.jobs or ():
        assert int((job.tags or {})["dagster/max_runtime"]) > 0, job.name  # type: ignore[union-attr]


def test_what_a_dead_run_left_is_collected_and_what_lives_is_not(tmp_path: Path) -> None:
    """A staged folder of a run that has ended goes with the next publication; one of a running run stays."""
    lake = Lake(str(tmp_path / "lake"))
    put(tmp_path, {ONE: 1})
    for run in ("deaddead-1", "11111111-2"):
        stump = Path(lake.uri(TABLE, run, f"week={date(2006, 4, 10)}", "part.parquet"))
        stump.parent.mkdir(parents=True)
        stump.write_bytes(b"half")
    put(tmp_path, {ONE: 2}, running=["11111111-aaaa"])

    folders = {path.name for path in Path(lake.uri(TABLE)).iterdir() if path.is_dir()}
    assert "11111111-2" in folders
    assert "deaddead-1" not in folders
    assert len(folders) == 4  # the log, two publications, the living run's
