import asyncio
import json

from agents import (
    Agent,
    AgentOutputSchema,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from harness import (
    IMAGE_URL,
    Client,
    Context,
    expect_city,
    expect_image_text,
    expect_text,
    expect_tokens,
    expect_weather,
    run,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)

# by default the usage of a stream is asked for only at api.openai.com
CHAT = ModelSettings(max_tokens=50, include_usage=True)
# a response that is cut off is an error, which the simulated model's is at the maximum
RESPONSES = {"model": OpenAIResponsesModel, "model_settings": ModelSettings()}

calls: list[str] = []


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    calls.append(city)
    return "sunny"


class Weather(BaseModel):
    city: str
    degrees: int


def agent_of(t: Context, model=OpenAIChatCompletionsModel, **rest) -> Agent:
    client = AsyncOpenAI(api_key=t.key, base_url=f"{t.url}/v1", **t.retry_options)
    settings = rest.pop("model_settings", CHAT)
    return Agent(name="checks", model=model(model=t.model, openai_client=client), model_settings=settings, **rest)


def ask(t: Context, prompt=None, **rest):
    return asyncio.run(Runner.run(agent_of(t, **rest), prompt or t.prompt))


def expect_usage(result) -> None:
    usage = result.context_wrapper.usage
    expect_tokens(usage.input_tokens, usage.output_tokens)


async def stream(t: Context, **rest) -> str:
    result = Runner.run_streamed(agent_of(t, **rest), t.prompt)
    text = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            text += event.data.delta
    expect_usage(result)
    return text


def streamed(t: Context) -> None:
    expect_text(t, asyncio.run(stream(t)))


def tools(t: Context) -> None:
    calls.clear()
    # the tool is required once, and its result is answered with a text
    settings = ModelSettings(max_tokens=50, tool_choice="required")
    result = ask(t, tools=[weather], model_settings=settings)
    expect_city(t, {"city": calls[0]})
    expect_text(t, result.final_output)


def structured_output(t: Context) -> None:
    result = ask(t, output_type=AgentOutputSchema(Weather))
    expect_weather(t, json.loads(result.final_output.model_dump_json()))


def images(t: Context) -> None:
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": IMAGE_URL, "detail": "auto"},
    ]
    expect_image_text(t, ask(t, [{"role": "user", "content": content}]).final_output)


def responses(t: Context) -> None:
    result = ask(t, **RESPONSES)
    expect_text(t, result.final_output)
    expect_usage(result)


def responses_streamed(t: Context) -> None:
    expect_text(t, asyncio.run(stream(t, **RESPONSES)))


class OpenAiAgents(Client):
    features = {
        "streamed": streamed,
        "tools": tools,
        "structured output": structured_output,
        "images": images,
        "responses": responses,
        "responses, streamed": responses_streamed,
    }

    def ask(self, t: Context) -> str:
        result = ask(t)
        expect_usage(result)
        return result.final_output

    def abort(self, t: Context) -> None:
        async def leave() -> None:
            result = Runner.run_streamed(agent_of(t), t.prompt)
            async for event in result.stream_events():
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                    result.cancel()

        asyncio.run(leave())


if __name__ == "__main__":
    run(OpenAiAgents())
