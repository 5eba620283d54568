"""The pages hold together: links lead somewhere, pictures have words, and the README's assets are the platform's."""

import re
from pathlib import Path

import pytest

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.settings.reading import settings
from nextbasket_tests.docs.commands import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
]
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[tuple[bool, str, str]]:
    """(whether it is a picture, its words, where it leads) of every link."""
    return [(bool(mark), words, target) for mark, words, target in _LINK.findall(_FENCED.sub("", page.read_text()))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A link of a page is a file of this repository and, with a mark, a heading of it; a picture has words."""
    for picture, words, target in links(page):
        path, _, mark = target.partition("#")
        assert words or not picture, f"{page.name}: the picture {target} has no words for who cannot see it"
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target} leads nowhere. Correct the link, or write the page."
        if mark:
            assert mark in headings(found), f"{page.name}: {found.name} has no heading #{mark}"


def headings(page: Path) -> set[str]:
    """The marks of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_page_is_linked_from_the_readme_or_the_index() -> None:
    """Nobody has to list a folder to find a page."""
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for _, _, target in links(page)
        if "://" not in target
    }
    lost = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")) if path not in linked]

    assert not lost, f"no page links {lost}: add a line to README.md, or to the decisions in docs/architecture.md"


def test_the_readmes_assets_are_the_platforms() -> None:
    """The README's table has a row for every asset of the definitions, and for none that is gone."""
    table = (ROOT / "README.md").read_text().split("\n| asset | ")[1].split("\n\n")[0]
    told = set(
        re.findall(r"`(\w+)`", " ".join(row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")))
    )
    there = {spec.key.to_user_string() for spec in build_definitions(settings({})).resolve_all_asset_specs()}

    assert told == there, (
        f"README.md lacks {sorted(there - told)} and has {sorted(told - there)} too many: correct the first column of its table"
    )


def test_the_architecture_names_every_layer() -> None:
    """The table of layers has a row for each package of the code, and for none that is gone."""
    table = (ROOT / "docs" / "architecture.md").read_text().split("\n| layer | ")[1].split("\n\n")[0]
    told = set(re.findall(r"^\| `(\w+)/` \|", table, re.MULTILINE))
    there = {path.parent.name for path in (ROOT / "nextbasket_assets").glob("*/__init__.py")}

    assert told == there, f"docs/architecture.md lacks {sorted(there - told)} and has {sorted(told - there)} too many"
