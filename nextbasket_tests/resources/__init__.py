"""Tests of nextbasket_assets.resources."""
