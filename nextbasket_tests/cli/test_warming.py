"""`nextbasket warm` rehearses Spark on a tiny shop, and the next Spark starts from the archive."""

import subprocess
import sys
from pathlib import Path

import pytest

ARCHIVES = (
    "import pathlib; from nextbasket_assets.resources import class_archive; class_archive.FOLDER = pathlib.Path({!r}); "
)
WARM = "from nextbasket_assets.cli.main import main; main(['warm'])"
MAPPED = (
    "from nextbasket_assets.resources.spark import LocalSparkResource; session = LocalSparkResource().session(); "
    "pid = session._jvm.java.lang.ProcessHandle.current().pid(); "
    "print(session.range(9).count(), '.jsa' in pathlib.Path(f'/proc/{pid}/maps').read_text())"
)


def python(code: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", ARCHIVES.format(str(folder / "an environment")) + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_spark_starts_from_what_warm_wrote(tmp_path: Path) -> None:
    """The command archives Spark's classes, also where a path has a space; the next Spark maps them and works."""
    warmed = python(WARM, tmp_path)
    assert warmed.returncode == 0, warmed.stderr
    assert "every Spark that starts in this environment reads it" in warmed.stderr

    started = python(MAPPED, tmp_path)
    assert started.stdout.split() == ["9", "True"], started.stderr
