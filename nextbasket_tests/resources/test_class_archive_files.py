"""The file of the archive, without a JVM: whole or not there, one for a Java and a Spark."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbasket_assets.resources import class_archive


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Java that ships its own base archive, and an empty environment."""
    monkeypatch.setattr(class_archive, "FOLDER", tmp_path / "share")
    shipped = tmp_path / "java" / "lib" / "server" / "classes.jsa"
    shipped.parent.mkdir(parents=True)
    shipped.touch()
    return str(tmp_path / "java")


def writes(content: bytes) -> Callable[[str], None]:
    """A JVM that ends with this archive."""

    def work(flags: str) -> None:
        Path(shlex.split(flags)[-1].removeprefix("-XX:ArchiveClassesAtExit=")).write_bytes(content)

    return work


def test_a_cut_archive_is_not_named(java: str) -> None:
    """A JVM that maps a cut one dies, so a file that is shorter than its name says is left aside."""
    made = class_archive.make(java, writes(b"classes"))

    assert f"-XX:SharedArchiveFile={made}" in class_archive.flags(java)
    made.write_bytes(b"class")
    assert class_archive.flags(java) == ""


def test_an_archive_that_is_stopped_half_way_leaves_the_former(java: str) -> None:
    """Nothing of it lies about, and the former is named as before."""
    former = class_archive.make(java, writes(b"classes"))

    def stopped(flags: str) -> None:
        writes(b"cl")(flags)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        class_archive.make(java, stopped)
    assert list(former.parent.iterdir()) == [former]
    assert str(former) in class_archive.flags(java)


def test_the_newest_archive_takes_the_formers_place(java: str) -> None:
    """Of two with different sizes the one that was made last is left."""
    class_archive.make(java, writes(b"classes"))
    newest = class_archive.make(java, writes(b"more classes"))

    assert list(newest.parent.iterdir()) == [newest]


def test_another_spark_goes_without(java: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update of Spark the archive of the former one is not named."""
    class_archive.make(java, writes(b"classes"))
    monkeypatch.setattr(class_archive, "version", lambda _: "4.0.0")

    assert class_archive.flags(java) == ""
