"""What a client raises. Errors in arguments are `ValueError` and `TypeError`, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._model import Decision
    from .rest.models import LimitState, Violation


class ZaelError(Exception):
    """The base of all errors of this package."""


class RateLimited(ZaelError):
    """A limit denied a reservation, or a check that was required to pass. Nothing is charged."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.message or "Rate limit exceeded")
        self.decision = decision

    @property
    def retry_after(self) -> float | None:
        """The seconds after which the same request would pass; None: it can never pass."""
        return self.decision.retry_after

    @property
    def limits(self) -> tuple[LimitState, ...]:
        """All limits that were compared."""
        return self.decision.limits

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The limits that denied."""
        return self.decision.violations

    @property
    def headers(self) -> Mapping[str, str]:
        """`Retry-After` for a response of your own, where a retry can pass."""
        return self.decision.headers


class Unavailable(ZaelError):
    """zael made no decision: it was not reachable in time, or its store was not. A charge may have been made."""


class ApiError(ZaelError):
    """zael rejected the request: bad input, a wrong key, a missing permission. Nothing is charged."""

    def __init__(self, message: str, *, status: int, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


class AuthenticationError(ApiError):
    """The key or the token is missing, wrong, disabled or expired."""
