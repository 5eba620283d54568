"""Tests of the recommender, file by file."""
