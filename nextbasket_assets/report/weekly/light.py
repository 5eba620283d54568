"""Green, amber or red: what a claim about a week is, and how claims become a light."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextbasket_assets.report.weekly.facts import WeekFacts

GREEN, AMBER, RED = "green", "amber", "red"

Answer = tuple[bool | None, str]


@dataclass(frozen=True)
class Finding:
    """One claim about the week.

    Attributes:
        claim: what should hold; the name of the check where there is one.
        light: of a week that breaks it.
        held: None when it cannot be known yet.
        found: the numbers that decided.
    """

    claim: str
    light: str
    held: bool | None
    found: str


@dataclass(frozen=True)
class Claim:
    """What is asked about a week.

    Attributes:
        light: of a week that breaks it.
        answer: the question.
        remedy: what to do then. without_model: what to do instead when no model is in service; "" for the same.
    """

    light: str
    answer: Callable[["WeekFacts"], Answer]
    remedy: str
    without_model: str = ""


def light_of(findings: Iterable[Finding]) -> str:
    """Red when a red claim is broken, else amber when an amber one is, else green. What is not known changes nothing."""
    broken = {finding.light for finding in findings if finding.held is False}
    return next((light for light in (RED, AMBER) if light in broken), GREEN)


def reasons(found: Sequence[Finding]) -> list[Finding]:
    """The broken claims, red ones first; empty for a green week."""
    return sorted((one for one in found if one.held is False), key=lambda one: one.light != RED)
