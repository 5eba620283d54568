"""Spark's classes, parsed once: a JVM that maps this archive starts, and does its first work, in half the time (JEP 350).

`nextbasket warm` writes the archive into the Python environment. It belongs to one Java and one Spark in their places; a JVM
that finds others, or damage, goes without it. docs/decisions/0071 says why.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from nextbasket_assets.errors import NextbasketError

FOLDER = Path(sys.prefix) / "share" / "nextbasket"
FLAG = "-XX:SharedArchiveFile"  # names the archives of a JVM
_QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off"  # a JVM that goes without an archive need not say so
_BASE, _SPARK = "java", "spark"  # Java's own classes, and above them those of Spark


class ClassArchiveError(NextbasketError):
    """The archive was not written; everything works without it."""


def flags(java: str) -> str:
    """JVM flags that map the archive, empty while there is none.

    Args:
        java: folder of the runtime (`java.java_home`).
    """
    spark, base = _kept(_SPARK, java), _kept(_BASE, java)
    if spark is None or (base is None and not _ships_base(java)):
        return ""
    # verified: a tenth of a second, and damaged bytes are not run
    return f"{_mapped(base, spark)} -XX:+VerifySharedSpaces {_QUIET}"


def make(java: str, work: Callable[[str], None]) -> Path:
    """Write the archive, in place of a former one.

    Args:
        java: folder of the runtime.
        work: does what Spark usually does in a JVM with the flags it is given, and returns when that JVM has ended.

    Raises:
        ClassArchiveError: the environment may not be written, or Java wrote nothing.
    """
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        base = None if _ships_base(java) else _write(_BASE, java, lambda path: _dump(java, path))
        mapped = f"{_mapped(base)} " if base else ""
        return _write(_SPARK, java, lambda path: work(f'{mapped}{_QUIET} "-XX:ArchiveClassesAtExit={path}"'))
    except OSError as error:
        raise ClassArchiveError(
            f"{FOLDER}: the archive of Spark's classes cannot be written ({error.strerror}). Make the Python environment "
            "writable for this command, or go without: only starts take longer."
        ) from error


def _write(kind: str, java: str, by: Callable[[Path], None]) -> Path:
    growing = FOLDER / f".{_name(kind, java)}-{os.getpid()}"
    try:
        by(growing)
        if not growing.exists():
            raise ClassArchiveError(
                f"{java}: this Java ended without writing an archive of its classes. Use the Java that comes with the "
                "packages (unset JAVA_HOME), or go without: only starts take longer."
            )
        written = growing.replace(FOLDER / f"{_name(kind, java)}-{growing.stat().st_size}.jsa")
        for former in set(FOLDER.glob(f"{_name(kind, java)}-*.jsa")) - {written}:
            former.unlink()
        return written
    finally:
        growing.unlink(missing_ok=True)


def _dump(java: str, path: Path) -> None:
    subprocess.run([f"{java}/bin/java", "-Xshare:dump", f"{FLAG}={path}"], capture_output=True, check=False)


def _ships_base(java: str) -> bool:
    return (Path(java) / "lib" / "server" / "classes.jsa").exists()


def _mapped(*archives: Path | None) -> str:
    return f'"{FLAG}={":".join(str(path) for path in archives if path)}"'


def _kept(kind: str, java: str) -> Path | None:
    """The archive, unless it was cut: its name says its size, and a JVM that maps a cut one dies."""
    for path in FOLDER.glob(f"{_name(kind, java)}-*.jsa"):
        if path.stem.endswith(f"-{path.stat().st_size}"):
            return path
    return None


def _name(kind: str, java: str) -> str:
    release = Path(java) / "release"
    told = [java, release.read_text() if release.exists() else "", version("pyspark")]
    return f"{kind}-{hashlib.sha256(' '.join(told).encode()).hexdigest()[:12]}"
