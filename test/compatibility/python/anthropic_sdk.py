import json

import anthropic
from harness import (
    CITY_SCHEMA,
    IMAGE,
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

TOOLS = [{"name": "weather", "input_schema": CITY_SCHEMA}]
ANY_TOOL = {"type": "any"}


def client_of(t: Context) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key=t.key, base_url=t.url, **t.retry_options)


def message(t: Context) -> dict:
    return {"model": t.model, "max_tokens": 50, "messages": [{"role": "user", "content": t.prompt}]}


def streamed(t: Context) -> None:
    with client_of(t).messages.stream(**message(t)) as stream:
        text = "".join(stream.text_stream)
        usage = stream.get_final_message().usage
    expect_text(t, text)
    expect_tokens(usage.input_tokens, usage.output_tokens)


def tools(t: Context) -> None:
    called = client_of(t).messages.create(**message(t), tools=TOOLS, tool_choice=ANY_TOOL)
    [call] = [block for block in called.content if block.type == "tool_use"]
    expect_city(t, call.input)
    with client_of(t).messages.stream(**message(t), tools=TOOLS, tool_choice=ANY_TOOL) as stream:
        [call] = [block for block in stream.get_final_message().content if block.type == "tool_use"]
    expect_city(t, call.input)
    result = {"type": "tool_result", "tool_use_id": called.content[0].id, "content": "sunny"}
    turns = [
        *message(t)["messages"],
        {"role": "assistant", "content": called.content},
        {"role": "user", "content": [result]},
    ]
    request = {**message(t), "messages": turns}
    expect_text(t, client_of(t).messages.create(**request, tools=TOOLS).content[0].text)


def structured_output(t: Context) -> None:
    output_config = {"format": {"type": "json_schema", "schema": WEATHER_SCHEMA}}
    answer = client_of(t).messages.create(**message(t), output_config=output_config)
    expect_weather(t, json.loads(answer.content[0].text))


def images(t: Context) -> None:
    content = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
        {"type": "text", "text": "What is this?"},
    ]
    request = {**message(t), "messages": [{"role": "user", "content": content}]}
    expect_image_text(t, client_of(t).messages.create(**request).content[0].text)


def count_tokens(t: Context) -> None:
    counted = client_of(t).messages.count_tokens(model=t.model, messages=message(t)["messages"])
    expect_tokens(counted.input_tokens)


def models(t: Context) -> None:
    client = client_of(t)
    if t.model not in [model.id for model in client.models.list()]:
        raise AssertionError(f"{t.model} is not listed")
    equal(client.models.retrieve(t.model).id, t.model)


class AnthropicSdk(Client):
    features = {
        "streamed": streamed,
        "tools": tools,
        "structured output": structured_output,
        "images": images,
        "count tokens": count_tokens,
        "models": models,
    }

    def ask(self, t: Context) -> str:
        raw = client_of(t).messages.with_raw_response.create(**message(t))
        int(raw.headers["anthropic-ratelimit-requests-limit"])
        answer = raw.parse()
        expect_tokens(answer.usage.input_tokens, answer.usage.output_tokens)
        return answer.content[0].text

    def abort(self, t: Context) -> None:
        with client_of(t).messages.create(**message(t), stream=True) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    break


if __name__ == "__main__":
    run(AnthropicSdk())
