"""Tests of nextbasket_assets.cli."""
