"""Metrics, ready-made ones, and the statistics on them."""
