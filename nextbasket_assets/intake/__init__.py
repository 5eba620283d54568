"""Any retailer's transaction files to a landing folder: pyarrow and pydantic; no Dagster, no Spark, no torch."""
