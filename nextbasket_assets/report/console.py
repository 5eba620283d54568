"""The command line's answers as tables for a terminal, from 80 columns on."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nextbasket_assets.report.answers import Answer
from nextbasket_assets.report.cards import counted

_METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "phr@10", "precision@10")
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\N{REPLACEMENT CHARACTER}")  # C0, DEL and C1
_ITEMS = 8  # of a basket of the history that are spelt out


def missions_table(answer: Answer) -> Table:
    """One row per mission, with its typical items."""
    table = _table(f"Missions as of week {answer['retail_week']}")
    table.add_column("mission", no_wrap=True)
    table.add_column("name", ratio=2)
    table.add_column("baskets", justify="right", no_wrap=True)
    table.add_column("typical items", ratio=5)
    for row in answer["missions"]:
        names = ", ".join(item["name"] for item in row["items"])
        _add(table, row["mission"], row["name"], f"{row['share_of_baskets']:.1%}", names)
    return table


def customer_tables(answer: Answer, mission: str | None = None) -> Group:
    """One customer: their last baskets, the next trip in a sentence, and the list."""
    trip = _plain(trip_sentence(answer["next_trip"]))
    return Group(_history(answer), trip, Text(), next_basket_table(answer, mission))


def _history(answer: Answer) -> Table:
    seen, shown = answer["baskets_seen"], len(answer["history"])
    table = _table(f"Customer {answer['customer']}: the last {shown} of {seen} baskets")
    table.add_column("when", no_wrap=True)
    table.add_column("mission", ratio=2)
    table.add_column("items", ratio=5)
    for basket in answer["history"]:
        names = [item["name"] for item in basket["items"]]
        more = f" and {len(names) - _ITEMS} more" if len(names) > _ITEMS else ""
        mission = " ".join(filter(None, (basket["mission"], basket["mission_name"]))) or "unassigned"
        _add(table, f"{basket['date']} {basket['hour']:02d}h", mission, ", ".join(names[:_ITEMS]) + more)
    return table


def trip_sentence(trip: Mapping[str, Any] | None) -> str:
    """The next trip in words."""
    if trip is None:
        return "Next trip: nothing was foretold for this week."
    days, items = counted(trip["expected_days"], "day"), counted(trip["expected_items"], "item")
    said = f"Next trip: expected in {days}, within 7 days at {trip['visit_within_7_days']:.0%}, with {items}"
    likely = trip["missions"][:1]
    return said + "".join(
        f"; most likely for {one['name'] or one['mission']} ({one['probability']:.0%})" for one in likely
    )


def next_basket_table(answer: Answer, mission: str | None = None) -> Table:
    """One customer's list, each item with its reason."""
    trip = f" on a trip of {mission}" if mission else ""
    table = _table(f"Next basket of {answer['customer']}{trip} after week {answer['retail_week']}")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("item", ratio=3)
    table.add_column("next trip", justify="right", no_wrap=True)
    table.add_column("7 days", justify="right", no_wrap=True)
    table.add_column("why", ratio=4)
    for row in answer["next_basket"]:
        soon = row["probability_7_days"]
        within = "" if soon is None else f"{soon:.1%}"
        _add(table, str(row["rank"]), row["name"], f"{row['probability']:.1%}", within, row["reason"])
    return table


def evaluation_tables(answer: Answer, fewest: int) -> Group:
    """The model against its rivals, twice, and the registry's newest decisions."""
    tables = [
        _methods(answer["held_out"], "Held-out weeks of the training"),
        _methods(answer["afterwards"], f"The week's lists against the next basket ({fewest}+ before)"),
    ]
    return Group(*(table for table in tables if table.row_count), _decisions(answer))


def _methods(methods: Iterable[Mapping[str, Any]], title: str) -> Table:
    methods = list(methods)
    table = _table(f"{title}, {max((one['customers'] for one in methods), default=0):,} customers")
    table.add_column("method", ratio=1)
    for metric in _METRICS:
        table.add_column(metric.replace("precision", "prec"), justify="right", no_wrap=True)
    for one in methods:
        cells = [one.get(metric) for metric in _METRICS]
        _add(table, one["method"], *("" if cell is None else f"{cell:.3f}" for cell in cells))
    return table


def _decisions(answer: Answer) -> Table:
    table = _table(f"Decisions about models; {answer['champion'] or 'the fallback'} serves")
    table.add_column("version", no_wrap=True)
    table.add_column("decision", no_wrap=True)
    table.add_column("why", ratio=1)
    for one in reversed(answer["decisions"]):
        _add(table, one["version"], one["decision"], one["why"])
    return table


def _table(title: str) -> Table:
    return Table(title=_plain(title), title_justify="left", title_style="bold", expand=True)


def _add(table: Table, *cells: str) -> None:
    """A row of plain text."""
    table.add_row(*map(_plain, cells))


def _plain(text: str) -> Text:
    """Text that only shows itself: a name with brackets is no markup, one with an escape character commands no terminal."""
    return Text(text.translate(_CONTROLS))
