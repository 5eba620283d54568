"""Wall and CPU seconds of a process and its children, the JVM among them: wall time says little on a busy machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).resolve().parents[1]


class Span:
    """What passed since it was made."""

    def __init__(self) -> None:
        """Starts now."""
        self._wall, self._cpu = time.monotonic(), cpu_seconds()
        self.wall_seconds = self.cpu_seconds = 0.0

    def stop(self) -> None:
        """Ends now."""
        self.wall_seconds, self.cpu_seconds = time.monotonic() - self._wall, cpu_seconds() - self._cpu

    def add(self, other: "Span") -> None:
        """Counts another span in."""
        self.wall_seconds += other.wall_seconds
        self.cpu_seconds += other.cpu_seconds

    def taken(self) -> tuple[float, float]:
        """Wall and CPU seconds."""
        return self.wall_seconds, self.cpu_seconds


@contextmanager
def span() -> Iterator[Span]:
    """Measures its block."""
    measured = Span()
    try:
        yield measured
    finally:
        measured.stop()


def cpu_seconds() -> float:
    """Of this process, of its descendants that live, and of those that were waited for."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        stats[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    family = {os.getpid()}
    while more := {pid for pid, (parent, _) in stats.items() if parent in family} - family:
        family |= more
    return sum(stats[pid][1] for pid in family if pid in stats) / _TICKS


def peak_mb(pid: int) -> int:
    """Most memory that a living process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def in_a_process(module: str, *arguments: str, **environment: str) -> Any:
    """What a module of the benchmarks prints as its last line, run in a process of its own, as JSON."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), **environment}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def of_a_process(code: str) -> tuple[float, float]:
    """Wall and CPU seconds of a fresh interpreter that runs this code, from its start to its end."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, cwd=_ROOT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{code!r} ended with {process.returncode}: run it by hand to see why")
    return time.monotonic() - start, used.ru_utime + used.ru_stime
