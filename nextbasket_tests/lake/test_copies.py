"""Copies of the lake's files on this machine: customers are in them, so none outlives its process for long."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pyarrow.fs
import pytest

from nextbasket_assets.lake import copies
from nextbasket_assets.lake.copies import local_files, new_folder
from nextbasket_assets.lake.tables import Lake

HOLD = """
import sys, time
from nextbasket_tests.lake.test_copies import FarLake
from nextbasket_assets.lake.copies import local_files
with local_files(FarLake(sys.argv[1]), [FarLake.root + "/part.parquet"]) as files:
    print(files[0], flush=True)
    time.sleep(600)
"""


class Puts:
    """A storage that keeps the paths of what was put, in order."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def put(self, path: str, _: object) -> None:
        self.paths.append(path)


class FarLake:
    """A lake that is not on this machine's disk, as `copies` sees it; its files are in a folder all the same."""

    root = "s3://shop/lake"
    filesystem = pyarrow.fs.LocalFileSystem()

    def __init__(self, folder: str) -> None:
        self.folder, self.storage = folder, Puts()

    def path(self, *parts: str) -> str:
        return "/".join((self.folder, *parts))


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarLake:
    """With temporary files in a folder of the test's own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "part.parquet").write_bytes(b"CUST0000000001")
    return FarLake(str(tmp_path))


@pytest.fixture
def other(lake: FarLake) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Another process that holds a copy, and where the copy is."""
    with subprocess.Popen([sys.executable, "-c", HOLD, lake.folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_killed_process_leaves_nothing_for_long(lake: FarLake, other: tuple["subprocess.Popen[str]", Path]) -> None:
    """The next copy collects what a killed process left, and not what a living one holds."""
    process, copy = other
    with local_files(cast(Lake, lake), [f"{lake.root}/part.parquet"]):
        assert copy.read_bytes() == b"CUST0000000001"

    process.kill()
    process.wait()
    assert copy.exists()
    with local_files(cast(Lake, lake), [f"{lake.root}/part.parquet"]):
        assert not copy.parent.exists()


def test_copies_beside_each_other_stay_until_their_block_ends(lake: FarLake) -> None:
    """Of one process, too, a copy does not collect the one that is still used; afterwards nothing is left."""
    uris = [f"{lake.root}/part.parquet"]
    with local_files(cast(Lake, lake), uris) as first:
        with local_files(cast(Lake, lake), uris) as second:
            assert first != second
        assert Path(first[0]).read_bytes() == b"CUST0000000001"
        assert not Path(second[0]).exists()
    with pytest.raises(RuntimeError), new_folder(cast(Lake, lake), "models/x") as folder:
        (Path(folder) / "weights").touch()
        raise RuntimeError

    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_a_folders_digests_arrive_last(lake: FarLake) -> None:
    """What a killed process copied in part has no digests, and is no model to anybody."""
    with new_folder(cast(Lake, lake), "models/x") as folder:
        for name in ("weights", "SHA256SUMS", "Z"):
            (Path(folder) / name).touch()

    assert [path.removeprefix(f"{lake.folder}/") for path in lake.storage.paths] == [
        "models/x/Z",
        "models/x/weights",
        "models/x/SHA256SUMS",
    ]


def test_a_folder_that_was_collected_before_its_lock_is_not_used(
    lake: FarLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the new folder for a leftover: the copy goes into another one."""
    lock, taken = copies.fcntl.flock, []

    def late(place: int, how: int) -> None:
        if not taken:
            taken.extend(Path(tempfile.gettempdir()).iterdir())
            taken[0].rmdir()
        lock(place, how)

    monkeypatch.setattr(copies.fcntl, "flock", late)
    with local_files(cast(Lake, lake), [f"{lake.root}/part.parquet"]) as [copy]:
        assert Path(copy).read_bytes() == b"CUST0000000001"
        assert Path(copy).parent != taken[0]
