"""The commands that README.md and the pages of docs/ show, in code blocks and in the text."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]
PROGRAMS = ("nextbasket", "make", "python", "pip", "aws", "terraform", "docker", "git", "cd", "export", "echo")

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(rf"`((?:[A-Z_]+=\S+ )*(?:{'|'.join(PROGRAMS[:7])})\s[^`]+)`")
_SETTING = re.compile(r"([A-Z][A-Z_]*)=(.*)", re.DOTALL)
_SHELL = ("bash", "sh", "shell", "console")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        page: name of the page, from the repository's root.
        text: as the page shows it.
        settings: environment variables that stand before it.
        words: the program and its arguments, without redirections and comments.
    """

    page: str
    text: str
    settings: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    @property
    def key(self) -> str:
        """The program, and what it is told to do where it is ours: `nextbasket demo`, `make test`, `python`."""
        return " ".join(self.words[:2]) if self.words[0] in ("nextbasket", "make") else self.words[0]

    @property
    def arguments(self) -> list[str]:
        """What stands after the key."""
        return list(self.words[len(self.key.split()) :])


def documented() -> list[Command]:
    """Every command of every page, in the order of the pages."""
    return [command for page in PAGES for text in _texts(page.read_text()) for command in _commands(page, text)]


def _texts(page: str) -> list[str]:
    found = [(block.start(), line) for block in _BLOCK.finditer(page) for line in _lines(block[1], block[2])]
    outside = _BLOCK.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), page)
    found += [(inline.start(), " ".join(inline[1].split())) for inline in _INLINE.finditer(outside)]
    return [text for _, text in sorted(found, key=lambda one: one[0])]


def _lines(language: str, block: str) -> list[str]:
    """The lines of a block that is for a shell: it says so, or it begins with a program or a setting."""
    lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    lines = [line.removeprefix("$ ") for line in lines]
    first = re.sub(r"^(?:[A-Z_]+=\S+ )*(?:sudo )?", "", lines[0]).split(" ")[0] if lines else ""
    return lines if language in _SHELL or (not language and first in PROGRAMS) else []


def _commands(page: Path, text: str) -> list[Command]:
    inner = re.findall(r"\$\(([^)]*)\)", text)
    whole = re.sub(r"\$\([^)]*\)", "VALUE", text)
    parts = [part for one in (whole, *inner) for part in re.split(r"\s(?:&&|\||;)\s", one)]
    return [_command(page, part.strip()) for part in parts]


def _command(page: Path, text: str) -> Command:
    words = shlex.split(text, comments=True)
    ends = [index for index, word in enumerate(words) if word in (">", ">>", "<")]
    words = words[: ends[0]] if ends else words
    settings = []
    while words and ((setting := _SETTING.fullmatch(words[0])) or words[0] == "sudo"):
        settings += [(setting[1], setting[2])] if setting else []
        words = words[1:]
    assert words, f"{page.name}: {text!r} is no command"
    return Command(page.relative_to(ROOT).as_posix(), text, tuple(settings), tuple(words))
