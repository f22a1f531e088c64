"""Coordination over a log: the envelope, the vocabulary, the fold, the logs and the agent runtime.

A pure library. It knows no web framework and reads no clock: time and identifiers are arguments.
Agents import it to speak the protocol; the dashboard imports it to understand what they said.
"""
