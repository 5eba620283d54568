"""`make faults`: run the catalogue and print one line per fault, the time, and how many points the crash loop killed."""

import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from nextbasket_tests.faults.catalogue import FAULTS
from nextbasket_tests.faults.fault import Fault

TESTS = Path(__file__).parents[1]


class Ledger:
    """A pytest plugin that keeps the outcome of every test, and the kills that tests report."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[str]] = defaultdict(list)
        self.killed = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest for set-up, call and tear-down."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid.split("[")[0]].append(report.outcome)
        if report.when == "call":
            self.killed += sum(count for name, count in report.user_properties if name == "killed")

    def of(self, fault: Fault) -> str:
        """passed, failed, slow (left out), or open."""
        if fault.open:
            return "open"
        found = [
            outcome
            for test in fault.tests
            for node, outcomes in self.outcomes.items()
            if node.endswith(test) or f"{test}::" in node
            for outcome in outcomes
        ]
        if "failed" in found:
            return "FAILED"
        return "passed" if "passed" in found else "not run"


def main(arguments: list[str]) -> int:
    """Run and print; the exit status of the tests."""
    chosen = sorted({str(TESTS / test) for fault in FAULTS.values() for test in fault.tests})
    chosen = [path for path in chosen if path.split("::")[0] not in chosen or "::" not in path]
    marks = ["-m", "not slow"] if "--fast" in arguments else []
    ledger, start = Ledger(), time.monotonic()
    status = pytest.main(["-q", "--no-header", *marks, *chosen, str(TESTS / "faults")], plugins=[ledger])
    print(f"\n{'':5}{'fault':54}{'tests':>6}  outcome")
    for name, fault in FAULTS.items():
        print(
            f"{name:5}{fault.inject:54}{len(fault.tests):>6}  {ledger.of(fault)}{f': {fault.open}' if fault.open else ''}"
        )
    outcomes = [ledger.of(fault) for fault in FAULTS.values()]
    tally = ", ".join(f"{outcomes.count(word)} {word}" for word in ("passed", "FAILED", "open", "not run"))
    print(f"\n{len(FAULTS)} faults: {tally}; {ledger.killed} crash points killed; {time.monotonic() - start:.0f} s")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
