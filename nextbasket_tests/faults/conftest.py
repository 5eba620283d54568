"""What the fault tests share: one small shop that went through real Spark once, copied for every test."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbasket_tests.faults import shop
from nextbasket_tests.faults.scenarios import trained_shop
from nextbasket_tests.platforms import Platform


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `before`, the shop of `trained_shop`, and the recordings of what Spark did for it."""
    folder = tmp_path_factory.mktemp("shop")
    trained_shop(folder)
    return folder


@pytest.fixture
def trained(recorded: Path, tmp_path: Path) -> Platform:
    """The shop's own copy for one test: four weeks, models as of the fourth, a fifth week and a correction landed."""
    shutil.copytree(recorded / "before", tmp_path / "shop")
    return shop.platform(tmp_path / "shop", recorded / "recordings", record=True)


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Callable[[str], Platform]:
    """Platforms with nothing in them, by name."""
    return lambda name: shop.platform(tmp_path_factory.mktemp(name), recordings, record=True)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Spark's work is kept, for tests that need no trained shop."""
    return tmp_path_factory.mktemp("recordings")
