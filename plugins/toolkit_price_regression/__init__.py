"""Prices from product descriptions: the price-regression task."""
