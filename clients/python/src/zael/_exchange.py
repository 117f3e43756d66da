"""Requests, retries and responses, without I/O.

A call is a generator of steps: it yields a `Post` or a `Pause`, receives the response or the error, and returns
its result. `Zael` and `AsyncZael` perform the steps, so that both decide alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import httpx

from ._errors import ApiError, AuthenticationError, Unavailable
from ._model import Check, Decision, decision_of
from .rest.models import CheckAllowed, CheckDenied

if TYPE_CHECKING:
    from collections.abc import Sequence

OnUnavailable: TypeAlias = Literal["deny", "allow"]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

UNAUTHORIZED, CONFLICT, TOO_MANY, SERVER_ERROR = 401, 409, 429, 500

# The request has certainly not been sent.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Errors of the request itself, which no server has caused: they are never mistaken for an unavailable zael.
OWN_FAULTS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Post:
    """A request."""

    path: str
    body: Any
    entity: str | None = None
    repeatable: bool = False
    """Sending it twice has the effect of sending it once."""


@dataclass(frozen=True)
class Pause:
    """A pause before the next request."""

    seconds: float


Step: TypeAlias = Post | Pause
Reply: TypeAlias = httpx.Response | httpx.HTTPError | None


@dataclass(frozen=True)
class Policy:
    """How often a request is repeated, and what an unavailable zael means."""

    retries: int
    on_unavailable: OnUnavailable


def exchange(post: Post, policy: Policy) -> Generator[Step, Reply, tuple[int, Any]]:
    """Send a request, and again where that cannot charge twice. Return the status and the parsed body below 500.

    Raises `Unavailable` if no request had a response of zael that can be used.
    """
    may_have_run = False
    for attempt in range(policy.retries + 1):
        if attempt > 0:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
            yield Pause(pause * (0.5 + random.random() / 2))  # noqa: S311
        reply = yield post
        if isinstance(reply, httpx.Response):
            answer = readable(reply)
            # an earlier attempt still holds the idempotency key
            in_progress = may_have_run and reply.status_code == CONFLICT
            if answer is not None and not in_progress:
                return answer
            failure = Unavailable(f"zael responded {reply.status_code}: {reply.text[:200]}")
            may_have_run = True
        elif isinstance(reply, httpx.HTTPError):
            failure = Unavailable(f"zael is not reachable: {type(reply).__name__}: {reply}")
            failure.__cause__ = reply
            may_have_run = may_have_run or not isinstance(reply, NOT_SENT)
        else:
            raise TypeError("a request was not answered")
        if may_have_run and not post.repeatable:
            raise failure
    raise failure


def readable(response: httpx.Response) -> tuple[int, Any] | None:
    """The status and the JSON of a response; None if it is a failure, or a proxy's and not zael's."""
    if response.status_code >= SERVER_ERROR:
        return None
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success:
        return None if body is None else (response.status_code, body)
    # such as the throttle of an API Gateway
    if response.status_code == TOO_MANY and not (isinstance(body, dict) and "error" in body):
        return None
    return response.status_code, body


def is_success(status: int) -> bool:
    """Whether it is a 2xx."""
    return status // 100 == 2


def error_of(status: int, body: Any) -> ApiError:
    """The error in a response, in either of zael's formats."""
    details = body.get("error") if isinstance(body, dict) else None
    message = body.get("message") if isinstance(body, dict) else None
    code, param = details if isinstance(details, str) else None, body.get("field") if isinstance(body, dict) else None
    if isinstance(details, dict):
        message, code, param = details.get("message", message), details.get("code"), details.get("param")
    error = AuthenticationError if status == UNAUTHORIZED else ApiError
    return error(str(message or f"zael responded {status}"), status=status, code=code, param=param)


def is_denial(status: int, body: Any) -> bool:
    """Whether a 429 is a limit's: others have too many failed authentications."""
    return status == TOO_MANY and isinstance(body, dict) and body.get("allowed") is False


def parsed_decision(body: Any) -> CheckAllowed | CheckDenied:
    """A decision in JSON. Raises `Unavailable` if it is none: something between has responded."""
    try:
        return (CheckAllowed if body["allowed"] is True else CheckDenied).from_dict(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable(f"zael responded with no decision: {json.dumps(body)[:200]}") from error


def decide(post: Post, policy: Policy, *, count: int) -> Generator[Step, Reply, list[CheckAllowed | CheckDenied]]:
    """Send checks, and return their answers in order. Raises `ApiError` and `Unavailable`."""
    status, body = yield from exchange(post, policy)
    if not is_success(status) and not is_denial(status, body):
        raise error_of(status, body)
    answers = body if isinstance(post.body, list) else [body]
    if not isinstance(answers, list) or len(answers) != count:
        raise Unavailable(f"zael responded with no list of {count} decisions")
    return [parsed_decision(answer) for answer in answers]


def check_steps(
    checks: Sequence[Check], policy: Policy, *, entity: str | None, is_list: bool
) -> Generator[Step, Reply, list[Decision]]:
    """Decide each check. A list is one request."""
    bodies = [check.to_rest().to_dict() for check in checks]
    repeatable = all(check.dry_run or check.idempotency_key is not None for check in checks)
    post = Post("/v1/limits/check", bodies if is_list else bodies[0], entity, repeatable)
    try:
        answers = yield from decide(post, policy, count=len(checks))
    except Unavailable as error:
        if policy.on_unavailable == "deny":
            raise
        return [allowed_without_zael(error) for _ in checks]
    return [decision_of(answer) for answer in answers]


def allowed_without_zael(error: Unavailable) -> Decision:
    """The decision of `on_unavailable="allow"`."""
    return Decision(allowed=True, degraded=True, message=str(error))
