"""`nextbasket warm`: Spark's classes archived from a rehearsal, so that its later starts take half as long."""

import tempfile
from pathlib import Path

import click

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # a JVM that does little: compile lightly


@click.command()
def warm() -> None:
    """Archive Spark's classes, so that it starts and works in half the time.

    Once for each installation; make install does it.
    """
    from nextbasket_assets.resources import class_archive
    from nextbasket_assets.resources.java import java_home

    path = class_archive.make(java_home(), _rehearse)
    click.echo(
        f"{path}: {path.stat().st_size >> 20} MB; every Spark that starts in this environment reads it", err=True
    )


def _rehearse(flags: str) -> None:
    """A week of a tiny shop, from its landing file to sequences, in a JVM with these flags, which has then ended."""
    import dagster as dg

    from nextbasket_assets.definitions import build_definitions
    from nextbasket_assets.landing import monday
    from nextbasket_assets.resources.spark import LocalSparkResource
    from nextbasket_assets.settings.reading import settings
    from nextbasket_assets.shop.shop import write_shop

    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        write_shop(landing, customers=40, weeks=1, seed=1, products=250)
        places = {"NEXTBASKET_LANDING": str(landing), "NEXTBASKET_LAKE": f"{folder}/lake"}
        spark = LocalSparkResource(java_options=f"{QUICK} {flags}")
        definitions = build_definitions(settings(places), spark=spark)
        with dg.DagsterInstance.ephemeral() as instance:
            definitions.resolve_job_def("backfill_weeks").execute_in_process(
                instance=instance,
                partition_key=monday("200607").isoformat(),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        spark.close()
