"""The platform as people see it: Dagster's UI and the report, driven in a headless Chromium."""
