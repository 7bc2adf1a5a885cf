"""Write the subject of an e-mail, as AESLC defines the task: ``email_body`` → ``subject_line``.

toolkit run examples/email_subject.py
"""

from toolkit import CausalLMTask, Panel
from toolkit.baselines import first_words, nearest
from toolkit.metrics import EXACT_MATCH, TOKEN_F1


class EmailSubject(CausalLMTask):
    name = "email-subject"
    summary = "Write the subject line of an e-mail"
    api_version = 2
    columns = {"email_body": "the e-mail", "subject_line": "its subject"}
    answer = "subject_line"
    data, synthetic = "emails.csv", True
    metrics = (TOKEN_F1, EXACT_MATCH)
    primary_metric = "token_f1"
    truncate = "email_body"
    panel = Panel({"email_body": "E-mail"}, examples=({"email_body": "Could we meet on Friday?"},))

    def format_example(self, row):
        prompt = f"{row['email_body']}\n\nSubject:"
        return {"prompt": prompt, "completion": f" {row.get('subject_line', '')}"}

    def postprocess(self, output, row):
        return output.text.strip().split("\n")[0] or None

    def fallback(self):
        return ""

    def reference(self, row):
        return row["subject_line"]

    def baselines(self):
        texts = "email_body"
        return {"first-8": first_words(texts, 8), "nearest": nearest(texts, "subject_line")}
