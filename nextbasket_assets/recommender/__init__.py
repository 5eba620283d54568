"""The next-basket model in torch: parquet in, tensors, parquet out. Knows neither Dagster nor Spark."""
