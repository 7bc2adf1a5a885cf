"""From ``metrics.json`` to pages: the report, the comparison of runs, the model card."""
