"""Ingest, against a log in memory and both databases."""
