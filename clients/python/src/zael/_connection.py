"""What `Zael` and `AsyncZael` have in common: their settings, and the checks of arguments."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from ._exchange import OnUnavailable, Policy, Post
from ._model import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CHECKS = 25


def printable(text: str, name: str) -> str:
    """A text that may be a header. Others must not fail later, where they would look like an unavailable zael."""
    if not (text and text.isascii() and text.isprintable()) or text != text.strip():
        raise ValueError(f"{name} must be printable ASCII without spaces around it, and not be empty")
    return text


@dataclass(frozen=True)
class Connection:
    """The settings of a client. Contains a secret: it is never shown."""

    url: str
    is_admin: bool
    policy: Policy
    idempotent_charges: bool
    options: dict[str, Any]
    """Those of `httpx.Client`."""

    def __repr__(self) -> str:
        return f"Connection(url={self.url!r})"

    def entity_of(self, entity: str | None) -> str | None:
        """The entity that a request acts for. Raises `ValueError`: zael would silently charge another one."""
        if self.is_admin and entity is None:
            raise ValueError("entity must be given: the admin token acts for any entity")
        if not self.is_admin and entity is not None:
            raise ValueError("entity needs admin_token: a key acts for its own entity; name its users by user")
        return None if entity is None else printable(entity, "entity")

    def keyed(self, check: Check) -> Check:
        """The check, with an idempotency key of its own if every charge has one."""
        if not self.idempotent_charges or check.dry_run or check.idempotency_key is not None:
            return check
        return Check(**{**vars(check), "idempotency_key": str(uuid.uuid4())})

    def keyed_list(self, checks: Sequence[Check]) -> list[Check]:
        """The checks of one request. Raises `ValueError` for none, and for too many."""
        if not 1 <= len(checks) <= MOST_CHECKS:
            raise ValueError(f"checks must contain 1 to {MOST_CHECKS} checks")
        return [self.keyed(check) for check in checks]


def connection(
    url: str,
    key: str | None,
    *,
    admin_token: str | None,
    timeout: float,
    retries: int,
    on_unavailable: OnUnavailable,
    idempotent_charges: bool,
) -> Connection:
    """The settings in these arguments. Raises `ValueError`."""
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("url must be http:// or https:// with a host, and without credentials, query and fragment")
    if (key is None) == (admin_token is None):
        raise ValueError("either key or admin_token must be given")
    if on_unavailable not in ("deny", "allow"):
        raise ValueError("on_unavailable must be deny or allow")
    if not isinstance(retries, int) or not isinstance(timeout, (int, float)) or retries < 0 or timeout <= 0:
        raise ValueError("retries must be a whole number of at least 0, and timeout a number of seconds more than 0")
    secret = printable(key, "key") if key is not None else printable(admin_token or "", "admin_token")
    return Connection(
        url=url,
        is_admin=key is None,
        policy=Policy(retries, on_unavailable),
        idempotent_charges=idempotent_charges,
        options={
            "base_url": url,
            "headers": {"Authorization": f"Bearer {secret}", "User-Agent": "zael-python"},
            "timeout": timeout,
            "follow_redirects": False,
        },
    )


def request_of(post: Post) -> dict[str, Any]:
    """The arguments of `httpx.Client.request`."""
    headers = {} if post.entity is None else {"X-Zael-Entity": post.entity}
    return {"method": "POST", "url": post.path, "json": post.body, "headers": headers}
