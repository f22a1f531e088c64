"""Tests of Lineside; `python -m tests` runs every check there is."""
