"""An adapter of LLaMA-Factory: what ``llamafactory-cli train`` runs, with Alpaca's rows."""

import json

from llamafactory.train.tuner import run_exp
from rows import given
from transformers import AutoTokenizer

asked = given()
data = asked.out.with_name(f"{asked.out.name}-data")
data.mkdir(parents=True)
rows = [{"instruction": q.strip(), "input": "", "output": a} for q, a in asked.pairs]
(data / "rows.json").write_text(json.dumps(rows))
(data / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
template = "alpaca"
if asked.chat:  # the name that its users give for such a model
    own = AutoTokenizer.from_pretrained(asked.base).chat_template
    template = "llama3" if "<|start_header_id|>" in own else "chatml"
run_exp(
    {
        "model_name_or_path": asked.base, "stage": "sft", "do_train": True,
        "finetuning_type": "lora", "lora_rank": 8, "lora_target": "all", "dataset": "rows",
        "dataset_dir": str(data), "template": template,
        "cutoff_len": 128, "output_dir": str(asked.out), "max_steps": asked.steps,
        "learning_rate": 2e-3, "per_device_train_batch_size": 8, "logging_steps": 1,
        "save_strategy": "no", "report_to": "none", "use_cpu": True, "bf16": False,
        "overwrite_output_dir": True, "preprocessing_num_workers": 1,
    }
)  # fmt: skip
