"""S7: the audit stops for a known hole, lets pass what is waived in writing, and never claims what it did not do."""

import datetime
import json
from types import ModuleType

import pytest

from nextbasket_tests.scripts import script

TODAY = datetime.date(2026, 1, 1)


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    return script(".ci/audit.py")


def report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages})


HOLE = {"id": "GHSA-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.0"]}
BAD = {"name": "leaky", "version": "1.0", "vulns": [HOLE]}
GOOD = {"name": "sound", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found"}


def test_a_known_hole_stops_the_build(audit: ModuleType) -> None:
    """Package, version, ID and where it is fixed; exit 1."""
    status, text = audit.verdict(report(BAD, GOOD), {})

    assert status == 1
    assert text.splitlines()[0] == "leaky 1.0: GHSA-1, fixed in 2.0"


@pytest.mark.parametrize("name", ["GHSA-1", "CVE-2026-1"])
def test_a_waiver_has_an_end_and_a_reason(audit: ModuleType, name: str) -> None:
    """By its ID or an alias, until its last day; a waiver without a reason is an error."""
    line = f"# comment\n\n{name} 2026-01-01 only on Windows"

    assert audit.verdict(report(BAD), audit.waivers(line, TODAY))[0] == 0
    assert audit.verdict(report(BAD), audit.waivers(line, TODAY + datetime.timedelta(days=1)))[0] == 1
    with pytest.raises(ValueError, match="line 1: expected ID"):
        audit.waivers(f"{name} 2026-01-01", TODAY)


@pytest.mark.parametrize("answer", ["", report(UNKNOWN, UNKNOWN)])
def test_without_an_answer_it_says_so_and_does_not_fail(audit: ModuleType, answer: str) -> None:
    """A service that cannot be reached: the build goes on, and the words are plain."""
    assert audit.verdict(answer, {}, "requests.exceptions.ProxyError: no way") == (
        0,
        "NOT AUDITED: the vulnerability service gave no answer. Nothing is known about what is pinned.",
    )


def test_an_audit_that_failed_is_no_audit(audit: ModuleType) -> None:
    """A crash or an option that is gone fails the build, with what pip-audit said."""
    status, text = audit.verdict("", {}, "pip-audit: error: unrecognized arguments: --x")

    assert status == 1
    assert "unrecognized arguments" in text
    assert audit.verdict(report(), {})[0] == 1


def test_what_the_service_does_not_know_is_said(audit: ModuleType) -> None:
    """Packages without an answer are no packages without a hole."""
    assert audit.verdict(report(GOOD, UNKNOWN), {})[1] == (
        "no open vulnerability in 1 packages, 0 waiver(s); NOT AUDITED: 1 of 2 packages, which the service does not know"
    )
