"""Stages on EMR: one cluster for a run, one step for a stage, and nothing left when the run is over."""
