"""`benchmarks/README.md` from the figures that `run.py` measured: every number in it comes from a JSON.

python benchmarks/render.py [benchmarks/figures.json] > benchmarks/README.md
"""

import json
import sys
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")
TITLES = {
    "1": "94 weeks of files to staged baskets, and on to customer sequences",
    "2": "One new week, from its landing file to published scores",
    "3": "Backfill of all weeks, raw to sequences",
    "4": "Fitting missions and tagging baskets",
    "5": "Training the network",
    "6": "Scoring: top 20 with probabilities and reasons",
    "7": "Growth: one, four and sixteen times the customers",
    "8": "Loading the code location",
    "GPU": "Training and scoring where torch sees a GPU",
}
PLACE = ("machine", "versions")
INTRODUCTION = """# Measured side by side

What must be fast, each row beside its peers in the same run. Every figure is made by

    .venv/bin/python benchmarks/run.py [ROW ...] --json benchmarks/figures.json
    .venv/bin/python benchmarks/render.py > benchmarks/README.md

The second command wrote this page; only cautions and some notes on how a run went are typed into the JSON. Where torch sees a
GPU, `benchmarks/gpu.py FOLDER ... --json benchmarks/figures.json` adds the last section. `--small` runs every row on synthetic
data: it shows that the row works and judges nothing.

**What the rows read.** A folder `shared` beside the repository. The project ships none of the data, so you fill it yourself:

- `shared/data/lgsr/` (rows 1 to 3): weekly files of LGSR, `transactions_YYYYWW.csv.gz`; here 94 of them.
- `shared/benchmarks/lgsr_dev/` and `shared/benchmarks/tafeng/` (rows 5 and 6): packed datasets. `baskets.parquet` has whole
  numbers `user`, `basket` (0, 1, ... in order of time), `item` and, where dates are known, `day`; each user's last basket is the
  target. `splits.parquet` has a row for each `user` and columns `fold0`, `fold1`, ... with `train`, `val` or `test`
  (`benchmarks/packed.py`).

Rows 4, 7 and 8 make their own data.

**How far to trust it.** A row is one run, unless it says otherwise, on a virtual machine with few cores. On a busy machine wall
seconds move by half and more from run to run, CPU seconds by a tenth or two. Compare within a row, where all engines ran one
after the other; rows were measured at different times, and each gives its load. A load above the number of cores means that wall
seconds are too long.
"""
EPILOGUE = """
## The other benchmarks here

`next_basket.py` (quality on packed datasets), `scoring.py`, `missions.py`, `mission_engines.py`, `mission_names.py` and
`mission_worth.py`: what they found is in docs/model.md and docs/missions.md. What is needed beyond these machines:
docs/scale.md.
"""


def page(found: dict[str, Any]) -> str:
    """The page for one JSON."""
    rows = {number: found[number] for number in TITLES if number in found}
    usual = _usual(list(rows.values()))
    lines = [
        INTRODUCTION,
        f"Where a row says nothing else: {_place(usual)}.",
        "",
        "| # | work | the number | goal | measured | met |",
        "|---|---|---|---|---|---|",
    ]
    for number, row in rows.items():
        for place, goal in enumerate(row["goals"]):
            lead = f"| {number} | {TITLES[number]}{_pointer(row)}" if place == 0 else "| | "
            lines.append(f"{lead} | {goal['what']} | {_bound(goal)} | {_number(goal['value'])} | {_met(goal['met'])} |")
    missing = [number for number in TITLES if number not in rows and number.isdigit()]
    if missing:
        lines += ["", f"Not measured yet: row {', '.join(missing)}."]
    for number, row in rows.items():
        lines += ["", *_section(number, row, usual)]
    return "\n".join(lines) + "\n" + EPILOGUE


def _usual(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Machine and versions of most rows."""
    places = [{key: row[key] for key in PLACE} for row in rows]
    return max(places, key=places.count)


def _place(place: dict[str, Any]) -> str:
    """A machine and versions, or what is known of them, in words."""
    forms = {"cores": "{} cores", "cpu": "{}", "memory_gb": "{} GB", "system": "{}"}
    told = [form.format(place["machine"][key]) for key, form in forms.items() if key in place["machine"]]
    packages = [f"{name} {number}" for name, number in sorted(place["versions"].items())]
    return "; ".join(", ".join(part) for part in (told, packages) if part)


def _elsewhere(row: dict[str, Any], usual: dict[str, Any]) -> str:
    """Where a row was measured, as far as it differs from the page's head."""
    differs = {key: {k: v for k, v in row[key].items() if usual[key].get(k) != v} for key in PLACE}
    return f", on {_place(differs)}" if any(differs.values()) else ""


def _section(number: str, row: dict[str, Any], usual: dict[str, Any]) -> list[str]:
    lines = [
        f"## {number}. {TITLES[number]}",
        "",
        f"`{row['command']}`, {row['measured']}, commit {row['commit']}, load {row['load_average']:.1f} at its end"
        f"{_elsewhere(row, usual)}.",
        "",
        "| what ran | wall s | CPU s | |",
        "|---|---|---|---|",
    ]
    if "caution" in row:
        lines[3:3] = ["", f"**Caution**: {row['caution']}."]
    for figure in row["figures"]:
        cpu = "" if figure["cpu_seconds"] is None else _number(figure["cpu_seconds"])
        more = ", ".join(f"{name} {_number(value)}" for name, value in figure["more"].items())
        lines.append(f"| {figure['name']} | {_number(figure['wall_seconds'])} | {cpu} | {more} |")
    return [*lines, "", f"**Limit**: {row['limit']}.", "", *(f"- {note}" for note in row["notes"])]


def _pointer(row: dict[str, Any]) -> str:
    """To what a reader of a row's goals is to know, where somebody wrote it down."""
    return " (**see its caution below**)" if "caution" in row else ""


def _bound(goal: dict[str, Any]) -> str:
    return f"{'at least' if goal['at_least'] else 'at most'} {_number(goal['bound'])}"


def _met(met: bool | None) -> str:
    return {True: "yes", False: "**no**", None: "not judged"}[met]


def _number(value: float) -> str:
    """Three digits of a small number, all of a large one."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    print(page(json.loads(path.read_text())), end="")


if __name__ == "__main__":
    main()
