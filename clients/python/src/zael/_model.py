"""What is asked and what is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import Self, TypedDict

from ._errors import RateLimited
from .rest.models import CheckAllowed, CheckDenied, LimitCheck, LimitState, Violation
from .rest.models import Cost as RestCost


class Cost(TypedDict, total=False):
    """Amounts by meter. A meter that is left out is not charged."""

    requests: int
    tokens: int
    """Where it is left out: input + output tokens."""
    input_tokens: int
    output_tokens: int
    cost_usd_micros: int


Costs: TypeAlias = Cost | Mapping[str, int]

METERS = frozenset(Cost.__annotations__)


def rest_cost(cost: Costs) -> RestCost:
    """The cost as the generated model. Raises `ValueError` for an unknown meter or a wrong amount."""
    if not isinstance(cost, Mapping):
        raise ValueError(f'cost: it must be amounts by meter, such as {{"requests": 1}}, not {cost!r}')
    for meter, amount in cost.items():
        if meter not in METERS:
            raise ValueError(f"cost: {meter!r} is no meter; the meters are {', '.join(sorted(METERS))}")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise ValueError(f"cost: {meter} must be a whole number of at least 0, not {amount!r}")
    return RestCost.from_dict(cost)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: what is charged, and to which bucket."""

    cost: Costs | None = None
    """What is charged; by default one request."""
    resource: str | None = None
    """The model, the tool or the route; by default the bucket of no resource in particular."""
    user: str | None = None
    """The user of the key: selects policies on users."""
    session: str | None = None
    """The session: selects policies on sessions."""
    dry_run: bool = False
    """True: decides, and charges nothing."""
    idempotency_key: str | None = None
    """A repeated check with the same key within 24 hours returns the first decision, and is charged once."""

    def to_rest(self, *, reserve: bool = False, expires_in: int | None = None) -> LimitCheck:
        """The check as the generated model."""
        given = {
            "resource": self.resource,
            "user": self.user,
            "session": self.session,
            "idempotency_key": self.idempotency_key,
            "dry_run": self.dry_run or None,
            "reserve": reserve or None,
            "expires_in_seconds": expires_in,
        }
        check = LimitCheck.from_dict({name: value for name, value in given.items() if value is not None})
        if self.cost is not None:
            check.cost = rest_cost(self.cost)
        return check


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a request may pass. True where it may, so that `if limiter.check(...)` does what it says."""

    allowed: bool
    retry_after: float | None = 0.0
    """The seconds after which the same request would pass; 0: now; None: it can never pass."""
    limits: tuple[LimitState, ...] = ()
    """All limits that were compared: what each holds, and what is left."""
    violations: tuple[Violation, ...] = ()
    """The limits that denied."""
    degraded: bool = False
    """True: at least a part was decided without the store, or without zael (`on_unavailable="allow"`)."""
    message: str | None = None
    """Why it was denied, for people."""

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def headers(self) -> Mapping[str, str]:
        """`Retry-After` in whole seconds for a response of your own; empty if it is allowed, or can never pass."""
        if self.allowed or self.retry_after is None:
            return {}
        return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}

    def require(self) -> Self:
        """Return this decision. Raises `RateLimited` if a limit denied."""
        if not self.allowed:
            raise RateLimited(self)
        return self


def decision_of(answer: CheckAllowed | CheckDenied) -> Decision:
    """The decision in a response."""
    return Decision(
        allowed=answer.allowed,
        retry_after=answer.retry_after_seconds,
        limits=tuple(answer.limits),
        violations=tuple(answer.violations),
        degraded=answer.degraded,
        message=answer.message if isinstance(answer, CheckDenied) else None,
    )
