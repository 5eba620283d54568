"""Write requirements.hashes: the sha256 of every file that each pin of requirements.lock has on the package index.

torch is left out: which build is right depends on the machine (docs/decisions/0044). `make lock` runs this after a change of
requirements.lock; uv asks the index that pip is configured for, and its address is not written.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK, HASHES = ROOT / "requirements.lock", ROOT / "requirements.hashes"
WITHOUT_HASH = {"torch"}
UV = "uv==0.13.9"
COMPILE = ["pip", "compile", "--quiet", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate", "--universal"]


def pins(text: str) -> dict[str, str]:
    """Version by name, of lines like `name==version` with or without hashes after them."""
    found = (line.split()[0].split("==") for line in text.splitlines() if "==" in line and not line.startswith("#"))
    return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in found}


def main() -> int:
    """Write the file; the exit status."""
    wanted = [line for line in LOCK.read_text().splitlines() if line.split("==")[0] not in WITHOUT_HASH]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", UV], check=True)
        asked = subprocess.run(
            [python, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
        )
        index = {"UV_DEFAULT_INDEX": asked.stdout.strip()} if asked.stdout.strip() else {}
        (Path(folder) / "wanted.in").write_text("\n".join([*wanted, ""]))
        command = [python, "-m", "uv", *COMPILE, "--python-version", "3.11", f"{folder}/wanted.in", "-o", str(HASHES)]
        subprocess.run(command, check=True, env={**os.environ, **index}, stdout=subprocess.DEVNULL)
    print(f"{HASHES.name}: {len(pins(HASHES.read_text()))} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
