"""S7: what is installed has the bytes that were locked, and a file with others is refused."""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from nextbasket_tests.scripts import script

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "requirements.hashes").read_text()


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    return script(".ci/lock.py")


def test_every_pin_has_hashes(lock: ModuleType) -> None:
    """The same versions in both files but for torch, each with a sha256; `make lock` mends it."""
    wanted = lock.pins((ROOT / "requirements.lock").read_text())

    assert lock.pins(TEXT) == {name: version for name, version in wanted.items() if name not in lock.WITHOUT_HASH}
    for pin in re.split(r"\n(?=\S)", TEXT.strip()):
        assert re.fullmatch(r"\S+==\S+( ;[^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", pin), pin[:80]


def test_no_index_is_named() -> None:
    """The file says which bytes, never where from."""
    assert "://" not in TEXT
    assert "--index" not in TEXT


def test_another_file_of_the_same_version_is_refused(tmp_path: Path) -> None:
    """The install command of the Makefile, on a package made here: it takes the locked bytes and no others."""
    [options] = re.findall(r"pip install --quiet (--require-hashes.*) --requirement requirements.hashes", makefile())
    wheel = made(tmp_path, "1")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"sound==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", *options.split(), "--requirement", str(wanted)]
    command += ["--no-index", "--find-links", str(tmp_path), "--target"]
    taken = subprocess.run([*command, str(tmp_path / "one")], capture_output=True, text=True, check=False)
    made(tmp_path, "2")
    refused = subprocess.run([*command, str(tmp_path / "two")], capture_output=True, text=True, check=False)

    assert taken.returncode == 0, taken.stderr
    assert (tmp_path / "one" / "sound.py").read_text() == "VALUE = 1"
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "two" / "sound.py").exists()


def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def made(folder: Path, value: str) -> Path:
    """A wheel of one module."""
    path, info = folder / "sound-1.0-py3-none-any.whl", "sound-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sound.py", f"VALUE = {value}")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: sound\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"sound.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path
