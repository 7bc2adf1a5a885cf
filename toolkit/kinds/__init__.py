"""The kinds of model a task can be for; each brings its trainer, collator and predict loop."""
