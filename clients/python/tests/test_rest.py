"""The generated part against a zael."""

import asyncio

from conftest import ADMIN_TOKEN, RPM, TPM, URL, own

from zael import AsyncZael
from zael.rest.api.entities import delete_entity, list_entities
from zael.rest.api.limits import explain_limits, get_limits, get_own_limits, put_limits
from zael.rest.api.models import list_models
from zael.rest.api.policies import list_policies
from zael.rest.api.usage import get_usage
from zael.rest.models import Error, PutLimitsBody, SlidingWindowInput, TokenBucketInput
from zael.rest.types import UNSET

TPH = {"name": "tph", "algorithm": "sliding_window", "limit": 500, "window_seconds": 3600}


def test_limits_of_each_form_are_typed(admin, make_key):
    _, entity = make_key()
    body = PutLimitsBody.from_dict({"limits": [RPM, TPH]})
    assert [type(limit) for limit in body.limits] == [TokenBucketInput, SlidingWindowInput]
    assert put_limits.sync(entity, client=admin.rest, body=body).entity_id == entity
    limits = {limit.name: limit for limit in get_limits.sync(entity, client=admin.rest).limits}
    assert (limits["tph"].algorithm, limits["tph"].window_seconds) == ("sliding_window", 3600)
    assert limits["rpm"].window_seconds is UNSET
    explained = explain_limits.sync(entity, client=admin.rest)
    assert {limit.name for limit in explained.limits} == {"rpm", "tph"}


def test_lists_and_usage_can_be_read(admin):
    assert list_entities.sync(client=admin.rest, limit=2).items[0].entity_id
    assert {model.model_id for model in list_models.sync(client=admin.rest).items} >= {"gpt-4"}
    assert list_policies.sync(client=admin.rest).items
    assert get_usage.sync("key-bob", client=admin.rest, granularity="day").entity_id == "key-bob"


def test_errors_are_values(admin):
    missing = delete_entity.sync_detailed("nobody-of-this-name", client=admin.rest)
    assert missing.status_code == 404
    assert isinstance(missing.parsed, Error)
    assert missing.parsed.error == "not_found"


def test_has_the_same_for_asyncio(make_key):
    key, entity = make_key(TPM)

    async def read():
        async with AsyncZael(URL, key, timeout=30) as zael:
            shown = await get_own_limits.asyncio(client=zael.rest)
        async with AsyncZael(URL, admin_token=ADMIN_TOKEN, timeout=30) as zael:
            return shown, await get_limits.asyncio(entity, client=zael.rest)

    shown, limits = asyncio.run(read())
    assert shown.entity_id == limits.entity_id == entity
    assert [limit.name for limit in limits.limits] == ["tpm"]
    assert [limit.limit_name for limit in own(shown.limits, entity)] == ["tpm"]
