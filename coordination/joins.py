"""Joins."""

from coordination.fanouts import Branch, FanOut

__all__ = ["Branch", "FanOut"]
