"""Metrics: how a task defines one, ready-made ones, and statistics on their figures."""
