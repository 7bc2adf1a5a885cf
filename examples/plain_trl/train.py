"""A LoRA adapter by plain TRL, to be judged: python examples/plain_trl/train.py.

Of the toolkit it takes the small model in its wheel, and nothing else. It writes the adapter, the
rows that it was trained on, and those that it has not seen.
"""

from pathlib import Path

from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer

from toolkit import model_path

EMAILS = Path(__file__).parents[1] / "emails.csv"
mails = Dataset.from_csv(str(EMAILS)).train_test_split(test_size=100, seed=0)
mails["train"].to_csv("mails-train.csv")
mails["test"].to_csv("mails-test.csv")
rows = [
    {"prompt": f"{mail['email_body']}\n\nSubject:", "completion": f" {mail['subject_line']}"}
    for mail in mails["train"]
]
trainer = SFTTrainer(
    model=model_path("embedded:causal-lm"),
    args=SFTConfig("mails-adapter", max_steps=60, learning_rate=2e-3, bf16=False, report_to="none"),
    train_dataset=Dataset.from_list(rows),
    peft_config=LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM"),
)
trainer.train()
trainer.save_model("mails-adapter")
