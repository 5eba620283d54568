"""The lake of a run: opened once, so that what one asset read of a table's log the next one need not read again."""

from pathlib import Path

from nextbasket_assets.resources.lake import LakeResource
from nextbasket_tests.lake.test_publish import ONE, put, rows, values


def test_a_resource_has_one_lake(tmp_path: Path) -> None:
    """Every asset of a run gets the same lake, which sees what another process publishes; another resource has its own."""
    resource = LakeResource(root=str(tmp_path / "lake"))
    other = LakeResource(root=str(tmp_path / "lake"))
    put(resource.open(), {ONE: rows(1)})
    assert values(resource.open(), ONE) == [1]
    put(other.open(), {ONE: rows(2)})

    assert resource.open() is resource.open()
    assert other.open() is not resource.open()
    assert values(resource.open(), ONE) == [2]
