"""The tests run against a zael at ZAEL_URL, which `npm run test:python` starts."""

import asyncio
import os
import uuid

import pytest

from zael import AsyncZael, Zael
from zael.rest.api.entities import create_entity
from zael.rest.api.keys import create_key
from zael.rest.api.limits import put_limits
from zael.rest.models import CreateEntityBody, CreateKeyBody, PutLimitsBody

URL = os.environ["ZAEL_URL"]
ADMIN_TOKEN = os.environ["ZAEL_ADMIN_TOKEN"]


class BlockingReservation:
    def __init__(self, run, reservation):
        self._run, self._reservation = run, reservation

    def __getattr__(self, name):
        value = getattr(self._reservation, name)
        return (lambda *args, **kwargs: self._run(value(*args, **kwargs))) if callable(value) else value

    def __enter__(self):
        self._run(self._reservation.__aenter__())
        return self

    def __exit__(self, *error):
        return self._run(self._reservation.__aexit__(*error))


class Blocking:
    """An AsyncZael with the methods of a Zael, so that every test holds for both."""

    def __init__(self, *args, **kwargs):
        self._limiter = AsyncZael(*args, **kwargs)
        self._loop = asyncio.new_event_loop()

    def _run(self, awaitable):
        return self._loop.run_until_complete(awaitable)

    def check(self, *args, **kwargs):
        return self._run(self._limiter.check(*args, **kwargs))

    def check_many(self, *args, **kwargs):
        return self._run(self._limiter.check_many(*args, **kwargs))

    def reserve(self, *args, **kwargs):
        return BlockingReservation(self._run, self._limiter.reserve(*args, **kwargs))

    def reservation(self, *args, **kwargs):
        return BlockingReservation(self._run, self._limiter.reservation(*args, **kwargs))

    def __repr__(self):
        return repr(self._limiter)

    def close(self):
        self._run(self._limiter.close())
        self._loop.close()


@pytest.fixture(params=[Zael, Blocking], ids=["sync", "async"])
def client(request):
    """Makes clients of either kind, and closes them."""
    made = []

    def make(*args, **kwargs):
        made.append(request.param(*args, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def admin():
    with Zael(URL, admin_token=ADMIN_TOKEN, timeout=30) as limiter:
        yield limiter


@pytest.fixture
def make_key(admin):
    """Creates an entity with limits, and returns the secret of its key and its id."""

    def make(*limits):
        entity = f"test-{uuid.uuid4()}"
        created = create_entity.sync(client=admin.rest, body=CreateEntityBody(entity_id=entity, name=entity))
        assert created.entity_id == entity
        put_limits.sync(entity, client=admin.rest, body=PutLimitsBody.from_dict({"limits": list(limits)}))
        return create_key.sync(entity, client=admin.rest, body=CreateKeyBody()).secret, entity

    return make


@pytest.fixture
def limiter(client, make_key):
    """A client of an entity with these limits."""

    def make(*limits, **options):
        return client(URL, make_key(*limits)[0], timeout=30, **options)

    return make


def own(limits, entity):
    """The limits of the entity, without those of the demo data's policies."""
    return [limit for limit in limits if limit.entity_id == entity]


def used_of(limiter, name):
    """What is in use of a limit."""
    decision = limiter.check(cost={}, dry_run=True)
    return next(state.used for state in decision.limits if state.limit_name == name)


RPM = {"name": "rpm", "capacity": 2, "refill_rate": 0.001}
TPM = {"name": "tpm", "capacity": 1000, "refill_rate": 0.001, "refund": "full"}
SLOTS = {"name": "slots", "algorithm": "concurrency", "limit": 1}
