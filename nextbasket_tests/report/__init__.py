"""Tests of the pictures and tables for people."""
