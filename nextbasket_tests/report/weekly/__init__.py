"""Tests of the weekly report's numbers and page."""
