"""Summarise a dialogue, as SAMSum defines the task: columns ``dialogue`` and ``summary``.

toolkit run examples/dialogue_summary.py
toolkit run examples/dialogue_summary.py --data samsum-train.jsonl
"""

from toolkit import CausalLMTask, Panel
from toolkit.baselines import first_words, nearest
from toolkit.metrics import EXACT_MATCH, TOKEN_F1


class DialogueSummary(CausalLMTask):
    name = "dialogue-summary"
    summary = "Summarise a dialogue in a sentence or two"
    api_version = 2
    columns = {"dialogue": "who says what, line by line", "summary": "what it comes to"}
    answer = "summary"
    data, synthetic = "dialogues.csv", True
    metrics = (TOKEN_F1, EXACT_MATCH)
    primary_metric = "token_f1"
    truncate = "dialogue"
    panel = Panel({"dialogue": "Dialogue"}, examples=({"dialogue": "A: Tea?\nB: At five, yes."},))

    def format_example(self, row):
        prompt = f"Dialogue:\n{row['dialogue']}\n\nIn short:"
        return {"prompt": prompt, "completion": f" {row.get('summary', '')}"}

    def postprocess(self, output, row):
        return output.text.strip() or None

    def fallback(self):
        return ""

    def reference(self, row):
        return row["summary"]

    def baselines(self):
        return {"lead-15": first_words("dialogue", 15), "nearest": nearest("dialogue", "summary")}
