"""Encoder–decoder language models: a text in, a text out."""
