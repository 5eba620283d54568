"""Stages on EMR."""
