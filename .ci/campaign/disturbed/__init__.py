"""Parts of the fault campaign: kinds of runs, hooks, children, comparison."""
