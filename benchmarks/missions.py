"""Do the missions that were planted come out, and do they stay the same ones? A synthetic shop through the project's own stages.

    python benchmarks/missions.py [--strength S] [--seed N] [--customers C] [--weeks W] [--json OUT]

The shop's weeks are staged by Spark, a mission model is learnt as of week W and tags all weeks; then the shop goes on for
four weeks, the model is learnt again on a window that moved by them, and the baskets of those weeks are tagged by both.

- planted_k, chosen_k: missions that the shop has, and that the evidence chose (1: no structure worth the name)
- nmi: normalised mutual information of tags and planted missions over every tagged basket of the first W weeks
- told_nmi: the same of the likeliest mission for one who was told the planted mixture and each customer's taste
- kept_mission_share: baskets of the last four weeks that have the same mission id from both models
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from nextbasket_assets.landing import inspect, week_of
from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.missions.documents import from_table
from nextbasket_assets.missions.learning import Learnt, Naming, Vocabulary, learn
from nextbasket_assets.missions.model import MissionModel, files
from nextbasket_assets.resources.landing import catalogue_of
from nextbasket_assets.resources.landing_folders import LocalFolder
from nextbasket_assets.resources.spark import LocalSparkResource
from nextbasket_assets.shop.missions import MISSIONS
from nextbasket_assets.shop.shop import write_shop
from nextbasket_assets.shop.told import likeliest_missions
from nextbasket_assets.shop.truth import normalised_mutual_information, planted_missions

LATER = 4  # weeks between the two models
BAG = "PRD0903678"


class Road:
    """The weeks of one landing folder, through the stages, into files below `out`."""

    def __init__(self, landing: Path, out: Path) -> None:
        """`out` must not hold an earlier road."""
        self.landing, self.out, self.spark = landing, out, LocalSparkResource(master="local[2]")
        self.catalogue = catalogue_of(LocalFolder(landing))
        names = {week_of(path.name): path for path in sorted(landing.glob("transactions_*"))}
        self.files = {week: path for week, path in names.items() if week}

    def stage_weeks(self) -> None:
        """Lines and baskets of every week."""
        described = []
        for week, path in self.files.items():
            with path.open("rb") as stream:
                header = list(inspect(stream, path.name).header)
            described.append({"uri": str(path), "name": path.name, "week": week.isoformat(), "header": header})
        weeks = [week.isoformat() for week in self.files]
        lines = {table: str(self.out / table) for table in ("raw_transactions", "rejected_lines")}
        self.spark.run("raw_transactions", {}, lines, weeks=weeks, files=described)
        staged = {"staged_baskets": str(self.out / "staged_baskets")}
        raw = {"raw_transactions": self.parquet("raw_transactions", list(self.files))}
        self.spark.run("staged_baskets", raw, staged, weeks=weeks, non_merchandise=[BAG])

    def parquet(self, table: str, weeks: list[date]) -> list[str]:
        """Files of a table."""
        return [str(path) for week in weeks for path in sorted((self.out / table / f"week={week}").glob("*.parquet"))]

    def learn(self, name: str, weeks: list[date], former: MissionModel | None) -> Learnt:
        """A mission model of these weeks, kept in the folder `name`."""
        outputs = {part: str(self.out / name / part) for part in ("documents", "vocabulary")}
        inputs = {table: self.parquet(table, weeks) for table in ("staged_baskets", "raw_transactions")}
        self.spark.run("mission_documents", inputs, outputs, weeks=[weeks[-1].isoformat()])
        items = pq.read_table(outputs["vocabulary"], partitioning=None).sort_by("index")
        documents = from_table(pq.read_table(outputs["documents"], partitioning=None), items.num_rows)
        vocabulary = Vocabulary(*(items[column].to_pylist() for column in ("item", "group", "baskets")))
        naming = Naming(self.catalogue.names, self.catalogue.groups, {})
        learnt = learn(name, documents, vocabulary, ChoiceSettings(), naming, former, lambda line: print("   ", line))
        for file, content in files(learnt.model, {}, {}, learnt.choice.why).items():
            (self.out / name / file).write_bytes(content)
        return learnt

    def tag(self, name: str, weeks: list[date]) -> dict[str, str]:
        """Mission of every basket that has one, by basket."""
        table, folder = "mission_tagged_baskets", self.out / f"{name}-tags-{weeks[0]}"
        inputs = {"staged_baskets": self.parquet("staged_baskets", weeks)}
        iso = [week.isoformat() for week in weeks]
        self.spark.run("tag_baskets", inputs, {table: str(folder)}, weeks=iso, model=str(self.out / name))
        tags = pq.read_table(folder, columns=["basket", "mission"], partitioning=None).to_pylist()
        return {tag["basket"]: tag["mission"] for tag in tags if tag["mission"] != "unassigned"}


def agreement(found: dict[str, str], planted: dict[str, str], baskets: Iterable[str]) -> float:
    """Normalised mutual information of what was found and what was planted, over these baskets."""
    baskets = list(baskets)
    return normalised_mutual_information([found[basket] for basket in baskets], [planted[basket] for basket in baskets])


def measure(road: Road, weeks: int) -> dict[str, Any]:
    """The shop's weeks and what becomes of its missions."""
    every = list(road.files)
    seconds = [time.monotonic()]
    road.stage_weeks()
    seconds.append(time.monotonic())
    first = road.learn("first", every[:weeks], None)
    seconds.append(time.monotonic())
    tags, planted = road.tag("first", every[:weeks]), planted_missions(road.landing)
    seconds.append(time.monotonic())
    second = road.learn("second", every[LATER:], first.model)
    before, after = (road.tag(name, every[weeks:]) for name in ("first", "second"))
    both = before.keys() & after.keys()
    return {
        "planted_k": len(MISSIONS),
        "chosen_k": first.model.topics.k,
        "nmi": agreement(tags, planted, tags),
        "told_nmi": agreement(likeliest_missions(road.landing), planted, tags),
        "kept_mission_share": sum(before[basket] == after[basket] for basket in both) / max(len(both), 1),
        "why": first.choice.why,
        "names": dict(zip(first.model.missions, first.model.names, strict=True)),
        "refit": second.choice.why,
        "baskets": len(tags),
        "seconds": {
            "staging": seconds[1] - seconds[0],
            "choosing": seconds[2] - seconds[1],
            "tagging": seconds[3] - seconds[2],
        },
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strength", type=float, default=0.9, help="of the planted missions, 0 to 1")
    parser.add_argument("--seed", type=int, default=1, help="of the shop")
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--weeks", type=int, default=30, help="weeks that the first model learns from")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        landing, weeks = Path(folder) / "landing", arguments.weeks
        shop = {"customers": arguments.customers, "weeks": weeks + LATER, "seed": arguments.seed}
        report = write_shop(landing, **shop, strength=arguments.strength)
        print(f"shop: {report.baskets:,} baskets, strength {arguments.strength}, seed {arguments.seed}", flush=True)
        figures = measure(Road(landing, Path(folder) / "out"), weeks)
    for name, value in figures.items():
        print(f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps({**vars(arguments), "json": None, **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
