"""Spark: functions from DataFrames to DataFrames, and the stages that run them on parquet files."""
