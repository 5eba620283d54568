"""The fault catalogue: one file per group, one test per row, named by its id."""
