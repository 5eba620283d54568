"""Tests of nextbasket_assets.assets."""
