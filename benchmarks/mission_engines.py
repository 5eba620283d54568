"""Topic models side by side on baskets with ten planted missions, 5,000 items: ours, Spark's two, scikit-learn, gensim.

    python benchmarks/mission_engines.py [ENGINE ...] [--baskets 300000] [--json OUT]

Each engine runs once in a process of its own with its usual advice for this task. All are judged alike: mean and least cosine
of their topics, matched one to one with the planted ones, and the perplexity of half of 5,000 held-out baskets foretold from
the other half by the same inference. Turning the baskets into what an engine reads, and starting Spark, is timed apart from the
fit. CPU seconds count children and the JVM; they move less than wall time on a busy machine.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.clock import span
from nextbasket_assets.missions.choosing import ChoiceSettings, choose
from nextbasket_assets.missions.documents import Documents
from nextbasket_assets.missions.quality import Examination, matched
from nextbasket_assets.missions.topics import Topics

ITEMS, K, HELD_OUT = 5_000, 10, 5_000
Floats = NDArray[np.float64]
Fit = Callable[
    [], tuple[Floats, Floats]
]  # P(item | mission), (K, V), and the missions' prior, from what was converted before


def planted(baskets: int, seed: int = 0) -> tuple[Documents, Floats]:
    """Baskets of about eight items, mostly of one or two of ten missions, and P(item | mission), (K, V)."""
    rng = np.random.default_rng(seed)
    popularity = rng.dirichlet(np.full(ITEMS, 0.3))
    truth_KV = 0.8 * rng.dirichlet(np.full(ITEMS, 0.05), K) + 0.2 * popularity
    cumulative = np.cumsum(truth_KV, axis=1)
    share_DK = rng.dirichlet(np.full(K, 0.15), baskets + HELD_OUT)
    contents = []
    for share_K, size in zip(share_DK, np.maximum(rng.poisson(8, len(share_DK)), 2), strict=True):
        missions = rng.choice(K, size, p=share_K)
        draws = rng.random(size)
        drawn = [np.searchsorted(cumulative[mission], draw) for mission, draw in zip(missions, draws, strict=True)]
        contents.append(np.unique(np.minimum(drawn, ITEMS - 1)))
    number = np.arange(len(contents))
    sizes = np.array([len(content) for content in contents])
    return Documents(np.concatenate(contents), sizes, number >= baskets, number % 2, ITEMS), truth_KV


def ours(learnt: Documents) -> Fit:
    """As the platform does it: seven fits by Gibbs sampling on one thread, the best one on a fifth that it holds out itself."""
    return _ours(learnt, ChoiceSettings(k=K, item_priors=(0.05,)))


def ours_quick(learnt: Documents) -> Fit:
    """The same with the fewest fits that it can choose from: three."""
    return _ours(learnt, ChoiceSettings(k=K, item_priors=(0.05,), seeds=1, restarts=1))


def _ours(learnt: Documents, settings: ChoiceSettings) -> Fit:
    within = replace(learnt, held_out_D=np.arange(len(learnt)) % 5 == 0)

    def fit() -> tuple[Floats, Floats]:
        topics = choose(within, settings).topics
        return topics.probability_KV, topics.mission_prior_K

    return fit


def spark_online(learnt: Documents) -> Fit:
    """Spark ML's online optimiser: 20 full passes, which is where it does best."""
    return _spark(learnt, optimizer="online", maxIter=20, subsamplingRate=1.0)


def spark_em(learnt: Documents) -> Fit:
    """Spark ML's EM optimiser, the original pipeline's choice: 20 iterations."""
    return _spark(learnt, optimizer="em", maxIter=20)


def spark_em_once(learnt: Documents) -> Fit:
    """The same with one iteration: what a fit pays however many it has."""
    return _spark(learnt, optimizer="em", maxIter=1)


def _spark(learnt: Documents, **settings: Any) -> Fit:
    from pyspark.ml.clustering import LDA
    from pyspark.ml.linalg import SparseVector

    from nextbasket_assets.resources.spark import LocalSparkResource

    session = LocalSparkResource(master="local[2]").session()
    stops = np.cumsum(learnt.sizes_D)
    rows = [
        (SparseVector(ITEMS, learnt.items_T[start:stop].tolist(), [1.0] * int(stop - start)),)
        for start, stop in zip(stops - learnt.sizes_D, stops, strict=True)
    ]
    frame = session.createDataFrame(rows, ["features"]).repartition(2).persist()
    frame.count()

    def fit() -> tuple[Floats, Floats]:
        topics_KV = LDA(k=K, seed=1, **settings).fit(frame).topicsMatrix().toArray().T
        return topics_KV / topics_KV.sum(axis=1, keepdims=True), np.full(K, 0.15)

    return fit


def scikit_learn(learnt: Documents) -> Fit:
    """Online variational Bayes, five epochs."""
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(
        K,
        doc_topic_prior=0.15,
        topic_word_prior=0.05,
        learning_method="online",
        batch_size=15_000,
        max_iter=5,
        random_state=1,
    )
    counts = sparse.csr_matrix(learnt.incidence())

    def fit() -> tuple[Floats, Floats]:
        model.fit(counts)
        return model.components_ / model.components_.sum(axis=1, keepdims=True), np.full(K, 0.15)

    return fit


def gensim(learnt: Documents) -> Fit:
    """Online variational Bayes, five passes."""
    from gensim.models import LdaModel

    stops = np.cumsum(learnt.sizes_D)
    corpus = [
        [(int(item), 1) for item in learnt.items_T[start:stop]]
        for start, stop in zip(stops - learnt.sizes_D, stops, strict=True)
    ]
    names = {item: str(item) for item in range(ITEMS)}
    settings = {"alpha": [0.15] * K, "eta": 0.05, "passes": 5, "chunksize": 15_000, "random_state": 1}

    def fit() -> tuple[Floats, Floats]:
        model = LdaModel(corpus, K, id2word=names, **settings)
        return model.get_topics().astype(np.float64), np.full(K, 0.15)

    return fit


ENGINES: dict[str, Callable[[Documents], Fit]] = {
    "ours": ours,
    "ours-quick": ours_quick,
    "spark-online": spark_online,
    "spark-em": spark_em,
    "spark-em-once": spark_em_once,
    "scikit-learn": scikit_learn,
    "gensim": gensim,
}


def measure(engine: str, baskets: int) -> dict[str, float]:
    """One engine in this process: seconds of the fit alone and of what came before it, and how good its topics are."""
    documents, truth_KV = planted(baskets)
    learnt = documents.where(~documents.held_out_D)
    with span() as converted:
        fit = ENGINES[engine](learnt)
    with span() as taken:
        probability_KV, prior_K = fit()
    seconds = {"wall_seconds": taken.wall_seconds, "cpu_seconds": taken.cpu_seconds}
    seconds["conversion_cpu_seconds"] = converted.cpu_seconds
    cosine_KK = _unit(probability_KV) @ _unit(truth_KV).T
    best = [cosine_KK[row, column] for row, column in matched(cosine_KK)]
    topics = Topics(probability_KV * 1e6, 1e-3, prior_K)
    perplexity = Examination(documents).complete(topics).perplexity
    return {**seconds, "cosine": float(np.mean(best)), "least_cosine": float(min(best)), "perplexity": perplexity}


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "engines", nargs="*", default=[], metavar="ENGINE", help=f"of {', '.join(ENGINES)}; all by default"
    )
    parser.add_argument("--baskets", type=int, default=300_000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.in_process:
        print(json.dumps(measure(arguments.engines[0], arguments.baskets)))
        return
    figures: dict[str, dict[str, float]] = {}
    print(f"{'engine':14} {'wall s':>8} {'cpu s':>8} {'before':>8} {'cosine':>7} {'least':>7} {'perplexity':>10}")
    for engine in arguments.engines or ENGINES:
        command = [sys.executable, __file__, engine, "--in-process", "--baskets", str(arguments.baskets)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        one = figures[engine] = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{engine:14} {one['wall_seconds']:8.1f} {one['cpu_seconds']:8.1f} {one['conversion_cpu_seconds']:8.1f} "
            f"{one['cosine']:7.3f} {one['least_cosine']:7.3f} {one['perplexity']:10.0f}",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps({"baskets": arguments.baskets, "engines": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
