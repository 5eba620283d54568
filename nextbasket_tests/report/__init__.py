"""Tests of nextbasket_assets.report."""
