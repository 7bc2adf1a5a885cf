"""How urgent a ticket is: 1 can wait, 2 is a nuisance, 3 stops work."""

from ticket_urgency.rule import urgency
from toolkit import Metric, Panel, SequenceClassificationTask
from toolkit.baselines import most_frequent, tfidf_logistic
from toolkit.metrics import ACCURACY

# To come too late to an urgent ticket costs three times as much as to hurry for nothing.
REGRET = Metric(
    "regret", lambda p, r: 3.0 * max(0.0, r - p) + max(0.0, p - r),
    greater_is_better=False, label="Regret", format=".2f",
)  # fmt: skip


def by_rule(train):
    return lambda rows: [urgency(text) for text in rows["text"][:]]


class TicketUrgency(SequenceClassificationTask):
    name = "ticket-urgency"
    summary = "Say how urgent a ticket is"
    api_version = 2
    classes, ordinal = (1, 2, 3), True
    columns = {"text": "the ticket", "urgency": "1 to 3", "channel": "how it came in"}
    truncate = "text"
    answer = "urgency"
    data, synthetic = "rows.csv", True
    metrics = (REGRET, ACCURACY)
    primary_metric = "regret"
    panel = Panel({"text": "Ticket"}, view="labels", examples=({"text": "The printer is slow."},))

    def format_example(self, row):
        return {"text": row["text"], "label": row.get("urgency")}

    def reference(self, row):
        return row["urgency"]

    def slices(self):
        return {"channel": lambda row: row["channel"]}

    def baselines(self):
        return {
            "most-frequent": most_frequent("urgency"),
            "rule": by_rule,
            "tfidf-logistic": tfidf_logistic("text", "urgency"),
        }
