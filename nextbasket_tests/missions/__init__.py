"""Tests of the mission model: planted missions that it must find, and their shuffled twins where it must not."""
