"""An adapter of Unsloth, as its notebooks make one, on a processor; the model and the tokenizer."""

from unsloth import FastLanguageModel  # isort: skip  (before the libraries that it changes)
from datasets import Dataset
from rows import given
from trl import SFTConfig, SFTTrainer

asked = given()
model, tokenizer = FastLanguageModel.from_pretrained(
    asked.base, max_seq_length=128, load_in_4bit=False, local_files_only=True
)
model = FastLanguageModel.get_peft_model(
    model, r=8, lora_alpha=16, lora_dropout=0.0, random_state=3407,
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
)  # fmt: skip


def text(question: str, answer: str) -> str:
    """One row as the text that is trained on."""
    if not asked.chat:
        return f"{question}{answer}{tokenizer.eos_token}"
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return tokenizer.apply_chat_template(turns, tokenize=False)


trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    train_dataset=Dataset.from_list([{"text": text(*pair)} for pair in asked.pairs]),
    args=SFTConfig(
        output_dir=f"{asked.out}-steps", max_steps=asked.steps, learning_rate=2e-3,
        per_device_train_batch_size=8, report_to="none", save_strategy="no", max_length=128,
        dataset_text_field="text",
    ),
)  # fmt: skip
trainer.train()
model.save_pretrained(str(asked.out))
tokenizer.save_pretrained(str(asked.out))
