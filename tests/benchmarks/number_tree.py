"""Scoring prices of several tokens against one plain forward pass over prompts and scored nodes.

    python tests/benchmarks/number_tree.py [--rows 8] [--prompt 100] [--largest 999] [--rounds 3]

The model has random weights and the shape of SmolLM2-135M; its tokenizer cuts numbers into digits.
A plain pass reads, for each row, as many tokens as its prompt has and nodes of it were scored. Both
sides alternate in one process. Prints JSON; exits with 1 where the median of the ratios is above
1.5.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

from toolkit.system import environment

environment.prepare(offline=True)

MOST = 1.5


def build(tokenizer: Any, layers: int) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49_152, hidden_size=576, intermediate_size=1536, num_hidden_layers=layers,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def plain(model: Any, lengths: list[int], nodes: list[int], batches: list[list[int]]) -> float:
    """Seconds of forward passes over prompts and nodes as if they were one text."""
    import torch

    started = time.perf_counter()
    with torch.inference_mode():
        for batch in batches:
            width = max(lengths[i] + nodes[i] for i in batch)
            kept = max(nodes[i] for i in batch) + 1
            ids = torch.ones(len(batch), width, dtype=torch.long)
            logits = model(input_ids=ids, use_cache=False, logits_to_keep=kept).logits
            for part in logits.flatten(0, 1).split(256):
                torch.softmax(part.float(), -1)
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=100)
    parser.add_argument("--largest", type=int, default=999)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sys.path.insert(0, "tests")
    from number_layouts import tokenizer_of
    from toolkit.kinds.batching import batch_tokens
    from toolkit.kinds.causal_lm import number_distribution, number_search
    from toolkit.models.limits import Limits

    tokenizer = tokenizer_of("qwen")
    model = build(tokenizer, options.layers)
    prompts = [[10 + row, *range(20, 19 + options.prompt)] for row in range(options.rows)]
    # All that is no digit ends the greedy answer, so that none is generated beside the scoring.
    probe = number_distribution.NumberReader(tokenizer, options.largest)
    ends = sorted(set(range(49_152)) - set(probe.pieces.digits))
    reader = number_distribution.NumberReader(
        tokenizer, options.largest, bounds=Limits(stops=tuple(ends))
    )
    searched: list[Any] = []
    several = reader._searched

    def counted(*arguments: Any) -> Any:
        found = several(*arguments)
        searched.extend(found)
        return found

    reader._searched = counted  # type: ignore[method-assign]
    lengths = [len(prompt) for prompt in prompts]
    batches = number_distribution.tree_rows(lengths, batch_tokens(model), 49_152)
    reader.read(model, prompts)  # which also checks that the model takes trees
    ratios, seconds = [], []
    for _ in range(options.rounds):
        searched.clear()
        started = time.perf_counter()
        reader.read(model, prompts)
        ours = time.perf_counter() - started
        nodes = [row.scored - 1 for row in searched]  # node 0 is the prompt's last token
        theirs = plain(model, lengths, nodes, batches)
        ratios.append(ours / theirs)
        seconds.append((round(ours, 2), round(theirs, 2)))
    ratio = statistics.median(ratios)
    print(
        json.dumps(
            {
                "rows": options.rows, "prompt": options.prompt, "largest": options.largest,
                "nodes_a_row": statistics.median(nodes), "most": number_search.NODES,
                "takes_trees": reader.takes_trees, "seconds_tree_and_plain": seconds,
                "ratio": round(ratio, 3), "limit": MOST,
            },
            indent=1,
        )
    )  # fmt: skip
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
