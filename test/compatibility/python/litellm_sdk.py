"""`litellm_sdk.py openai` or `anthropic`: the provider that LiteLLM's SDK calls."""

import json
import os
import sys

# the prices that it would download are part of the package
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # noqa: E402
from harness import (  # noqa: E402
    CITY_SCHEMA,
    IMAGE_URL,
    WEATHER_SCHEMA,
    Client,
    Context,
    equal,
    expect_city,
    expect_image_text,
    expect_text,
    expect_tokens,
    expect_weather,
    run,
)

PROVIDER = sys.argv[1]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": CITY_SCHEMA}}]

litellm.suppress_debug_info = True


def options(t: Context, model: str | None = None) -> dict:
    base = f"{t.url}/v1" if PROVIDER == "openai" else t.url
    return {"model": f"{PROVIDER}/{model or t.model}", "api_base": base, "api_key": t.key, **t.retry_options}


def chat(t: Context) -> dict:
    return {**options(t), "max_tokens": 50, "messages": [{"role": "user", "content": t.prompt}]}


def streamed(t: Context) -> None:
    text, usage = "", None
    for chunk in litellm.completion(**chat(t), stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        usage = getattr(chunk, "usage", None) or usage
    expect_text(t, text)
    expect_tokens(usage.prompt_tokens, usage.completion_tokens)


def tools(t: Context) -> None:
    completion = litellm.completion(**chat(t), tools=TOOLS, tool_choice="required")
    message = completion.choices[0].message
    [call] = message.tool_calls
    expect_city(t, json.loads(call.function.arguments))
    chunks = list(litellm.completion(**chat(t), tools=TOOLS, tool_choice="required", stream=True))
    [call] = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls
    expect_city(t, json.loads(call.function.arguments))
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    request = {**chat(t), "messages": [*chat(t)["messages"], message, result]}
    expect_text(t, litellm.completion(**request, tools=TOOLS).choices[0].message.content)


def structured_output(t: Context) -> None:
    schema = {"name": "weather", "strict": True, "schema": WEATHER_SCHEMA}
    response_format = {"type": "json_schema", "json_schema": schema}
    completion = litellm.completion(**chat(t), response_format=response_format)
    expect_weather(t, json.loads(completion.choices[0].message.content))


def images(t: Context) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE_URL}},
    ]
    request = {**chat(t), "messages": [{"role": "user", "content": content}]}
    expect_image_text(t, litellm.completion(**request).choices[0].message.content)


def embeddings(t: Context) -> None:
    response = litellm.embedding(**options(t, t.embedding_model), input=["one", "two"])
    equal(len(response.data), 2)
    if t.target == "upstream":
        equal(response.data[0]["embedding"], [0.25, -0.5, 0.75, 1])
    expect_tokens(response.usage.prompt_tokens)


def responses(t: Context) -> None:
    response = litellm.responses(**options(t), input=t.prompt, max_output_tokens=50)
    expect_text(t, response.output_text)
    expect_tokens(response.usage.input_tokens, response.usage.output_tokens)


def responses_streamed(t: Context) -> None:
    text, usage = "", None
    for event in litellm.responses(**options(t), input=t.prompt, max_output_tokens=50, stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            usage = event.response.usage
    expect_text(t, text)
    expect_tokens(usage.input_tokens, usage.output_tokens)


OF_OPENAI = {"embeddings": embeddings, "responses": responses, "responses, streamed": responses_streamed}


class LiteLlm(Client):
    features = {
        "streamed": streamed,
        "tools": tools,
        "structured output": structured_output,
        "images": images,
        **(OF_OPENAI if PROVIDER == "openai" else {}),
    }

    def ask(self, t: Context) -> str:
        completion = litellm.completion(**chat(t))
        expect_tokens(completion.usage.prompt_tokens, completion.usage.completion_tokens)
        return completion.choices[0].message.content

    def abort(self, t: Context) -> None:
        stream = litellm.completion(**chat(t), stream=True)
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        stream.completion_stream.close()


if __name__ == "__main__":
    run(LiteLlm())
