"""Row 8: what loading the code location costs, beside Dagster with no assets."""

from statistics import median

from benchmarks.clock import of_a_process
from benchmarks.outcome import Figure, Goal, Outcome

DAGSTER = "a Dagster code location without assets"
OURS = "our code location"
IMPORT = "import nextbasket_assets.definitions"
HELP = "nextbasket --help"
BARE = "import dagster"

CODE = {
    DAGSTER: "import dagster as dg; dg.Definitions().get_repository_def()",
    OURS: "from nextbasket_assets.definitions import defs; defs().get_repository_def()",
    BARE: "import dagster",
    IMPORT: "import nextbasket_assets.definitions",
    HELP: "import sys; from nextbasket_assets.cli.main import main; sys.argv = ['nextbasket', '--help']; main()",
}
REPEATS = 11


def measure(small: bool) -> Outcome:
    """Every piece of code in fresh interpreters, in turn, so that a busy minute hits all of them alike."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in CODE}
    for _ in range(1 if small else REPEATS):
        for name, code in CODE.items():
            seconds[name].append(of_a_process(code))
    figures = [Figure(name, median(w for w, _ in s), median(c for _, c in s)) for name, s in seconds.items()]
    cpu = {figure.name: figure.cpu_seconds or 0.0 for figure in figures}
    return Outcome(
        goals(cpu),
        figures,
        f"`{BARE}` itself, which everything of Dagster's pays: {cpu[BARE] / cpu[OURS]:.0%} of our loading",
        [f"medians of {len(seconds[OURS])} fresh interpreters each, in turn"],
    )


def goals(cpu: dict[str, float]) -> list[Goal]:
    """From the CPU seconds of each piece of code."""
    return [
        Goal(f"CPU seconds, {OURS} to {DAGSTER}", cpu[OURS] / cpu[DAGSTER], 1.25),
        Goal(f"CPU seconds, `{IMPORT}` to `{BARE}`", cpu[IMPORT] / cpu[BARE], 1.25),
        Goal(f"CPU seconds, `{HELP}` to `{BARE}`", cpu[HELP] / cpu[BARE], 1.25),
    ]
