"""What the lake was made from, as the sensor asks for it at every look."""

from pathlib import Path

import pytest

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import monday
from nextbasket_assets.operations.ingested import ingested
from nextbasket_tests.operations.ticking import Shop


def test_an_idle_look_reads_nothing_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lake was made from is read once per version of its table: an idle look opens no table and reads no file."""
    shop.deliver("200607")
    shop.ingest("200607")
    first = ingested(shop.lake).content
    with monkeypatch.context() as idle:
        idle.delattr("nextbasket_assets.lake.tables.DeltaTable")
        again = ingested(Lake(shop.lake.root)).content
    shop.deliver("200608", lines=2)
    shop.ingest("200608")

    assert again == first
    assert list(ingested(shop.lake).content) == [monday("200607"), monday("200608")]


def test_a_lake_that_was_restored_is_read_again(shop: Shop, tmp_path: Path) -> None:
    """Another table in the place of the former one, at the same version, is not taken for it."""
    shop.deliver("200607")
    shop.ingest("200607")
    assert list(ingested(shop.lake).content) == [monday("200607")]
    Path(shop.lake.uri("landed_files")).rename(tmp_path / "former")
    shop.deliver("200608")
    shop.ingest("200608")

    assert list(ingested(shop.lake).content) == [monday("200608")]


def test_every_week_has_its_own_count(shop: Shop) -> None:
    """A week that is published again counts by itself; the first week of all, whose commit made the table, begins at none."""
    for lines, week in ((1, "200607"), (2, "200608"), (3, "200608")):
        shop.deliver(week, lines=lines)
        shop.ingest(week)

    assert ingested(shop.lake).published == {monday("200607"): 0, monday("200608"): 2}
