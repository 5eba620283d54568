"""Dagster's storage on a real PostgreSQL, with the production dagster.yaml: runs, events and partitions come back."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import yaml

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.partitions import LGSR_FIRST_WEEK
from nextbasket_assets.settings.reading import settings

pytestmark = pytest.mark.emr

DEPLOY = Path(__file__).parents[2] / "deploy"


def programs() -> Path | None:
    """Folder of initdb and pg_ctl: on the PATH, or where Debian's package puts them."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).resolve().parent if found else versions[-1].parent if versions else None


def install() -> None:
    """Debian's package, where it may be installed."""
    if programs() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        subprocess.run(["apt-get", "install", "-y", "postgresql"], capture_output=True, check=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """The server's own: another user reaches none in pytest's folder, which every pytest that starts closes again."""
    with tempfile.TemporaryDirectory(prefix="nextbasket-postgres-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def postgres(folder: Path) -> Iterator[int]:
    """A server of our own on a free port; PostgreSQL refuses root, so it runs as another user there."""
    install()
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = _somebody(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    (folder / "password").write_text("secret")
    os.chmod(folder / "password", 0o644)  # noqa: PTH101
    data = str(folder / "data")
    make = [f"{where}/initdb", "-D", data, "-U", "dagster", "-A", "scram-sha-256", "--pwfile", str(folder / "password")]
    made = subprocess.run(make, user=user, check=False, capture_output=True, text=True, cwd=folder)
    assert made.returncode == 0, made.stderr
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [f"{where}/postgres", "-D", data, "-p", str(port), *options]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, user=user, stderr=log, cwd=folder) as server:
        try:
            _wait(port)
            yield port
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            server.wait(timeout=30)


def _wait(port: int) -> None:
    for _ in range(300):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL does not answer")


def _somebody(folder: Path) -> int:
    """Who runs the server, and owns its folder: no more privileged than needed."""
    if os.geteuid() != 0:
        return os.geteuid()
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid


def test_a_weeks_run_is_kept_in_postgres(postgres: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's events, its materialised week and the sensor's state survive the process that wrote them."""
    home = tmp_path / "home"
    home.mkdir()
    config = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    config["storage"]["postgres"]["postgres_db"]["port"] = postgres
    (home / "dagster.yaml").write_text(yaml.safe_dump(config))
    for name, value in {"HOST": "127.0.0.1", "USER": "dagster", "PASSWORD": "secret", "DB": "postgres"}.items():
        monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", value)
    weeks = build_definitions(settings({})).resolve_all_asset_specs()[0].partitions_def

    @dg.asset(partitions_def=weeks)
    def week_of_lines(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 7})

    key = LGSR_FIRST_WEEK.isoformat()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert "Postgres" in type(instance.event_log_storage).__name__ + str(instance.info_dict())
        run_id = dg.materialize([week_of_lines], partition_key=key, instance=instance).run_id
    with dg.DagsterInstance.from_config(str(home)) as again:
        run = again.get_run_by_id(run_id)
        record = again.fetch_materializations(dg.AssetKey("week_of_lines"), limit=1).records[0]

        assert run is not None
        assert run.is_success
        assert date.fromisoformat(str(record.partition_key)) == LGSR_FIRST_WEEK
        assert record.asset_materialization is not None
        assert record.asset_materialization.metadata["rows"].value == 7
        assert again.get_materialized_partitions(dg.AssetKey("week_of_lines")) == {key}
