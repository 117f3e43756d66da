"""Runs the checks of a Python client and reports a line for each; the counterpart of ../javascript/harness.mjs."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Callable

WORLD = json.loads(os.environ["COMPATIBILITY"])

# A red pixel.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
IMAGE_URL = f"data:image/png;base64,{IMAGE}"

WEATHER_SCHEMA = {
    "title": "weather",
    "description": "weather of a city",
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
CITY_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Context:
    target: str
    model: str
    embedding_model: str
    url: str = WORLD["url"]
    key: str = WORLD["keys"]["main"]
    prompt: str = "Say hello"
    # None: the client's default
    retries: int | None = 0

    @property
    def retry_options(self) -> dict[str, int]:
        return {} if self.retries is None else {"max_retries": self.retries}


def context_of(target: str, **rest: Any) -> Context:
    context = Context(target, WORLD["models"][target], WORLD["embeddingModels"][target])
    return replace(context, **rest)


def report(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def reason_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:600]


def check(feature: str, target: str, run: Callable[[], None]) -> None:
    try:
        run()
    except Exception as error:
        report(feature=feature, target=target, passed=False, reason=reason_of(error))
    else:
        report(feature=feature, target=target, passed=True)


def equal(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def expect_text(context: Context, text: object, expected: str = "Hello from the upstream.") -> None:
    if not isinstance(text, str) or text == "":
        raise AssertionError(f"{text!r} is no text")
    if context.target == "upstream":
        equal(text, expected)


def expect_image_text(context: Context, text: object) -> None:
    expect_text(context, text, "Hello, I see an image.")


def expect_city(context: Context, value: dict[str, Any]) -> None:
    equal(list(value), ["city"])
    if not isinstance(value["city"], str):
        raise AssertionError(f"{value!r} names no city")
    if context.target == "upstream":
        equal(value["city"], "Paris")


def expect_weather(context: Context, value: dict[str, Any]) -> None:
    equal(sorted(value), ["city", "degrees"])
    if not isinstance(value["degrees"], int):
        raise AssertionError(f"{value!r} has no degrees")
    if context.target == "upstream":
        equal(value, {"city": "Paris", "degrees": 21})


def expect_tokens(*counts: int) -> None:
    for count in counts:
        if not count > 0:
            raise AssertionError(f"usage of {count}")


class Client:
    """`ask` sends a plain request and returns the text; `features` are further requests by the name of their column."""

    features: dict[str, Callable[[Context], None]]

    def ask(self, context: Context) -> str:
        raise NotImplementedError

    def status_of(self, error: Exception) -> int | None:
        status = getattr(error, "status_code", None)
        return status if isinstance(status, int) else None

    def abort(self, context: Context) -> None:
        raise NotImplementedError


def status_of(client: Client, context: Context) -> int:
    try:
        client.ask(context)
    except Exception as error:
        status = client.status_of(error)
        if status is None:
            raise AssertionError(f"an error without a status: {reason_of(error)}") from error
        return status
    return 200


def run(client: Client) -> None:
    for target in ("simulated", "upstream"):
        context = context_of(target)
        check("plain", target, lambda: expect_text(context, client.ask(context)))
        for feature, request in client.features.items():
            check(feature, target, lambda: request(context))
    check("retry", "upstream", lambda: check_retry(client))
    keys = WORLD["keys"]
    rejected: dict[int, dict[str, Any]] = {
        401: {"key": "sk-unknown-key"},
        403: {"key": keys["restricted"]},
        404: {"model": f"{WORLD['models']['upstream']}-unknown"},
        # longer than the maximum that the runner sets
        413: {"prompt": "x" * 400_000},
    }
    for status, rest in rejected.items():
        check(str(status), "upstream", lambda: equal(status_of(client, context_of("upstream", **rest)), status))
    check("no retry", "upstream", lambda: check_no_retry(client))
    aborted = context_of("upstream", key=keys["abort"], prompt=f"SLOWLY {WORLD['slowStream']}")
    check("abort", "upstream", lambda: client.abort(aborted))


def check_retry(client: Client) -> None:
    context = context_of("upstream", url=WORLD["observedUrl"], key=WORLD["keys"]["shortWait"], retries=None)
    with ThreadPoolExecutor(2) as pool:
        for text in pool.map(client.ask, [context, context]):
            expect_text(context, text)


def check_no_retry(client: Client) -> None:
    context = context_of("upstream", url=WORLD["observedUrl"], key=WORLD["keys"]["longWait"], retries=None)
    equal(status_of(client, context), 200)
    equal(status_of(client, context), 429)
