"""Tests of nextbasket_assets.operations."""
