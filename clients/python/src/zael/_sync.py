"""The client for synchronous code."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

import httpx
from typing_extensions import Self, Unpack

from . import rest
from ._connection import connection, request_of
from ._errors import ZaelError
from ._exchange import OWN_FAULTS, OnUnavailable, Pause, Reply, Step, check_steps
from ._model import Check, Cost, Costs, Decision
from ._reservation import RENEWALS_PER_LIFETIME, State, lifetime_of, log_left_open

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import TracebackType

T = TypeVar("T")


class Zael:
    """A client of a zael at `url`. Threads may share it; close it, or use it in a `with`.

    `key`: an API key, or a JWT where zael accepts them; every request acts for its entity. `admin_token` in its place:
    requests name the entity. `timeout`: seconds that each attempt waits. `retries`: further attempts, only where
    one cannot charge twice: nothing was sent, or the request is a dry run, an end of a reservation, or has an
    idempotency key. `idempotent_charges`: gives every charge such a key; zael then writes it to its table as well.
    `on_unavailable`: `deny` raises `Unavailable` if zael cannot decide, `allow` lets pass. `transport`: httpx's.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        admin_token: str | None = None,
        timeout: float = 5.0,
        retries: int = 2,
        on_unavailable: OnUnavailable = "deny",
        idempotent_charges: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = connection(
            url,
            key,
            admin_token=admin_token,
            timeout=timeout,
            retries=retries,
            on_unavailable=on_unavailable,
            idempotent_charges=idempotent_charges,
        )
        self._http = httpx.Client(transport=transport, **self._connection.options)
        self.rest = rest.Client(httpx_client=self._http)
        """For every other route: `get_limits.sync("key-bob", client=limiter.rest)` of `zael.rest.api`."""

    def __repr__(self) -> str:
        return f"Zael({self._connection.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def check(
        self,
        entity: str | None = None,
        *,
        cost: Costs | None = None,
        resource: str | None = None,
        user: str | None = None,
        session: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Decision:
        """Charge `cost` (one request) if all limits allow it. Raises `Unavailable` and `ApiError`, for no denial."""
        check = Check(
            cost=cost,
            resource=resource,
            user=user,
            session=session,
            dry_run=dry_run,
            idempotency_key=idempotency_key,
        )
        return self._check([self._connection.keyed(check)], entity, is_list=False)[0]

    def check_many(self, checks: Sequence[Check], *, entity: str | None = None) -> list[Decision]:
        """Decide up to 25 checks in one request, each on its own: one that is denied does not undo the others."""
        return self._check(self._connection.keyed_list(checks), entity, is_list=True)

    def _check(self, checks: Sequence[Check], entity: str | None, *, is_list: bool) -> list[Decision]:
        acting = self._connection.entity_of(entity)
        return self._run(check_steps(checks, self._connection.policy, entity=acting, is_list=is_list))

    def reserve(
        self,
        entity: str | None = None,
        *,
        cost: Costs | None = None,
        resource: str | None = None,
        user: str | None = None,
        session: str | None = None,
        expires_in: int | None = None,
        renew: bool = False,
        idempotency_key: str | None = None,
    ) -> Reservation:
        """Reserve an estimate: `with limiter.reserve(cost=...) as reservation`.

        `expires_in`: seconds, 600 by default. `renew`: extend it in a thread while the block runs, for work of unknown
        length and slots of concurrency; then it is 60 seconds by default, which a process that crashes leaves behind.
        """
        check = Check(cost=cost, resource=resource, user=user, session=session, idempotency_key=idempotency_key)
        lifetime = lifetime_of(expires_in, renew=renew)
        state = State(self._connection.entity_of(entity), self._connection.policy, lifetime)
        return Reservation(self, state, self._connection.keyed(check), renew=renew)

    def reservation(self, reservation_id: str, *, entity: str | None = None) -> Reservation:
        """A reservation that was made elsewhere, to settle, release or extend it."""
        state = State(
            self._connection.entity_of(entity),
            self._connection.policy,
            lifetime_of(None, renew=False),
            id=reservation_id,
        )
        return Reservation(self, state, None, renew=False)

    def _run(self, steps: Generator[Step, Reply, T]) -> T:
        """Perform the steps of a call."""
        reply: Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = self._perform(step)

    def _perform(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**request_of(step))
        except OWN_FAULTS:
            raise
        except httpx.HTTPError as error:
            return error


class Reservation:
    """A charge that is settled to the actual use, or released. Created by `Zael.reserve`.

    In a `with`: an exception releases it; a block that settles nothing settles it as estimated. One that ends
    this way without reaching zael stays charged, and is logged.
    """

    def __init__(self, limiter: Zael, state: State, check: Check | None, *, renew: bool) -> None:
        self._limiter = limiter
        self._state = state
        self._check = check
        self._renew = renew
        self._stopped = threading.Event()

    def __repr__(self) -> str:
        return f"Reservation({self.id!r})"

    @property
    def id(self) -> str | None:
        """Settles it on any node, by `Zael.reservation`. None: zael was unavailable, and everything is allowed."""
        return self._state.id

    @property
    def decision(self) -> Decision:
        """The decision that allowed it."""
        return self._state.decision

    @property
    def expires_at(self) -> int | None:
        """Seconds since the epoch."""
        return self._state.expires_at

    def begin(self) -> Self:
        """Reserve, without `with`. Raises `RateLimited`, `Unavailable` and `ApiError`."""
        if self._check is None or self.id is not None:
            raise RuntimeError("the reservation has already begun")
        self._limiter._run(self._state.begin(self._check))
        if self._renew and self.id is not None:
            threading.Thread(target=self._renew_until_end, name="zael-renew", daemon=True).start()
        return self

    def settle(self, **cost: Unpack[Cost]) -> bool:
        """Charge what was used in total: `settle(tokens=431)`. Meters that are left out stay as reserved.

        False: it had already ended, and nothing changed. Raises `Unavailable`: it stays charged as estimated.
        """
        self._stopped.set()
        return self._limiter._run(self._state.settle(cost))

    def release(self) -> bool:
        """Refund all of it, as nothing was used. False: it had already ended, and nothing changed."""
        self._stopped.set()
        return self._limiter._run(self._state.release())

    def extend(self, seconds: int | None = None) -> bool:
        """Let it expire `seconds` from now. False: it has ended, or already expires later."""
        return self._limiter._run(self._state.extend(seconds))

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._state.ended:
            return
        try:
            if kind is None:
                self.settle()
            else:
                self.release()
        except (ZaelError, httpx.HTTPError) as error:
            log_left_open("settle" if kind is None else "release", self._state, error)

    def _renew_until_end(self) -> None:
        while not self._stopped.wait(self._state.lifetime / RENEWALS_PER_LIFETIME):
            try:
                self.extend()
            except Exception as error:  # the thread must not end before the work does
                log_left_open("extend", self._state, error)
