"""What a stage says while it runs far away: short lines, each a small object beside its report, in order."""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from pyspark.sql import SparkSession

from nextbasket_assets.transforms.files import write_text

_SECONDS_BETWEEN_LINES = 15.0
_ERROR_CHARACTERS = 1000


class Progress:
    """Tells that the stage has begun, how far its tasks are, and how it ended.

    Args:
        spark: its session.
        folder: URI prefix of the lines, which become `00000`, `00001`, ...
        limit: seconds after which the stage ends itself, whoever forgot it; None for no limit.
        stop: ends the process at the limit.
    """

    def __init__(
        self, spark: SparkSession, folder: str, limit: float | None, stop: Callable[[int], None] = os._exit
    ) -> None:
        self._spark, self._folder, self._limit, self._stop = spark, folder, limit, stop
        self._lines, self._said = 0, ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        python = ".".join(map(str, sys.version_info[:3]))
        self._say(f"begun on Spark {self._spark.version}, Python {python}")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        if kind is not None:
            with suppress(Exception):  # the stage's error is the news, not that its line could not be written
                self._say(f"failed: {kind.__name__}: {_cause(str(error))}"[:_ERROR_CHARACTERS])

    def _watch(self) -> None:
        began = time.monotonic()
        while not self._over.wait(_next(self._limit, time.monotonic() - began)):
            if self._limit is not None and time.monotonic() - began >= self._limit:
                with suppress(Exception):  # the limit holds, said or not
                    self._say(f"ends itself: {self._limit:.0f} seconds are over")
                self._stop(124)
                return
            with suppress(Exception):  # a line that is lost must not end the watch over the limit
                self._say(self._tasks())

    def _tasks(self) -> str:
        tracker = self._spark.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        running = [stage for stage in stages if stage is not None]
        done, all_ = sum(stage.numCompletedTasks for stage in running), sum(stage.numTasks for stage in running)
        return f"{done} of {all_} tasks" if running else "between two jobs"

    def _say(self, line: str) -> None:
        if line != self._said:
            write_text(self._spark, f"{self._folder}/{self._lines:05d}", line)
            self._lines, self._said = self._lines + 1, line


def _cause(message: str) -> str:
    """The line of an error's message that says why: of a JVM's the innermost cause, of a Python worker's the last.

    >>> _cause("An error occurred while calling o65.\\n: Aborted: x\\n\\tat a.b\\nCaused by: Broken: y\\n\\tat c")
    'Broken: y'
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by").lstrip(": ") for line in lines if line.startswith(("Caused by: ", ": "))]
    if causes:
        return causes[-1]
    of_worker = any(line.startswith("Traceback ") for line in lines)
    return lines[-1 if of_worker else 0] if lines else ""


def _next(limit: float | None, passed: float) -> float:
    """Seconds until the next look."""
    return _SECONDS_BETWEEN_LINES if limit is None else max(0.0, min(_SECONDS_BETWEEN_LINES, limit - passed))
