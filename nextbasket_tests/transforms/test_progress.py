"""What a stage says far away: a line that cannot be written costs the line alone."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.transforms import progress
from nextbasket_assets.transforms.files import write_text
from nextbasket_assets.transforms.progress import Progress

IDLE = SimpleNamespace(getActiveStageIds=list)
CONTEXT = SimpleNamespace(statusTracker=lambda: IDLE)
SPARK = cast(SparkSession, SimpleNamespace(version="3.5", sparkContext=CONTEXT))


@pytest.mark.parametrize(
    "lost",
    [lambda line: line == "between two jobs", lambda line: line.startswith("ends itself")],
    ids=["a line on the way", "the last line"],
)
def test_a_stage_ends_itself_though_a_line_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, lost: Callable[[str], bool]
) -> None:
    """S3 refuses one line: a stage that hangs is stopped at its limit all the same, once."""

    def refuse(_: SparkSession, __: str, line: str) -> None:
        if lost(line):
            raise OSError("503 SlowDown")

    monkeypatch.setattr(progress, "write_text", refuse)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.05)
    stopped: list[int] = []
    with Progress(SPARK, "s3://bucket/log", 0.2, stopped.append):
        time.sleep(0.5)

    assert stopped == [124]


def test_a_lost_line_does_not_hide_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a failed stage cannot be written: what is raised is the stage's own error."""

    def refuse(_: SparkSession, __: str, line: str) -> None:
        if line.startswith("failed"):
            raise OSError("503 SlowDown")

    monkeypatch.setattr(progress, "write_text", refuse)
    with pytest.raises(ValueError, match="too few"), Progress(SPARK, "s3://bucket/log", None):
        raise ValueError("too few")


def test_an_error_of_the_jvm_is_told_by_its_cause(spark: SparkSession, tmp_path: Path) -> None:
    """The line of a failed stage names what broke in the JVM, not which call of Python's it was."""
    write_text(spark, str(tmp_path / "there"), "whole")
    with pytest.raises(Py4JJavaError), Progress(spark, str(tmp_path / "log"), None):
        write_text(spark, str(tmp_path / "there"), "again")

    said = (tmp_path / "log" / "00001").read_text()
    assert said.startswith("failed: Py4JJavaError: org.apache.hadoop.fs.FileAlreadyExistsException")
    assert "An error occurred while calling" not in said


def test_an_error_of_a_worker_is_told_by_its_last_line(spark: SparkSession, tmp_path: Path) -> None:
    """The line of a stage that failed in a worker's Python is what that Python raised."""

    def broken(batches):
        raise ValueError("no such product")
        yield from batches

    with pytest.raises(Exception, match="no such product"), Progress(spark, str(tmp_path / "log"), None):
        spark.range(1).select(F.col("id")).mapInArrow(broken, "id long").collect()

    assert (tmp_path / "log" / "00001").read_text() == "failed: PythonException: ValueError: no such product"
