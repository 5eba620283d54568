"""What the tests of the sensor share."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from nextbasket_tests.operations.ticking import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path, instance)
