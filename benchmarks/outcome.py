"""What a row of `run.py` found: figures of ours and of the peers, the goals they are held against, and the limit."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any


def require_writable(parser: argparse.ArgumentParser, path: Path) -> None:
    """End the command before its work when its figures could not be written there after it."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        parser.error(f"{path} cannot be written: name a file in a folder that is there")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One thing that was run.

    Attributes:
        name: what ran.
        wall_seconds: by the clock; moves with whatever else the machine does.
        cpu_seconds: of the process and its children, the JVM among them; None where it cannot be told apart.
        more: other numbers, by name.
    """

    name: str
    wall_seconds: float
    cpu_seconds: float | None = None
    more: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Goal:
    """A number, and the bound it should keep.

    Attributes:
        what: the number in words.
        value: as measured.
        bound: the goal.
        at_least: whether the number should be at least the bound; at most without it.
    """

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the number keeps the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One row.

    Attributes:
        goals: the first one is the row's `ratio` and `goal`.
        figures: everything that ran, ours and the peers.
        limit: what the work cannot go below (bytes to parse, flops to do), and the share of it that was reached.
        notes: what a reader must know to trust the numbers, or not to.
    """

    goals: list[Goal]
    figures: list[Figure]
    limit: str
    notes: list[str] = dataclasses.field(default_factory=list)

    def as_json(self, *, judged: bool) -> dict[str, Any]:
        """The row in the JSON; `met` is null where nothing is to be judged."""
        goals = [{**dataclasses.asdict(goal), "met": goal.met if judged else None} for goal in self.goals]
        return {
            "ratio": self.goals[0].value,
            "goal": self.goals[0].bound,
            "met": all(goal.met for goal in self.goals) if judged else None,
            "goals": goals,
            "figures": [dataclasses.asdict(figure) for figure in self.figures],
            "limit": self.limit,
            "notes": self.notes,
        }
