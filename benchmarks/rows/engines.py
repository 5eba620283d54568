"""Row 4: fitting missions and tagging baskets, beside Spark's own LDA, scikit-learn and gensim (`mission_engines.py`)."""

import json
import os
import sys
from typing import Any

import numpy as np

from benchmarks.clock import Span, in_a_process, span
from benchmarks.mission_engines import ENGINES, ITEMS, K, planted
from benchmarks.outcome import Figure, Goal, Outcome
from nextbasket_assets.missions.documents import Documents

BASKETS, SMALL_BASKETS = 300_000, 2_000
EM_ITERATIONS, ORIGINAL_ITERATIONS = 20, 80
TURNS = 5  # of tagging
PERPLEXITY_SLACK = 1.02  # equal quality


def measure(small: bool) -> Outcome:
    """Every engine in a process of its own; NEXTBASKET_BASKETS says how many baskets when 300,000 take too long."""
    baskets = SMALL_BASKETS if small else int(os.environ.get("NEXTBASKET_BASKETS", BASKETS))
    engines = ("ours", "ours-quick", "gensim") if small else tuple(ENGINES)
    fits: dict[str, Any] = {engine: in_a_process("rows.engines", engine, str(baskets)) for engine in engines}
    tagging: dict[str, Any] = in_a_process("rows.engines", "tagging", str(baskets))
    best = min(fit["perplexity"] for fit in fits.values())
    same = [engine for engine, fit in fits.items() if fit["perplexity"] <= PERPLEXITY_SLACK * best]
    names = ("cosine", "least_cosine", "perplexity", "conversion_cpu_seconds")
    figures = [
        Figure(f"fit, {engine}", fit["wall_seconds"], fit["cpu_seconds"], {name: fit[name] for name in names})
        for engine, fit in fits.items()
    ]
    figures += [Figure(f"tagging, {engine}", *seconds, {"baskets": baskets}) for engine, seconds in tagging.items()]
    flops = baskets * 8 * K * 4
    return Outcome(
        goals(fits, tagging),
        figures,
        f"one Gibbs sweep weighs {K} missions for each of about {baskets * 8:,} items: {flops / 1e9:.2f} Gflop, which a core "
        "does in hundredths of a second; what costs is reaching for counts all over memory",
        [
            f"{baskets:,} baskets, {ITEMS:,} items, k = {K}; `ours` is seven fits of which the best is kept, ours-quick three",
            f"as good as the best within {PERPLEXITY_SLACK - 1:.0%} of perplexity: {', '.join(same)}",
            f"Spark EM ran {EM_ITERATIONS} iterations, and one in a process of its own; its ratio is for "
            f"{ORIGINAL_ITERATIONS}, whose further ones take as long as the measured ones and what a fit pays once counts once",
            "fits are timed from after the conversion: what turning the baskets into an engine's own form took, and starting "
            "Spark, is told beside each and is in no ratio",
        ],
    )


def goals(fits: dict[str, Any], tagging: dict[str, Any]) -> list[Goal]:
    """Of the engines that ran; Spark's EM first, where it did."""
    quick = fits["ours-quick"]
    peers = [peer for peer in ("gensim", "scikit-learn") if peer in fits]
    found = [
        Goal(f"CPU, {peer} to ours-quick", fits[peer]["cpu_seconds"] / quick["cpu_seconds"], 1.0, at_least=True)
        for peer in peers
    ]
    found += [
        Goal(f"perplexity, ours-quick to {peer}", quick["perplexity"] / fits[peer]["perplexity"], 1.0) for peer in peers
    ]
    if "spark-em" in fits:
        em = original_seconds(fits["spark-em"]["cpu_seconds"], fits["spark-em-once"]["cpu_seconds"])
        what = f"CPU, Spark EM with the original's {ORIGINAL_ITERATIONS} iterations to ours"
        found.insert(0, Goal(what, em / fits["ours"]["cpu_seconds"], 5.0, at_least=True))
    return [*found, Goal("CPU, our tagging to Spark's own", tagging["ours"][1] / tagging["spark"][1], 1.0)]


def original_seconds(measured: float, once: float) -> float:
    """Of a fit with the original's iterations, from that of the measured ones and that of one."""
    each = (measured - once) / (EM_ITERATIONS - 1)
    return measured + each * (ORIGINAL_ITERATIONS - EM_ITERATIONS)


def tag(baskets: int) -> dict[str, tuple[float, float]]:
    """Seconds of tagging all baskets by our transform, and by Spark's CountVectorizer and LDA as they come, in turn."""
    from pyspark.ml.feature import CountVectorizerModel

    from nextbasket_assets.resources.spark import LocalSparkResource
    from nextbasket_assets.transforms import missions

    documents, truth_KV = planted(baskets)
    session = LocalSparkResource(master="local[2]").session()
    vocabulary = [f"I{item:05d}" for item in range(ITEMS)]
    topics = missions.FittedTopics(vocabulary, truth_KV.T * 1e6, np.full(K, 0.15), [f"M{k:02d}" for k in range(K)], "v")
    frame = session.createDataFrame(_rows(documents, vocabulary), "week date, basket string, customer string, items "
                                    "array<struct<item:string>>").repartition(4).persist()  # fmt: skip
    frame.count()
    model = missions._spark_model(session, topics)
    counter = CountVectorizerModel.from_vocabulary(vocabulary, inputCol="words", outputCol="features")
    plain = model.transform(counter.transform(frame.selectExpr("*", "items.item as words")))
    ways = {"spark": plain.select("basket", "topicDistribution"), "ours": missions.tagged(frame, topics)}
    found = {name: Span() for name in ways}
    for turn in range(1 + TURNS):
        for name, tags in ways.items():
            with span() as taken:
                tags.write.format("noop").mode("append").save()
            if turn:  # the first one warms up
                found[name].add(taken)
    return {name: (total.wall_seconds / TURNS, total.cpu_seconds / TURNS) for name, total in found.items()}


def _rows(documents: Documents, vocabulary: list[str]) -> list[tuple[None, str, str, list[tuple[str]]]]:
    parts = np.split(documents.items_T, np.cumsum(documents.sizes_D)[:-1])
    return [(None, str(n), "C", [(vocabulary[item],) for item in part]) for n, part in enumerate(parts)]


if __name__ == "__main__":
    from benchmarks.mission_engines import measure as fit

    what, count = sys.argv[1], int(sys.argv[2])
    print(json.dumps(tag(count) if what == "tagging" else fit(what, count)))
