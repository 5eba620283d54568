"""The arrows of the design: which layer may import which, and what each layer never loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nextbasket_assets

ROOT = Path(nextbasket_assets.__file__).parent
MODULES = sorted(path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py"))

# Layer -> the layers it may import, besides itself.
GROUND = {
    "columns",
    "lineage",
    "landing",
    "arrivals",
    "code_version",
    "catalogue",
    "crash_points",
    "errors",
    "retail_calendar",
    "landing_text",
    "mentions",
    "pseudonyms",
    "limits",
    "stability",
}
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    "parquet": GROUND,
    "transforms": GROUND,
    "recommender": GROUND | {"parquet"},
    "missions": GROUND,
    "exports": GROUND,
    "lake": GROUND | {"exports", "parquet"},
    "shop": GROUND,
    "intake": GROUND,
    "report": GROUND | {"lake"},
    "partitions": GROUND,
    "distributed": GROUND | {"transforms", "recommender"},
    "resources": GROUND | {"transforms", "recommender", "distributed", "lake", "report", "exports"},
    "assets": GROUND
    | {"transforms", "recommender", "missions", "lake", "report", "resources", "partitions", "exports"},
    "operations": GROUND | {"lake", "report", "resources", "partitions", "assets"},
    "settings": GROUND | {"resources", "partitions"},
    "definitions": GROUND | {"resources", "partitions", "assets", "operations", "settings"},
    "cli": GROUND
    | {
        "lake",
        "report",
        "shop",
        "intake",
        "resources",
        "partitions",
        "assets",
        "definitions",
        "settings",
        "operations",
        "recommender",
        "exports",
        "cli",
    },
}
# What a fresh interpreter must not have loaded after importing all of a layer.
ABSENT = {
    "definitions": {"matplotlib", "torch", "pyspark", "boto3", "dagster_pyspark", "tomotopy"},
    "settings": {"matplotlib", "torch", "pyspark", "boto3", "dagster_pyspark", "tomotopy"},
    "transforms": {"dagster", "torch", "deltalake"},
    "recommender": {"dagster", "pyspark", "deltalake"},
    "distributed": {"dagster", "torch", "deltalake"},
    "missions": {"dagster", "pyspark", "torch", "deltalake"},
    "exports": {"dagster", "pyspark", "torch", "deltalake"},
    "lake": {"dagster", "pyspark", "torch"},
    "shop": {"dagster", "pyspark", "torch"},
    "intake": {"dagster", "pyspark", "torch"},
    "cli": {"matplotlib", "torch", "pyspark", "boto3"},
}


def layer(module: Path) -> str:
    return module.parts[0]


def dotted(module: Path) -> str:
    return ".".join(("nextbasket_assets", *module.parts)).removesuffix(".__init__")


def imported_layers(module: Path) -> set[str]:
    tree = ast.parse((ROOT / module).with_suffix(".py").read_text())
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "nextbasket_assets":
            names += [f"nextbasket_assets.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("nextbasket_assets.")}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_follow_the_arrows(module: Path) -> None:
    """A module imports its own layer and the layers below it, never one above."""
    if module.name == "__init__" and len(module.parts) == 1:
        return
    forbidden = imported_layers(module) - ALLOWED[layer(module)] - {layer(module)}

    assert not forbidden, f"{module} imports {forbidden}: move the code down, or pass the value in as an argument"


@pytest.mark.parametrize("module", [module for module in MODULES if module.name == "__init__"], ids=str)
def test_package_inits_are_docstrings(module: Path) -> None:
    """Importing a package runs nothing: its __init__ is a docstring and no statement."""
    body = ast.parse((ROOT / module).with_suffix(".py").read_text()).body

    assert len(body) == 1, f"{module}: keep only the docstring, put code in a module that is named for it"
    assert isinstance(body[0], ast.Expr)


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_heavy_libraries_stay_out(name: str) -> None:
    """Importing a whole layer loads none of the libraries that it has no business with."""
    modules = [dotted(module) for module in MODULES if layer(module) == name and module.name != "__main__"]
    code = f"import sys, {', '.join(modules)}; print(' '.join(sorted({ABSENT[name]!r} & sys.modules.keys())))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not loaded, f"importing {name} loads {loaded}: import them inside the function that needs them"


def test_the_ground_is_standard_library() -> None:
    """Columns and the landing grammar run anywhere Python runs: they load nothing that was installed."""
    modules = [dotted(module) for module in MODULES if layer(module) in GROUND]
    code = (
        f"import sys, {', '.join(modules)}; roots = {{name.split('.')[0] for name in sys.modules}};"
        "print(' '.join(sorted(roots - sys.stdlib_module_names - {'nextbasket_assets'})))"
    )
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True
    )

    assert not [name for name in loaded.stdout.split() if not name.startswith(("_", "sitecustomize"))]


def test_one_reader_of_the_environment() -> None:
    """Only definitions.py (the resource that finds Java and the crash points aside) reads environment variables."""
    readers = [
        module.as_posix()
        for module in MODULES
        if any(word in (ROOT / module).with_suffix(".py").read_text() for word in ("os.environ", "os.getenv"))
    ]

    assert set(readers) <= {"definitions", "resources/java", "resources/spark", "cli/home", "crash_points"}
