"""An Ollama Modelfile: the prompt as the adapter was asked, the stop tokens, greedy answers."""

from __future__ import annotations

from typing import Any

from toolkit.kinds import TextModel

HEAD = "# Written by adapter-toolkit. It was not tried with Ollama: compare a few answers.\n"
ASKED, TOLD = "0ASKED0", "0TOLD0"
"""What stands for the messages of user and system while the chat template is read."""


def content(kind: TextModel, file: str) -> str:
    """The text of the Modelfile.

    Args:
        kind: the model, whose tokenizer has the chat template.
        file: the name of the GGUF file beside it.
    """
    tokenizer = kind.tokenizer
    stops = [str(tokenizer.convert_ids_to_tokens(one)) for one in kind.limits.stops]
    lines = [
        f"FROM ./{file}",
        f'TEMPLATE """{template(tokenizer)}"""',
        *(f'PARAMETER stop "{stop}"' for stop in stops),
        "PARAMETER temperature 0",
        f"PARAMETER num_predict {kind.answer_room}",
        *([f"PARAMETER num_ctx {kind.positions}"] if kind.positions else []),
    ]
    return HEAD + "\n".join(lines) + "\n"


def template(tokenizer: Any) -> str:
    """The chat template for one question in Ollama's language; of texts, the text alone."""
    if not tokenizer.chat_template:
        return "{{ .Prompt }}"
    plain = _written(tokenizer, [{"role": "user", "content": ASKED}])
    try:
        told = _written(
            tokenizer,
            [{"role": "system", "content": TOLD}, {"role": "user", "content": ASKED}],
        )
    except Exception:  # a template may refuse messages of the system in its own way
        return plain
    if TOLD not in told and "{{ .System }}" not in told:
        return plain
    return f"{{{{ if .System }}}}{told}{{{{ else }}}}{plain}{{{{ end }}}}"


def _written(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    text = str(
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ).replace("{{", '{{ "{{" }}')
    return text.replace(ASKED, "{{ .Prompt }}").replace(TOLD, "{{ .System }}")
