"""`langchain_clients.py openai` or `anthropic`: the integration package."""

import sys

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
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

PROVIDER = sys.argv[1]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "weather of a city", "parameters": CITY_SCHEMA},
}


def openai_of(t: Context, **rest: object) -> ChatOpenAI:
    return ChatOpenAI(
        model=t.model,
        api_key=t.key,
        base_url=f"{t.url}/v1",
        max_tokens=50,
        # by default only of api.openai.com
        stream_usage=True,
        **t.retry_options,
        **rest,
    )


def model_of(t: Context):
    if PROVIDER == "openai":
        return openai_of(t)
    return ChatAnthropic(model=t.model, api_key=t.key, base_url=t.url, max_tokens=50, **t.retry_options)


def bound(t: Context):
    return model_of(t).bind_tools([TOOL], tool_choice="any")


def whole(stream):
    message = None
    for chunk in stream:
        message = chunk if message is None else message + chunk
    return message


def text_of(message) -> str:
    return str(message.text)


def expect_usage(message) -> None:
    usage = message.usage_metadata
    expect_tokens(usage["input_tokens"], usage["output_tokens"])


def streamed(t: Context) -> None:
    message = whole(model_of(t).stream(t.prompt))
    expect_text(t, text_of(message))
    expect_usage(message)


def tools(t: Context) -> None:
    called = bound(t).invoke(t.prompt)
    expect_city(t, called.tool_calls[0]["args"])
    expect_city(t, whole(bound(t).stream(t.prompt)).tool_calls[0]["args"])
    result = ToolMessage("sunny", tool_call_id=called.tool_calls[0]["id"])
    answer = model_of(t).bind_tools([TOOL]).invoke([HumanMessage(t.prompt), called, result])
    expect_text(t, text_of(answer))


def structured_output(t: Context) -> None:
    expect_weather(t, model_of(t).with_structured_output(WEATHER_SCHEMA).invoke(t.prompt))


def images(t: Context) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE_URL}},
    ]
    expect_image_text(t, text_of(model_of(t).invoke([HumanMessage(content)])))


def embeddings(t: Context) -> None:
    client = OpenAIEmbeddings(
        model=t.embedding_model,
        api_key=t.key,
        base_url=f"{t.url}/v1",
        max_retries=0,
        # it would download the tables of a tokenizer
        check_embedding_ctx_length=False,
    )
    vectors = client.embed_documents(["one", "two"])
    equal(len(vectors), 2)
    if t.target == "upstream":
        equal(vectors[0], [0.25, -0.5, 0.75, 1])


def responses(t: Context) -> None:
    message = openai_of(t, use_responses_api=True).invoke(t.prompt)
    expect_text(t, text_of(message))
    expect_usage(message)


def responses_streamed(t: Context) -> None:
    message = whole(openai_of(t, use_responses_api=True).stream(t.prompt))
    expect_text(t, text_of(message))
    expect_usage(message)


class LangChain(Client):
    features = {
        "streamed": streamed,
        "tools": tools,
        "structured output": structured_output,
        "images": images,
        **(
            {"embeddings": embeddings, "responses": responses, "responses, streamed": responses_streamed}
            if PROVIDER == "openai"
            else {}
        ),
    }

    def ask(self, t: Context) -> str:
        message = model_of(t).invoke(t.prompt)
        expect_usage(message)
        return text_of(message)

    def abort(self, t: Context) -> None:
        stream = model_of(t).stream(t.prompt)
        for chunk in stream:
            if text_of(chunk):
                break
        stream.close()


if __name__ == "__main__":
    run(LangChain())
