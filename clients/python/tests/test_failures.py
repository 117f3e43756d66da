"""What the clients do when zael fails: over a transport that fails as it is told."""

import asyncio
import json
import logging

import httpx
import pytest

from zael import ApiError, AsyncZael, Check, Unavailable, Zael

ALLOWED = {"allowed": True, "degraded": False, "retry_after_seconds": 0, "limits": [], "violations": []}
RESERVED = {**ALLOWED, "reservation_id": "r-1", "expires_at": 2_000_000_000}
DENIED = {**ALLOWED, "allowed": False, "retry_after_seconds": 3, "error": {}, "message": "Rate limit reached"}
CONFLICT = {"error": {"message": "in use", "type": "x", "param": "idempotency_key", "code": "conflict"}, "message": ""}

REFUSED = httpx.ConnectError("refused")
TIMED_OUT = httpx.ReadTimeout("no response in time")
CUT = httpx.RemoteProtocolError("server disconnected")
DOWN = httpx.Response(503, json={"error": {"message": "the store is away", "type": "x", "param": None, "code": "x"}})
OK = httpx.Response(200, json=ALLOWED)


class Script:
    """A transport that returns or raises these outcomes in turn, and records what was sent."""

    def __init__(self, outcomes):
        self._outcomes = list(outcomes)
        self.sent = []

    def __call__(self, request):
        self.sent.append((request.url.path, json.loads(request.content), dict(request.headers)))
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)


@pytest.fixture
def scripted(client, monkeypatch):
    monkeypatch.setattr("zael._exchange.FIRST_PAUSE_S", 0.001)

    def make(*outcomes, **options):
        script = Script(outcomes)
        return client("http://zael.test/stage", "key", transport=httpx.MockTransport(script), **options), script

    return make


@pytest.mark.parametrize("failure", [TIMED_OUT, CUT, DOWN, httpx.Response(500), httpx.Response(200, text="<html>")])
def test_a_charge_that_may_have_been_made_is_not_repeated(scripted, failure):
    zael, script = scripted(failure, OK)
    with pytest.raises(Unavailable):
        zael.check()
    assert len(script.sent) == 1


def test_a_request_that_was_not_sent_is_repeated(scripted):
    zael, script = scripted(REFUSED, httpx.ConnectTimeout("x"), OK)
    assert zael.check()
    assert len(script.sent) == 3


@pytest.mark.parametrize("failure", [TIMED_OUT, CUT, DOWN])
@pytest.mark.parametrize("safe", [{"idempotency_key": "job"}, {"dry_run": True}])
def test_what_cannot_charge_twice_is_repeated(scripted, failure, safe):
    zael, script = scripted(failure, failure, OK)
    assert zael.check(**safe)
    bodies = [body for _, body, _ in script.sent]
    assert bodies == [bodies[0]] * 3


def test_retries_end(scripted):
    zael, script = scripted(*[REFUSED] * 9, retries=1)
    with pytest.raises(Unavailable) as failed:
        zael.check()
    assert isinstance(failed.value.__cause__, httpx.ConnectError)
    assert len(script.sent) == 2


def test_every_charge_can_have_a_key_of_its_own(scripted):
    zael, script = scripted(TIMED_OUT, OK, OK, idempotent_charges=True)
    zael.check()
    zael.check()
    keys = [body["idempotency_key"] for _, body, _ in script.sent]
    assert keys[0] == keys[1] != keys[2]


def test_waits_for_an_attempt_that_still_holds_the_key(scripted):
    zael, _ = scripted(TIMED_OUT, httpx.Response(409, json=CONFLICT), OK)
    assert zael.check(idempotency_key="job")


def test_a_key_of_another_request_is_not_retried(scripted):
    zael, script = scripted(httpx.Response(409, json=CONFLICT), OK)
    with pytest.raises(ApiError):
        zael.check(idempotency_key="job")
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    "failure", [REFUSED, TIMED_OUT, DOWN, httpx.Response(429, json={"message": "Too Many Requests"})]
)
def test_allows_what_zael_cannot_decide_if_told_to(scripted, failure):
    zael, _ = scripted(*[failure] * 9, on_unavailable="allow")
    decision = zael.check()
    assert decision.allowed
    assert decision.degraded
    assert [each.allowed for each in zael.check_many([Check(), Check()])] == [True, True]


def test_a_denial_is_not_an_unavailable_zael(scripted):
    zael, _ = scripted(httpx.Response(429, json=DENIED), on_unavailable="allow")
    decision = zael.check()
    assert not decision
    assert decision.retry_after == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_an_error_is_not_an_unavailable_zael(scripted, status):
    zael, script = scripted(httpx.Response(status, json=CONFLICT), on_unavailable="allow")
    with pytest.raises(ApiError) as error:
        zael.check()
    assert error.value.status == status
    assert len(script.sent) == 1


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_page_of_a_proxy_is_an_error_and_allows_nothing(scripted, status):
    zael, _ = scripted(httpx.Response(status, text="<html>"), on_unavailable="allow")
    with pytest.raises(ApiError):
        zael.check()


@pytest.mark.parametrize("body", [{}, [], "allowed", {"allowed": True}, {**ALLOWED, "limits": [{}]}, [ALLOWED]])
def test_a_response_that_is_no_decision_allows_nothing(scripted, body):
    zael, _ = scripted(httpx.Response(200, json=body))
    with pytest.raises(Unavailable):
        zael.check()


def test_a_shorter_list_allows_nothing(scripted):
    zael, _ = scripted(httpx.Response(200, json=[ALLOWED]))
    with pytest.raises(Unavailable):
        zael.check_many([Check(), Check()])


def test_ends_of_reservations_are_repeated(scripted):
    settled = httpx.Response(200, json={"reservation_id": "r-1", "settled": True, "state": "settled"})
    zael, script = scripted(httpx.Response(200, json=RESERVED), TIMED_OUT, DOWN, settled)
    with zael.reserve(cost={"tokens": 5}) as reservation:
        assert reservation.settle(tokens=3)
    assert [path for path, _, _ in script.sent] == ["/stage/v1/limits/check"] + ["/stage/v1/limits/settle"] * 3


def test_a_block_does_not_fail_where_its_end_does_not_reach_zael(scripted, caplog):
    reserved = httpx.Response(200, json=RESERVED)
    zael, _ = scripted(reserved, *[REFUSED] * 3, reserved, *[DOWN] * 3)
    with caplog.at_level(logging.WARNING, "zael"), zael.reserve(cost={"tokens": 5}):
        pass
    assert "settle failed: reservation r-1" in caplog.text
    with caplog.at_level(logging.WARNING, "zael"), pytest.raises(KeyError), zael.reserve(cost={"tokens": 5}):
        raise KeyError("the work failed")
    assert "release failed: reservation r-1" in caplog.text


def test_a_settlement_that_fails_is_not_followed_by_a_release(scripted):
    zael, script = scripted(httpx.Response(200, json=RESERVED), *[TIMED_OUT] * 3)
    with pytest.raises(Unavailable), zael.reserve(cost={"tokens": 5}) as reservation:
        reservation.settle(tokens=3)
    assert {path for path, _, _ in script.sent[1:]} == {"/stage/v1/limits/settle"}


def test_a_reservation_without_zael_ends_without_zael(scripted):
    zael, script = scripted(*[REFUSED] * 3, on_unavailable="allow")
    with zael.reserve(cost={"tokens": 5}) as reservation:
        assert reservation.id is None
        assert reservation.decision.degraded
        assert not reservation.settle(tokens=3)
    assert len(script.sent) == 3


def test_sends_the_key_as_a_bearer_and_shows_it_nowhere(client):
    script = Script([OK])
    zael = client("http://zael.test", "sk-secret", transport=httpx.MockTransport(script))
    zael.check()
    assert script.sent[0][2]["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(zael) + repr(vars(zael))


def test_a_cancelled_task_releases_its_reservation():
    released = httpx.Response(200, json={"reservation_id": "r-1", "released": True, "state": "released"})
    script = Script([httpx.Response(200, json=RESERVED), released])

    async def cancelled():
        entered = asyncio.Event()

        async def work():
            transport = httpx.MockTransport(script)
            async with AsyncZael("http://z.test", "key", transport=transport) as zael, zael.reserve(renew=True):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [each.get_name() for each in asyncio.all_tasks() if each.get_name() == "zael-renew"] == []

    asyncio.run(cancelled())
    assert [path for path, _, _ in script.sent] == ["/v1/limits/check", "/v1/limits/release"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "zael.test", "key": "k"},
        {"url": "ftp://zael.test", "key": "k"},
        {"url": "http://user:pw@zael.test", "key": "k"},
        {"url": "http://zael.test?a=b", "key": "k"},
        {"url": "http://zael.test"},
        {"url": "http://zael.test", "key": "k", "admin_token": "t"},
        {"url": "http://zael.test", "key": "k\r\nX-Zael-Entity: other"},
        {"url": "http://zael.test", "key": ""},
        {"url": "http://zael.test", "key": "k", "timeout": 0},
        {"url": "http://zael.test", "key": "k", "timeout": "5"},
        {"url": "http://zael.test", "key": "k", "retries": -1},
        {"url": "http://zael.test", "key": "k", "on_unavailable": "maybe"},
    ],
)
def test_rejects_wrong_settings(client, arguments):
    with pytest.raises(ValueError, match="must be"):
        client(**arguments)


@pytest.mark.parametrize(
    "cost", [5, {"request": 1}, {"tokens": -1}, {"tokens": 1.5}, {"tokens": True}, {"tokens": "1"}, {"tokens": None}]
)
def test_rejects_wrong_costs_before_anything_is_sent(scripted, cost):
    zael, script = scripted(on_unavailable="allow")
    with pytest.raises(ValueError, match="cost: "):
        zael.check(cost=cost)
    with pytest.raises(ValueError, match="cost: "):
        zael.reserve(cost=cost).begin()
    assert script.sent == []


@pytest.mark.parametrize("entity", ["", "a\r\nb", "ü", " a"])
def test_an_entity_that_is_no_header_is_rejected_and_never_allowed(client, entity):
    script = Script([])
    options = {"transport": httpx.MockTransport(script), "on_unavailable": "allow"}
    zael = client("http://zael.test", admin_token="t", **options)
    for call in (zael.check, zael.reserve):
        with pytest.raises(ValueError, match="entity"):
            call(entity)
    assert script.sent == []


def test_a_key_names_no_entity_and_an_admin_must(client):
    with pytest.raises(ValueError, match="admin_token"):
        client("http://zael.test", "key").check("someone")
    with pytest.raises(ValueError, match="must be given"):
        client("http://zael.test", admin_token="t").check()


def test_rejects_lists_that_zael_would_reject(client):
    for count in (0, 26):
        with pytest.raises(ValueError, match="1 to 25"):
            client("http://zael.test", "key").check_many([Check()] * count)


def test_the_rest_of_each_client_is_of_its_kind():
    with Zael("http://zael.test", "key") as zael, pytest.raises(RuntimeError, match="AsyncZael"):
        zael.rest.get_async_httpx_client()
    with pytest.raises(RuntimeError, match="asyncio"):
        AsyncZael("http://zael.test", "key").rest.get_httpx_client()
