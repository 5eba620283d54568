"""Scores as files that other systems read: pure functions from tables to a folder."""
