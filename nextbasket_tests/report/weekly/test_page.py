"""The page: everything is said, nothing is fetched, nothing is executed, and no picture is without words."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.weekly.facts import gather
from nextbasket_assets.report.weekly.inputs import RunFacts, Step
from nextbasket_assets.report.weekly.page import render
from nextbasket_assets.report.weekly.people import DOZEN, chosen_customers
from nextbasket_tests.report.weekly.weeks import TEA, WEEKS, deliver, score, small_lake

WEEK = WEEKS[2]
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Elements(HTMLParser):
    """Every element with its attributes, the ids that enclose it, and whether the tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(page)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append((tag, dict(attributes).get("id")))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.texts[name] = f"{self.texts.get(name, '')} {data}"

    def of(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.found if tag in tags)


def page_of(lake: Lake, week: date = WEEK, catalogue: Catalogue | None = None) -> str:
    run = RunFacts(job="score_week", run_id="run-1", seconds=61.0, steps=[Step("raw_transactions", 5.0)])
    return render(gather(lake, week, catalogue or Catalogue(), {"M01": "Bread & <b>tea</b>"}, run))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return small_lake(str(tmp_path_factory.mktemp("lake")))


@pytest.fixture(scope="module")
def page(lake: Lake) -> str:
    return page_of(lake)


def test_names_are_text_never_markup(lake: Lake) -> None:
    """An item `<script>`, a mission with a tag and a name with quotes are shown as they are, and are no elements."""
    named = Catalogue({TEA: '<img src=x onerror="alert(1)">', "bread": "Bread'\"&<"})
    shown = page_of(lake, WEEKS[3], named)
    elements = Elements(shown)

    assert not list(elements.of("script", "b"))
    assert not list(elements.of("img"))
    assert '<img src=x onerror="alert(1)">' in elements.texts["missions"]
    assert "Bread'\"&<" in elements.texts["dozen"]
    assert "Bread & <b>tea</b>" in elements.texts["missions"]
    assert "<script>tea" in Elements(page_of(lake)).texts["then"]


def test_every_picture_says_what_it_shows(page: str) -> None:
    """Each img has an alt text, each drawing a label with its numbers; what only decorates is hidden."""
    elements = Elements(page)
    pictures = [one for one in elements.of("svg") if one.get("aria-hidden") != "true"]

    assert len(pictures) >= 4
    for one in pictures:
        assert one["role"] == "img"
        assert re.search(r"\d", one["aria-label"] or "")
    assert all(one.get("alt") for one in elements.of("img"))


def test_the_page_needs_nothing_else(page: str) -> None:
    """No address of anything outside, no script, no style sheet, no font, no frame."""
    elements = Elements(page)

    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", page)
    assert not list(elements.of("script", "link", "iframe", "object", "embed", "form"))
    links = [one["href"] or "" for one in elements.of("a")]
    ids = {one["id"] for _, one in elements.found if one.get("id")}
    assert all(link.removeprefix("#") in ids for link in links)
    assert not [name for _, one in elements.found for name in one if name.startswith("on")]


def test_the_page_can_be_walked_without_seeing_it(page: str) -> None:
    """A language, a title, one h1, no skipped heading, landmarks with names, captions and headers in every table, unique ids."""
    elements = Elements(page)
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    tables = [tag for tag, _ in elements.found if tag == "table"]
    ids = [one["id"] for _, one in elements.found if one.get("id")]

    assert next(elements.of("html"))["lang"] == "en"
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in elements.found}
    assert all(one.get("aria-labelledby") in ids for one in elements.of("section", "article"))
    assert len(tables) == len(list(elements.of("caption"))) > 5
    assert all(one.get("scope") in ("col", "row") for one in elements.of("th"))
    assert len(ids) == len(set(ids))


def test_the_first_thing_said_is_whether_it_is_safe(page: str) -> None:
    """The light in words and with a symbol, why, and nothing of it by colour alone."""
    said = " ".join(Elements(page).texts["safe"].split())

    assert said.startswith("▲ Amber: usable, with care Because of 2 of 17 checks:")
    assert (
        "Does not hold: the probabilities come true (lists of 200608: off by 15.0 points on average, at most 5). What to do: use"
        in said
    )


def test_the_numbers_are_on_the_page(page: str) -> None:
    """What arrived, who was scored, the gate, quality, what nobody knows: each in its place."""
    said = {name: " ".join(text.split()) for name, text in Elements(page).texts.items()}

    assert "1,000 lines in 2006-04-24.csv: 999 accepted and 1 quarantined (0.10%)" in said["rows"]
    assert "spend is a number 1" in said["rows"]
    assert "40 of 40 known customers have a list" in said["customers"]
    assert "challenger 40.0%" in said["model"]
    assert "200608 40 100.0% 100.0% 100.0% 0.0% 100.0% +0.0 (+0.0 to +0.0) 15.0%" in said["quality"]
    assert "Cost not known" in said["run"]
    assert "1 min 1 s" in said["run"]


def test_later_weeks_change_only_what_people_then_bought(lake: Lake, tmp_path: Path) -> None:
    """The report of a week knows no later one, but for the one section that says up to which week it looked."""
    early = small_lake(str(tmp_path / "lake"), WEEKS[:3])
    before = Elements(page_of(early)).texts
    deliver(early, WEEKS[3], last=True)
    score(early, WEEKS[3])
    after = Elements(page_of(early)).texts

    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {
        *("then", "then-caption")
    }
    assert "Not known yet" in before["then"]
    assert "Looked at up to week 200610" in after["then"]
    assert "2 of 3" in after["then"], "bread and their own item were on the list, tea was not"


def test_the_page_says_why_lists_are_the_fallbacks(lake: Lake) -> None:
    """Only a model in service can have nothing to go on, and only then is a rollback advised."""
    facts = gather(lake, WEEK, Catalogue(), {}, RunFacts())
    newest = replace(facts.judged[-1], quality=replace(facts.judged[-1].quality, ahead=(-0.1, -0.15, -0.05)))
    worse = replace(facts, judged=[*facts.judged[:-1], newest])
    bare = replace(worse, models=replace(worse.models, champion=None, age=None))
    served, without = (Elements(render(one)).texts for one in (worse, bare))

    assert "because the model has nothing to go on" in served["customers"]
    assert "because no model is in service" in without["customers"]
    assert "nextbasket rollback" in served["safe"]
    assert "nextbasket rollback" not in without["safe"]


def test_what_is_next_to_nothing_has_no_minus(lake: Lake) -> None:
    """A run that cost nothing says so, and no difference rounds to minus nothing."""
    facts = gather(lake, WEEK, Catalogue(), {}, RunFacts(dollars=0.0))
    newest = replace(facts.judged[-1], quality=replace(facts.judged[-1].quality, ahead=(-0.0004, -0.0104, 0.0096)))
    said = Elements(render(replace(facts, judged=[*facts.judged[:-1], newest]))).texts

    assert "+0.0 (\N{MINUS SIGN}1.0 to +1.0)" in said["quality"]
    assert "0.00 US dollars of EMR" in said["run"]


def test_segments_show_different_customers(lake: Lake) -> None:
    """Two judged weeks of the same forty customers show forty customers, and those below thirty are marked."""
    shown = page_of(lake, WEEKS[3])
    rows = re.findall(r'<tr( class="few")?><td>(.*?)</td><th scope="row">(.*?)</th><td class="n">(.*?)</td>', shown)

    assert {(name, level): (customers, bool(few)) for few, name, level, customers in rows} == {
        ("history", "thin"): ("14", True),
        ("history", "medium"): ("13", True),
        ("history", "heavy"): ("13", True),
        ("lifestage", "YA"): ("20", True),
        ("lifestage", "unknown"): ("20", True),
        ("price sensitivity", "MM"): ("40", False),
        ("store format", "LS"): ("40", False),
    }


def test_a_first_week_says_what_is_not_known_yet(tmp_path: Path) -> None:
    """Nothing to judge by, nobody's next basket: the page says so instead of zeros."""
    said = Elements(page_of(small_lake(str(tmp_path / "lake"), WEEKS[:2]), WEEKS[1])).texts

    assert "Not known yet" in said["quality"]
    assert "Not known yet" in said["segments"]
    assert "Not known yet" in said["then"]


def test_the_dozen_is_nobodys_choice() -> None:
    """Four of each segment, the same whatever the order of the rows; short segments are filled up."""
    seen = {f"C{number}": (2, 10, 30)[number % 3] for number in range(60)}
    chosen = chosen_customers(seen)

    assert len(chosen) == DOZEN
    assert sorted(seen[code] for code in chosen) == [2] * 4 + [10] * 4 + [30] * 4
    assert chosen_customers(dict(reversed(seen.items()))) == chosen
    assert len(chosen_customers({f"C{number}": 2 for number in range(20)})) == DOZEN
    assert chosen_customers({"C1": 2}) == ["C1"]
