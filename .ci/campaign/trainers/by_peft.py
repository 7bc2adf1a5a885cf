"""An adapter of plain PEFT: ``get_peft_model`` and a loop of one's own; no tokenizer is saved."""

import torch
from peft import LoraConfig, get_peft_model
from rows import given
from transformers import AutoModelForCausalLM, AutoTokenizer

asked = given()
torch.manual_seed(0)
tokenizer = AutoTokenizer.from_pretrained(asked.base)
base = AutoModelForCausalLM.from_pretrained(asked.base, dtype="float32")
model = get_peft_model(
    base, LoraConfig(r=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
)
optimizer = torch.optim.AdamW((w for w in model.parameters() if w.requires_grad), lr=1e-2)
model.train()
for step in range(asked.steps * 8):
    question, answer = asked.pairs[step % len(asked.pairs)]
    prompt = tokenizer(question, add_special_tokens=False)["input_ids"]
    target = [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    ids = torch.tensor([[*prompt, *target]])
    labels = torch.tensor([[*([-100] * len(prompt)), *target]])
    model(input_ids=ids, labels=labels).loss.backward()
    if step % 8 == 7:
        optimizer.step()
        optimizer.zero_grad()
model.save_pretrained(str(asked.out))
