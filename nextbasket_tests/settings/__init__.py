"""Tests of `nextbasket_assets.settings`."""
