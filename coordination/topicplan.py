"""Declared topics against the topics of a log: what is missing, what differs, what can be set right."""
