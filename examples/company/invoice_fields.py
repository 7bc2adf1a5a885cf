"""Read the fields of an invoice as JSON: ``toolkit run examples/company/invoice_fields.py``."""

import json
import re

from toolkit import CausalLMTask, Panel
from toolkit.metrics import judge_metrics

PATTERNS = {"number": r"(?:nvoice|no\.|bill) (\d+)", "total": r"(\d+) EUR", "days": r"(\d+) days"}
FIELDS = ("supplier", *PATTERNS)


def read(text):
    """The object in a text; None where there is none."""
    try:
        return json.loads(re.search(r"\{.*?\}", text, re.DOTALL)[0])
    except (TypeError, ValueError):
        return None


def compare(said, true):
    right = {name: float(said.get(name) == true[name]) for name in FIELDS}
    return {"fields": sum(right.values()) / len(FIELDS), **right}


def by_pattern(train):
    """Suppliers that training knows, and numbers by the words beside them."""
    known = sorted({json.loads(fields)["supplier"] for fields in train["fields"]})

    def fields(letter):
        numbers = {n: int((re.search(p, letter) or (0, 0))[1]) for n, p in PATTERNS.items()}
        return {**numbers, "supplier": next((name for name in known if name in letter), "")}

    return lambda rows: [fields(letter) for letter in rows["letter"]]


class InvoiceFields(CausalLMTask):
    name, summary, api_version = "invoice-fields", "Read an invoice's fields as JSON", 2
    columns = {"letter": "the invoice", "fields": "its fields, as JSON"}
    answer, data, synthetic = "fields", "invoices.csv", True
    metrics = judge_metrics(compare, fields={"label": "Right fields"}, **{n: {} for n in FIELDS})
    primary_metric = "fields"
    panel = Panel({"letter": "Invoice"}, examples=({"letter": "Invoice 7. Pay 30 EUR. Halden AS"},))

    def format_example(self, row):
        fields = f" {row['fields']}" if "fields" in row else ""
        return {"prompt": f"{row['letter']}\n\nFields as JSON:", "completion": fields}

    def postprocess(self, output, row):
        return read(output.text)

    def reference(self, row):
        return json.loads(row["fields"])

    def fallback(self):
        return {}

    def baselines(self):
        return {"pattern": by_pattern}
