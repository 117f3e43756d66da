import json

import openai
from harness import (
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

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": CITY_SCHEMA}}]
SCHEMA = {"name": "weather", "strict": True, "schema": WEATHER_SCHEMA}


def client_of(t: Context) -> openai.OpenAI:
    return openai.OpenAI(api_key=t.key, base_url=f"{t.url}/v1", **t.retry_options)


def chat(t: Context) -> dict:
    return {
        "model": t.model,
        "max_completion_tokens": 50,
        "messages": [{"role": "user", "content": t.prompt}],
    }


def streamed(t: Context) -> None:
    text = ""
    for chunk in client_of(t).chat.completions.create(**chat(t), stream=True):
        equal(chunk.usage, None)
        text += chunk.choices[0].delta.content or ""
    expect_text(t, text)
    # the helper rejects a text that is cut off, which the simulated model's is at the maximum
    request = {"model": t.model, "messages": chat(t)["messages"], "stream_options": {"include_usage": True}}
    with client_of(t).chat.completions.stream(**request) as stream:
        usage = stream.get_final_completion().usage
    expect_tokens(usage.prompt_tokens, usage.completion_tokens)


def tools(t: Context) -> None:
    completion = client_of(t).chat.completions.create(**chat(t), tools=TOOLS, tool_choice="required")
    message = completion.choices[0].message
    [call] = message.tool_calls
    expect_city(t, json.loads(call.function.arguments))
    with client_of(t).chat.completions.stream(**chat(t), tools=TOOLS, tool_choice="required") as stream:
        [call] = stream.get_final_completion().choices[0].message.tool_calls
    expect_city(t, json.loads(call.function.arguments))
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    request = {**chat(t), "messages": [*chat(t)["messages"], message, result]}
    expect_text(t, client_of(t).chat.completions.create(**request, tools=TOOLS).choices[0].message.content)


def structured_output(t: Context) -> None:
    response_format = {"type": "json_schema", "json_schema": SCHEMA}
    completion = client_of(t).chat.completions.create(**chat(t), response_format=response_format)
    expect_weather(t, json.loads(completion.choices[0].message.content))


def images(t: Context) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE_URL}},
    ]
    request = {**chat(t), "messages": [{"role": "user", "content": content}]}
    expect_image_text(t, client_of(t).chat.completions.create(**request).choices[0].message.content)


def embeddings(t: Context) -> None:
    response = client_of(t).embeddings.create(model=t.embedding_model, input=["one", "two"])
    equal(len(response.data), 2)
    if t.target == "upstream":
        equal(response.data[0].embedding, [0.25, -0.5, 0.75, 1])
    expect_tokens(response.usage.prompt_tokens)


def responses(t: Context) -> None:
    client = client_of(t)
    response = client.responses.create(model=t.model, input=t.prompt, max_output_tokens=50)
    expect_text(t, response.output_text)
    expect_tokens(response.usage.input_tokens, response.usage.output_tokens)
    tool = {"type": "function", "name": "weather", "parameters": CITY_SCHEMA, "strict": True}
    called = client.responses.create(model=t.model, input=t.prompt, tools=[tool], tool_choice="required")
    [call] = [item for item in called.output if item.type == "function_call"]
    expect_city(t, json.loads(call.arguments))
    structured = client.responses.create(
        model=t.model, input=t.prompt, text={"format": {"type": "json_schema", **SCHEMA}}
    )
    expect_weather(t, json.loads(structured.output_text))


def responses_streamed(t: Context) -> None:
    text = ""
    # the helper rejects a text that is cut off, which the simulated model's is at the maximum
    with client_of(t).responses.stream(model=t.model, input=t.prompt) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
        response = stream.get_final_response()
    equal(response.output_text, text)
    expect_text(t, text)
    expect_tokens(response.usage.output_tokens)


def models(t: Context) -> None:
    client = client_of(t)
    if t.model not in [model.id for model in client.models.list()]:
        raise AssertionError(f"{t.model} is not listed")
    equal(client.models.retrieve(t.model).id, t.model)


class OpenAiSdk(Client):
    features = {
        "streamed": streamed,
        "tools": tools,
        "structured output": structured_output,
        "images": images,
        "embeddings": embeddings,
        "responses": responses,
        "responses, streamed": responses_streamed,
        "models": models,
    }

    def ask(self, t: Context) -> str:
        raw = client_of(t).chat.completions.with_raw_response.create(**chat(t))
        int(raw.headers["x-ratelimit-limit-requests"])
        completion = raw.parse()
        expect_tokens(completion.usage.prompt_tokens, completion.usage.completion_tokens)
        return completion.choices[0].message.content

    def abort(self, t: Context) -> None:
        with client_of(t).chat.completions.create(**chat(t), stream=True) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    break


if __name__ == "__main__":
    run(OpenAiSdk())
