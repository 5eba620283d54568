"""Tests of the Spark transforms and of the stages around them."""
