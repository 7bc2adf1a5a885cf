"""Extractive question answering: spans of a context, or no answer."""
