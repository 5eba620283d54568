"""The tables: Delta Lake, written without a JVM jar. Engines write files; only this package commits them."""
