"""Further systems on a run's ladder: models of an API, adapters of other runs, other models."""
