"""A row of the catalogue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is injected, the tests that hold the outcome, and why it is open where there is none."""

    inject: str
    tests: tuple[str, ...] = ()
    open: str = ""
