"""An adapter of plain TRL: ``SFTTrainer``, and its ``save_model``."""

from datasets import Dataset
from peft import LoraConfig
from rows import given
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

asked = given()


def example(question: str, answer: str) -> dict[str, object]:
    """One row in TRL's own columns."""
    if not asked.chat:
        return {"prompt": question, "completion": answer}
    return {
        "prompt": [{"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": answer}],
    }


trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(asked.base, dtype="float32"),
    args=SFTConfig(
        output_dir=f"{asked.out}-steps", max_steps=asked.steps, learning_rate=2e-3,
        per_device_train_batch_size=8, report_to="none", save_strategy="no", bf16=False,
        use_cpu=True,
    ),
    train_dataset=Dataset.from_list([example(*pair) for pair in asked.pairs]),
    processing_class=AutoTokenizer.from_pretrained(asked.base),
    peft_config=LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"),
)  # fmt: skip
trainer.train()
trainer.save_model(str(asked.out))
