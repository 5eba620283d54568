"""The catalogue is complete, and what it refers to exists."""

import ast
from pathlib import Path

import pytest

from nextbasket_tests.faults.catalogue import FAULTS
from nextbasket_tests.faults.fault import Fault
from nextbasket_tests.faults.more import MORE

TESTS = Path(__file__).parents[1]


def test_the_catalogue_has_all_faults() -> None:
    """Forty-nine rows and some more, each held by a test or said to be open."""
    assert len(FAULTS) == 49 + len(MORE)
    assert all(bool(fault.tests) != bool(fault.open) for fault in FAULTS.values())


@pytest.mark.parametrize("name", FAULTS)
def test_every_test_of_a_fault_exists(name: str) -> None:
    """A renamed test does not silently leave its fault without one."""
    fault: Fault = FAULTS[name]
    for test in fault.tests:
        file, _, function = test.partition("::")
        tree = ast.parse((TESTS / file).read_text())
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not function or function in names, f"{name} refers to {test}, which is gone"
