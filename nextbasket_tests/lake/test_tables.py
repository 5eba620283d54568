"""Reading the lake: what is not as it was published is named, and no reader takes it for less."""

from pathlib import Path

import pytest

from nextbasket_assets.lake.storage import PlaceError
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.lake.test_publish import ONE, TABLE, put, rows
from nextbasket_tests.lake.test_registry import EARLY, PROMOTED, decide


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize(("empty", "said"), [(False, "is missing"), (True, "has 0 bytes instead of")])
def test_a_file_that_is_gone_or_cut_is_named(lake: Lake, empty: bool, said: str) -> None:
    """By whoever reads rows, asks for files, or looks for a model: fewer rows than were published are never read."""
    put(lake, {ONE: rows(1)})
    decide(lake, EARLY, "early", PROMOTED)
    for file in [*Path(lake.uri(TABLE)).rglob("part-*.parquet"), *Path(lake.uri("model_registry")).glob("*.parquet")]:
        file.unlink()
        if empty:
            file.touch()

    for look in (lambda: lake.read(TABLE, [ONE]), lambda: lake.files(TABLE, [ONE]), lake.registry):
        with pytest.raises(LakeError, match=rf"1 data file\(s\) are not what was published: .* {said}"):
            look()


def test_a_place_of_another_scheme_is_no_lake() -> None:
    """What is neither a folder nor a bucket of S3 becomes no folder of this machine."""
    with pytest.raises(PlaceError, match="gs://shop/lake: a lake is an absolute folder or an s3://bucket/prefix"):
        Lake("gs://shop/lake")
