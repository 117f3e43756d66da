"""The life of a reservation, without I/O: what is sent to begin, to end and to extend it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._errors import Unavailable
from ._exchange import (
    Policy,
    Post,
    Reply,
    Step,
    allowed_without_zael,
    decide,
    error_of,
    exchange,
    is_success,
)
from ._model import Check, Costs, Decision, decision_of, rest_cost
from .rest.models import CheckAllowed

if TYPE_CHECKING:
    from collections.abc import Generator

DEFAULT_LIFETIME_S = 600
# A reservation that is renewed need not outlive a process that crashed by much.
RENEWED_LIFETIME_S = 60
RENEWALS_PER_LIFETIME = 3

logger = logging.getLogger("zael")


@dataclass
class State:
    """What is known of a reservation. Not shared between threads, but for `ended`, which is only ever set."""

    entity: str | None
    policy: Policy
    lifetime: int
    decision: Decision = field(default_factory=lambda: Decision(allowed=True))
    id: str | None = None
    """None: zael was not reachable, and `on_unavailable` is `allow`."""
    expires_at: int | None = None
    ended: bool = False

    def begin(self, check: Check) -> Generator[Step, Reply, None]:
        """Reserve. Raises `RateLimited` if a limit denies."""
        body = check.to_rest(reserve=True, expires_in=self.lifetime).to_dict()
        post = Post("/v1/limits/check", body, self.entity, repeatable=check.idempotency_key is not None)
        try:
            [answer] = yield from decide(post, self.policy, count=1)
        except Unavailable as error:
            if self.policy.on_unavailable == "deny":
                raise
            self.decision = allowed_without_zael(error)
            return
        self.decision = decision_of(answer).require()
        if isinstance(answer, CheckAllowed):
            self.id = answer.reservation_id or None
            self.expires_at = answer.expires_at or None

    def settle(self, cost: Costs) -> Generator[Step, Reply, bool]:
        """Charge the actual total per meter; others stay as reserved. False: it had already ended."""
        body = rest_cost(cost).to_dict()
        self.ended = True
        return (yield from self._post("settle", "settled", {"cost": body}))

    def release(self) -> Generator[Step, Reply, bool]:
        """Refund all of it. False: it had already ended."""
        self.ended = True
        return (yield from self._post("release", "released", {}))

    def extend(self, seconds: int | None) -> Generator[Step, Reply, bool]:
        """Let it, and the slots that it holds, expire later. False: it has ended, or already expires later."""
        body = {"expires_in_seconds": self.lifetime if seconds is None else seconds}
        return (yield from self._post("extend", "extended", body))

    def _post(self, route: str, outcome: str, body: dict[str, Any]) -> Generator[Step, Reply, bool]:
        if self.id is None:
            return False
        # ending it twice, or extending it twice to the same time, changes nothing
        sent = {"reservation_id": self.id, **body}
        post = Post(f"/v1/limits/{route}", sent, self.entity, repeatable=True)
        status, answer = yield from exchange(post, self.policy)
        if not is_success(status):
            raise error_of(status, answer)
        if not isinstance(answer, dict):
            raise Unavailable("zael responded with no reservation")
        self.expires_at = answer.get("expires_at", self.expires_at)
        return answer.get(outcome) is True


def log_left_open(action: str, state: State, error: Exception) -> None:
    """Log that a reservation could not be ended: it stays charged as estimated, and its slots until it expires."""
    logger.warning("%s failed: reservation %s stays as reserved until it expires: %s", action, state.id, error)


def lifetime_of(expires_in: int | None, *, renew: bool) -> int:
    """The lifetime that is asked for, in seconds."""
    if expires_in is not None:
        return expires_in
    return RENEWED_LIFETIME_S if renew else DEFAULT_LIFETIME_S
