"""What a user would write by hand: LoRA on prompt/completion rows with TRL, and nothing else.

    python plain_trl.py MODEL ROWS.jsonl OUT --batch 8 --epochs 1 [--tuned] [--lora JSON]

Without --tuned it uses TRL's defaults (gradient checkpointing); with it, the toolkit's settings.
``--lora`` holds fields of ``LoraConfig``.
"""

import argparse
import json

from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("rows")
parser.add_argument("out")
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--epochs", type=float, default=1)
parser.add_argument("--rate", type=float, default=2e-3)
parser.add_argument("--tuned", action="store_true")
parser.add_argument("--lora", default='{"r": 16, "lora_alpha": 32, "target_modules": "all-linear"}')
arguments = parser.parse_args()

tuned = {"gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"}
config = SFTConfig(
    output_dir=arguments.out,
    per_device_train_batch_size=arguments.batch,
    num_train_epochs=arguments.epochs,
    learning_rate=arguments.rate,
    lr_scheduler_type="cosine",
    logging_steps=10,
    report_to="none",
    save_strategy="no",
    use_cpu=True,
    seed=0,
    **(tuned if arguments.tuned else {}),
)
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(
        arguments.model,
        dtype="float32",
        attn_implementation="eager" if arguments.tuned else None,
    ),
    args=config,
    train_dataset=load_dataset("json", data_files=arguments.rows, split="train"),
    processing_class=AutoTokenizer.from_pretrained(arguments.model),
    peft_config=LoraConfig(**json.loads(arguments.lora), task_type="CAUSAL_LM"),
)
result = trainer.train()
trainer.save_model(arguments.out)
print("RESULT " + json.dumps({"seconds": result.metrics["train_runtime"]}))
