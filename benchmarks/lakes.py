"""Platforms for the rows that run jobs: a landing folder, an empty lake or one with history, a Dagster home."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from benchmarks.inputs import landing, landing_files
from benchmarks.jobs import job_seconds

HISTORY = 27  # weeks when a new one arrives: half a year, and the week that is new


@contextmanager
def empty(small: bool, weeks: int | None = None) -> Iterator[tuple[Path, list[date]]]:
    """A platform that has its weeks landed and nothing made of them; its root and the weeks."""
    with tempfile.TemporaryDirectory() as folder, landing(small, weeks) as files:
        root = Path(folder)
        shutil.copytree(files, root / "landing", symlinks=True)
        yield root, [file.week for _, file in landing_files(root / "landing")]


@contextmanager
def filled(small: bool, *, trained: bool) -> Iterator[tuple[Path, list[date]]]:
    """A platform with all weeks but the last one in the lake, and, when trained, with models as of the last but one."""
    with empty(small, HISTORY) as (root, weeks):
        *before, as_of = weeks[:-1]
        job_seconds(root, "backfill_weeks", before[0], before[-1] if trained else as_of)
        if trained:
            job_seconds(root, "train_and_score_week", as_of, as_of)
        yield root, weeks
