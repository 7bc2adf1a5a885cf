"""Requests and answers as pydantic models, from which the OpenAPI schema is made.

The fields under ``/v1`` are those of OpenAI's API reference. What cannot be done here is refused,
never passed over in silence; fields that change no answer (``user``, ``metadata``) are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt, StrictStr

MOST_STOPS = 4
MOST_TOP = 20
MOST_PROMPTS = 128
TOKEN = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "reasoning_effort": (),
    "web_search_options": (),
}
"""Fields that only these values (and ``null``) are taken for: others would change the answer."""


class Strict(BaseModel):
    """A part of a request whose every field must be known."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class StreamOptions(BaseModel):
    """How an answer is streamed."""

    include_usage: StrictBool = Field(default=False, description="A last event with the usage.")


class Generation(BaseModel):
    """What chat and completions have in common."""

    model_config = ConfigDict(extra="allow")

    model: StrictStr = Field(max_length=200, description="A name that /v1/models lists.")
    max_tokens: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="The most new tokens; else the room of an answer in the run."
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0, which is the default here, decodes greedily."
    )
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: Annotated[StrictInt, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: StrictStr | Annotated[list[StrictStr], Field(max_length=MOST_STOPS)] | None = Field(
        default=None, description="Texts before which the answer ends."
    )
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[StrictInt, Field(ge=1, le=1)] | None = Field(
        default=None, description="One answer a prompt."
    )

    @property
    def streamed(self) -> bool:
        """Whether the answer is sent piece by piece."""
        return bool(self.stream)

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def stops(self) -> list[str]:
        """The stop texts."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or ())

    def unsupported(self) -> str | None:
        """The first field that asks for what is not done here."""
        for name, taken in UNSUPPORTED.items():
            value = getattr(self, name, None)
            if value is not None and not any(value == one for one in taken):
                return name
        return None


class TextPart(BaseModel):
    """A part of a message."""

    type: StrictStr
    text: StrictStr | None = None


class Message(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: StrictStr | list[TextPart]


class ChatRequest(Generation):
    """``POST /v1/chat/completions``."""

    messages: list[Message] = Field(min_length=1, max_length=1000)
    max_completion_tokens: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="As max_tokens, and goes before it."
    )
    logprobs: StrictBool | None = None
    top_logprobs: Annotated[StrictInt, Field(ge=0, le=MOST_TOP)] | None = None


class CompletionRequest(Generation):
    """``POST /v1/completions``."""

    prompt: (
        StrictStr
        | Annotated[list[TOKEN], Field(min_length=1)]
        | Annotated[list[StrictStr], Field(min_length=1, max_length=MOST_PROMPTS)]
        | Annotated[
            list[Annotated[list[TOKEN], Field(min_length=1)]],
            Field(min_length=1, max_length=MOST_PROMPTS),
        ]
    )
    logprobs: Annotated[StrictInt, Field(ge=0, le=MOST_TOP)] | None = None

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts, as texts or token ids."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if isinstance(self.prompt[0], int):
            return [[int(token) for token in self.prompt if isinstance(token, int)]]
        return [one if isinstance(one, str) else list(one) for one in self.prompt]


class Usage(Answer):
    """Tokens that were read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatMessage(Answer):
    """The answer to a conversation."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class TopLogprob(Answer):
    """A token that was possible, and its log probability."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(TopLogprob):
    """A token of the answer, its log probability, and what else was possible."""

    top_logprobs: list[TopLogprob]


class ChatLogprobs(Answer):
    """Log probabilities of an answer's tokens."""

    content: list[TokenLogprob]
    refusal: None = None


class ChatChoice(Answer):
    """One answer."""

    index: int
    message: ChatMessage
    logprobs: ChatLogprobs | None = None
    finish_reason: Literal["stop", "length"]


class ChatCompletion(Answer):
    """The answer of ``/v1/chat/completions``."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class CompletionLogprobs(Answer):
    """Log probabilities of an answer's tokens, as lists."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class CompletionChoice(Answer):
    """One answer."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None = None
    finish_reason: Literal["stop", "length"]


class Completion(Answer):
    """The answer of ``/v1/completions``."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage


class Model(Answer):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "toolkit"
    root: str
    parent: str | None = None


class Models(Answer):
    """The answer of ``/v1/models``."""

    object: Literal["list"] = "list"
    data: list[Model]


class ErrorDetail(Answer):
    """What went wrong, in OpenAI's form."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failure(Answer):
    """The body of every answer that is an error."""

    error: ErrorDetail


class PredictRequest(Strict):
    """``POST /tasks/NAME/predict``."""

    rows: list[StrictStr | dict[str, JsonValue]] = Field(
        min_length=1,
        description="Texts, for a task with one input; or objects with the columns of a file that "
        "`toolkit predict --data` would read.",
    )
    base: StrictBool = Field(default=False, description="Predict with the untouched base model.")


class Prediction(Answer):
    """One row's prediction, as ``toolkit predict --json`` gives it."""

    row_id: int | str
    input: str
    prediction: JsonValue = Field(description="The decoder's value, or the task's fallback.")
    low: float | None = Field(description="The lower end of the prediction interval.")
    high: float | None = Field(description="Its upper end.")
    raw: str | None = Field(description="The output in words.")
    parsed: bool = Field(description="Whether the decoder could read the output.")
    detail: JsonValue = Field(default=None, description="Question answering: spans and more.")
    probabilities: dict[str, float] | None = Field(
        default=None, description="Classification: the probability of each label."
    )


class Predictions(Answer):
    """The answer of ``/tasks/NAME/predict``."""

    task: str
    run: str
    system: str
    decoder: str
    predictions: list[Prediction]
