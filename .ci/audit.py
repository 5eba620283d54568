"""Ask for known vulnerabilities of what is pinned; a waiver is a line of audit-waivers.txt with an end and a reason.

Exit 1 for a vulnerability without a waiver, and for an audit that failed. When the service cannot be reached, it says that
nothing was audited and exits 0: a machine without a network can still build.
"""

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "pip_audit", "--requirement", str(HERE.parent / "requirements.lock"), "--no-deps"]
COMMAND += ["--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
_UNREACHABLE = re.compile(r"^requests\.exceptions\.\w+|Could not connect to", re.MULTILINE)  # whatever the network says


def waivers(text: str, today: datetime.date) -> dict[str, str]:
    """Reason by ID, of the waivers that still hold.

    Raises:
        ValueError: a line has no end or no reason.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=2)
        if len(parts) < 3:
            raise ValueError(f"audit-waivers.txt line {number}: expected ID, YYYY-MM-DD and a reason")
        if datetime.date.fromisoformat(parts[1]) >= today:
            found[parts[0]] = parts[2]
    return found


def open_findings(report: str, waived: dict[str, str]) -> list[str]:
    """One line per vulnerability of the JSON report that no waiver names, by its ID or an alias."""
    lines = []
    for package in json.loads(report)["dependencies"]:
        for hole in package.get("vulns", ()):
            if not {hole["id"], *hole.get("aliases", ())} & waived.keys():
                fixed = ", ".join(hole["fix_versions"]) or "no version yet"
                lines.append(f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}")
    return lines


def skipped(report: str) -> tuple[int, int]:
    """How many packages the service could say nothing about, and how many there are."""
    packages = json.loads(report)["dependencies"]
    return sum("skip_reason" in package for package in packages), len(packages)


def verdict(report: str, waived: dict[str, str], said: str = "") -> tuple[int, str]:
    """Exit status and what to print for pip-audit's JSON report, empty when it gave none, and what it said on stderr."""
    try:
        found, (unknown, asked) = open_findings(report, waived), skipped(report)
    except ValueError:
        if not _UNREACHABLE.search(said):
            return 1, f"NOT AUDITED: pip-audit failed.\n{said}"
        found, (unknown, asked) = [], (0, 0)
    else:
        if not asked:
            return 1, f"NOT AUDITED: pip-audit looked at no package.\n{said}"
    if unknown == asked:
        return 0, "NOT AUDITED: the vulnerability service gave no answer. Nothing is known about what is pinned."
    partly = f"; NOT AUDITED: {unknown} of {asked} packages, which the service does not know" if unknown else ""
    if found:
        return 1, "\n".join([*found, f"{len(found)} open, {len(waived)} waiver(s){partly}"])
    return 0, f"no open vulnerability in {asked - unknown} packages, {len(waived)} waiver(s){partly}"


def main() -> int:
    """Run the audit; the exit status."""
    waived = waivers((HERE / "audit-waivers.txt").read_text(), datetime.date.today())
    asked = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    status, text = verdict(asked.stdout, waived, asked.stderr)
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
