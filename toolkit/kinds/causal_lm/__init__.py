"""Causal language models: TRL's trainer, and numbers read from token probabilities."""
