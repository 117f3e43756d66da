"""Checks against a zael."""

import uuid

import pytest
from conftest import ADMIN_TOKEN, RPM, TPM, URL, own, used_of

from zael import ApiError, AuthenticationError, Check, RateLimited


def test_charges_until_a_limit_denies(limiter):
    zael = limiter(RPM)
    assert [bool(zael.check()) for _ in range(3)] == [True, True, False]


def test_an_allowed_decision_lists_what_is_left(limiter):
    decision = limiter(RPM, TPM).check(cost={"requests": 1, "tokens": 300})
    [entity] = {state.entity_id for state in decision.limits if state.entity_id.startswith("test-")}
    assert decision.allowed
    assert not decision.degraded
    assert decision.retry_after == 0
    assert decision.headers == {}
    assert {(state.limit_name, state.available, state.capacity) for state in own(decision.limits, entity)} == {
        ("rpm", 1, 2),
        ("tpm", 700, 1000),
    }


def test_a_denied_decision_says_why_and_when_again(limiter):
    zael = limiter(TPM)
    zael.check(cost={"tokens": 1000})
    decision = zael.check(cost={"tokens": 10})
    assert not decision
    assert 9000 < decision.retry_after <= 10_000
    assert decision.headers == {"Retry-After": str(-int(-decision.retry_after // 1))}
    [violation] = decision.violations
    assert (violation.limit_name, violation.requested, violation.available) == ("tpm", 10, 0)
    assert "tokens per min" in decision.message or "tpm" in decision.message
    with pytest.raises(RateLimited) as denied:
        decision.require()
    assert denied.value.retry_after == decision.retry_after
    assert denied.value.violations == decision.violations
    assert denied.value.limits == decision.limits
    assert denied.value.headers == decision.headers


def test_a_request_that_can_never_pass_has_no_wait(limiter):
    decision = limiter(TPM).check(cost={"tokens": 1001})
    assert not decision
    assert decision.retry_after is None
    assert decision.headers == {}


def test_a_dry_run_charges_nothing(limiter):
    zael = limiter(RPM)
    for _ in range(5):
        assert zael.check(dry_run=True)
    assert used_of(zael, "rpm") == 0


def test_resources_have_buckets_of_their_own(limiter):
    zael = limiter({"name": "rpm", "capacity": 1, "refill_rate": 0.001})
    assert [bool(zael.check(resource=name)) for name in ("gpt-4", "tiny-model", "gpt-4")] == [True, True, False]


def test_a_repeated_idempotency_key_is_charged_once(limiter):
    zael = limiter(RPM)
    key = str(uuid.uuid4())
    assert all(zael.check(idempotency_key=key) for _ in range(4))
    assert used_of(zael, "rpm") == 1


def test_an_idempotency_key_of_another_request_is_an_error(limiter):
    zael = limiter(RPM)
    zael.check(idempotency_key="job")
    with pytest.raises(ApiError) as conflict:
        zael.check(idempotency_key="job", cost={"requests": 2})
    assert conflict.value.status == 409


def test_each_check_of_a_list_is_decided_on_its_own(limiter):
    decisions = limiter(TPM).check_many([Check(cost={"tokens": tokens}) for tokens in (400, 2000, 600, 1)])
    assert [decision.allowed for decision in decisions] == [True, False, True, False]
    assert decisions[1].retry_after is None


def test_an_admin_names_the_entity(client, make_key):
    _, entity = make_key(RPM)
    zael = client(URL, admin_token=ADMIN_TOKEN, timeout=30)
    decisions = [zael.check(entity), *zael.check_many([Check(), Check()], entity=entity)]
    assert [decision.allowed for decision in decisions] == [True, True, False]
    assert [state.limit_name for state in own(decisions[0].limits, entity)] == ["rpm"]


def test_an_unknown_entity_is_an_error_and_not_a_decision(client):
    zael = client(URL, admin_token=ADMIN_TOKEN, timeout=30)
    with pytest.raises(ApiError) as missing:
        zael.check("nobody-of-this-name")
    assert missing.value.status == 404


def test_a_wrong_key_is_an_error_that_does_not_contain_it(client):
    with pytest.raises(AuthenticationError) as refused:
        client(URL, "a-secret-that-is-no-key", timeout=30).check()
    assert refused.value.status == 401
    assert refused.value.code == "invalid_api_key"
    assert "a-secret-that-is-no-key" not in str(refused.value)


def test_bad_input_names_the_field(limiter):
    with pytest.raises(ApiError) as rejected:
        limiter(RPM).check(resource="not a resource")
    assert rejected.value.status == 400
    assert rejected.value.param == "resource"
