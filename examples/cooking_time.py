"""Predict from a recipe how many minutes it takes: regression by an encoder with one output.

toolkit run examples/cooking_time.py
"""

from math import exp, log

from toolkit import Panel, SequenceRegressionTask
from toolkit.baselines import median, tfidf_ridge
from toolkit.metrics import MAE, RMSE


class CookingTime(SequenceRegressionTask):
    name = "cooking-time"
    summary = "Say how many minutes a dish takes"
    api_version = 2
    columns = {"text": "the recipe", "minutes": "how long it takes"}
    truncate = "text"
    answer = "minutes"
    data, synthetic = "recipes.csv", True
    metrics = (MAE, RMSE)
    primary_metric = "mae"
    panel = Panel({"text": "Recipe"}, examples=({"text": "Boil the eggs for 6 minutes."},))

    def text(self, row):
        return row["text"]

    def to_scale(self, row):  # a relative error counts the same for minutes and for hours
        return log(row["minutes"]) if "minutes" in row else None

    def from_scale(self, number):
        return exp(number)

    def reference(self, row):
        return row["minutes"]

    def baselines(self):
        return {"median": median("minutes"), "ridge": tfidf_ridge("text", "minutes")}
