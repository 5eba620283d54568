"""The archive of Spark's classes: a JVM uses it, or goes without it; it never fails because of it."""

import shlex
import subprocess
from pathlib import Path

import pyspark
import pytest

from nextbasket_assets.resources import class_archive
from nextbasket_assets.resources.class_archive import ClassArchiveError
from nextbasket_assets.resources.java import java_home
from nextbasket_assets.resources.spark import LocalSparkResource

pytestmark = pytest.mark.slow  # every test starts several JVMs
JARS = str(Path(pyspark.__file__).parent / "jars" / "*")


def submit(flags: str) -> "subprocess.CompletedProcess[str]":
    """Spark's own program, which says its version and ends."""
    command = [f"{java_home()}/bin/java", *shlex.split(flags), "-cp", JARS, "org.apache.spark.deploy.SparkSubmit"]
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)


def mapped(flags: str) -> bool:
    """Whether a JVM takes Spark's program from the archive."""
    said = submit(f"{flags} -Xlog:class+load:file=/dev/stdout").stdout
    return "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" in said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(class_archive, "FOLDER", tmp_path_factory.mktemp("environment") / "share")
        return class_archive.make(java_home(), lambda flags: submit(flags) and None)


@pytest.fixture
def archive(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive of a run of `submit`, in a folder that is the environment's for the test."""
    monkeypatch.setattr(class_archive, "FOLDER", made.parent)
    return made


def test_a_jvm_maps_the_archive_unless_it_is_damaged(archive: Path) -> None:
    """What Spark loads comes from the archive; a flipped byte is found, and Spark starts without it; a cut one is not named."""
    assert mapped(class_archive.flags(java_home()))

    whole = archive.read_bytes()
    archive.chmod(0o600)
    archive.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 255]) + whole[len(whole) // 2 + 1 :])
    flags = class_archive.flags(java_home())
    assert flags
    assert not mapped(flags)
    assert submit(flags).returncode == 0

    archive.write_bytes(whole[:-4096])
    assert class_archive.flags(java_home()) == ""
    archive.write_bytes(whole)


def test_another_java_goes_without(archive: Path, tmp_path: Path) -> None:
    """The archive of one Java is not named to another one."""
    other = tmp_path / "another java"
    other.mkdir()
    (other / "release").write_text('JAVA_VERSION="17.0.99"')

    assert class_archive.flags(java_home())
    assert class_archive.flags(str(other)) == ""


def test_made_again_it_takes_the_place_of_the_former(archive: Path) -> None:
    """There is one archive of a Java, however often it is made, and nothing else lies about."""
    before = sorted(archive.parent.iterdir())
    again = class_archive.make(java_home(), lambda flags: submit(flags) and None)

    assert len(list(archive.parent.iterdir())) == len(before) == 2
    assert again.exists()
    assert mapped(class_archive.flags(java_home()))


def test_a_java_that_writes_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no archive came of the work, that is said, and none is left."""
    monkeypatch.setattr(class_archive, "FOLDER", tmp_path / "share")

    with pytest.raises(ClassArchiveError, match="ended without writing an archive"):
        class_archive.make(java_home(), lambda _: None)
    assert class_archive.flags(java_home()) == ""


def test_an_environment_that_may_not_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the folder, and that one can do without."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(class_archive, "FOLDER", tmp_path / "file" / "share")

    with pytest.raises(ClassArchiveError, match=r"file/share: the archive .* cannot be written .* or go without"):
        class_archive.make(java_home(), lambda _: None)


def test_spark_is_started_with_it(archive: Path) -> None:
    """The local Spark's JVM gets the flags after its own, once."""
    options = LocalSparkResource(java_options="-XX:+UseSerialGC")._configuration(java_home())[
        "spark.driver.extraJavaOptions"
    ]
    again = LocalSparkResource(java_options=options)._configuration(java_home())["spark.driver.extraJavaOptions"]

    assert options == f"-XX:+UseSerialGC {class_archive.flags(java_home())}"
    assert again == options
