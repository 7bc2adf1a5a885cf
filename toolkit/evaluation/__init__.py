"""From systems to ``metrics.json``: predictions, scores, slices, the verdict."""
