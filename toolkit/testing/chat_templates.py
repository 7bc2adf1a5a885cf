"""Chat templates of the usual layouts, as small texts: how well known models write a conversation.

They follow the templates that the models publish in everything that a program can trip over: the
control tokens and blanks, default system messages, what they refuse or leave out, where tools and
thoughts stand, and dates. Long fixed texts are shortened. Set one on a tokenizer that has the
:data:`SPECIAL_TOKENS` of the layout::

    tokenizer.chat_template = TEMPLATES["gemma2"]
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.testing.tool_templates import (
    CHATML_PROMPT,
    GRANITE,
    LLAMA3,
    MISTRAL3,
    QWEN3,
    QWEN25,
)

_CHATML = (
    """
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
"""
    + CHATML_PROMPT
)

_CHATML_SYSTEM = (
    """
{%- for message in messages %}
    {%- if loop.first and messages[0].role != 'system' %}
        {{- '<|im_start|>system\\nYou are a helpful AI assistant.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
"""
    + CHATML_PROMPT
)

_CHATML_GENERATION = (
    """
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}{{- message.content + '<|im_end|>' }}{%- endgeneration %}
        {{- '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
"""
    + CHATML_PROMPT
)

_THINK_ALWAYS = (
    """
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' and loop.last %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
    {{- content + '<|im_end|>\\n' }}
{%- endfor %}
"""
    + CHATML_PROMPT
)

_THINK_OPEN = """
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"""

_LLAMA2 = """
{%- if messages[0]['role'] == 'system' %}
    {%- set turns = messages[1:] %}
    {%- set system = messages[0]['content'] %}
{%- else %}
    {%- set turns = messages %}
    {%- set system = false %}
{%- endif %}
{%- for message in turns %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/...') }}
    {%- endif %}
    {%- set content = message['content'] %}
    {%- if loop.index0 == 0 and system %}
        {%- set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + content %}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- bos_token + '[INST] ' + content | trim + ' [/INST]' }}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + content | trim + ' ' + eos_token }}
    {%- endif %}
{%- endfor %}"""

_GEMMA2 = """
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {{- raise_exception('System role not supported') }}
{%- endif %}
{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/...') }}
    {%- endif %}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] %}
    {{- '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<start_of_turn>model\\n' }}{%- endif %}"""

_MISTRAL1 = """
{{- bos_token }}
{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/...') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- '[INST] ' + message['content'] + ' [/INST]' }}
    {%- elif message['role'] == 'assistant' %}
        {{- message['content'] + eos_token }}
    {%- else %}
        {{- raise_exception('Only user and assistant roles are supported!') }}
    {%- endif %}
{%- endfor %}"""

_PHI3 = """
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- '<|system|>\\n' + message['content'] + '<|end|>\\n' }}
    {%- elif message['role'] == 'user' %}
        {{- '<|user|>\\n' + message['content'] + '<|end|>\\n' }}
    {%- elif message['role'] == 'assistant' %}
        {{- '<|assistant|>\\n' + message['content'] + '<|end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
{%- else %}
    {{- eos_token }}
{%- endif %}"""

_ZEPHYR = """
{%- for message in messages %}
    {%- if message['role'] in ['user', 'system', 'assistant'] %}
        {{- '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}
    {%- endif %}
    {%- if loop.last and add_generation_prompt %}{{- '<|assistant|>\\n' }}{%- endif %}
{%- endfor %}"""

_OLMO2 = """
{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- '<|system|>\\n' + message['content'] + '\\n' }}
    {%- elif message['role'] == 'user' %}
        {{- '<|user|>\\n' + message['content'] + '\\n' }}
    {%- elif message['role'] == 'assistant' %}
        {%- if not loop.last %}
            {{- '<|assistant|>\\n' + message['content'] + eos_token + '\\n' }}
        {%- else %}
            {{- '<|assistant|>\\n' + message['content'] + eos_token }}
        {%- endif %}
    {%- endif %}
    {%- if loop.last and add_generation_prompt %}{{- '<|assistant|>\\n' }}{%- endif %}
{%- endfor %}"""

TEMPLATES: Mapping[str, str] = {
    "chatml": _CHATML,
    "chatml-system": _CHATML_SYSTEM,
    "chatml-generation": _CHATML_GENERATION,
    "qwen2.5": QWEN25,
    "qwen3": QWEN3,
    "think-always": _THINK_ALWAYS,
    "think-open": _THINK_OPEN,
    "llama2": _LLAMA2,
    "llama3": LLAMA3,
    "gemma2": _GEMMA2,
    "mistral-v1": _MISTRAL1,
    "mistral-v3": MISTRAL3,
    "phi3": _PHI3,
    "zephyr": _ZEPHYR,
    "granite": GRANITE,
    "olmo2": _OLMO2,
}
"""Layouts by name: ``chatml-system`` is SmolLM2's, ``chatml-generation`` one with the marks for
the loss, ``think-always`` writes an empty thought without a switch, ``think-open`` begins answers
with a thought as DeepSeek-R1 does, ``zephyr`` is TinyLlama's too."""

_CHATML_TOKENS = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
_SENTENCEPIECE = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}

SPECIAL_TOKENS: Mapping[str, Mapping[str, str]] = {
    "chatml": _CHATML_TOKENS,
    "chatml-system": {**_CHATML_TOKENS, "bos_token": "<|im_start|>"},
    "chatml-generation": _CHATML_TOKENS,
    "qwen2.5": _CHATML_TOKENS,
    "qwen3": _CHATML_TOKENS,
    "think-always": _CHATML_TOKENS,
    "think-open": _CHATML_TOKENS,
    "llama2": _SENTENCEPIECE,
    "llama3": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    "gemma2": {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"},
    "mistral-v1": _SENTENCEPIECE,
    "mistral-v3": _SENTENCEPIECE,
    "phi3": {**_SENTENCEPIECE, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
    "zephyr": _SENTENCEPIECE,
    "granite": {"bos_token": "<|end_of_text|>", "eos_token": "<|end_of_text|>"},
    "olmo2": {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"},
}
"""The special tokens by their roles, as the models' tokenizers have them."""

FURTHER_TOKENS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("chatml", "chatml-system", "chatml-generation", "qwen2.5", "qwen3"), ("<|im_start|>",)
    ),
    **dict.fromkeys(("think-always", "think-open"), ("<|im_start|>",)),
    "llama3": ("<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"),
    "gemma2": ("<start_of_turn>", "<end_of_turn>"),
    "mistral-v3": (
        "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
        "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
    ),
    "phi3": ("<|assistant|>", "<|system|>", "<|end|>", "<|user|>"),
    "granite": ("<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>"),
}  # fmt: skip
"""Control tokens of the layouts besides the special tokens; the others write them as text."""
