"""Reservations against a zael."""

import asyncio
import time

import pytest
from conftest import ADMIN_TOKEN, RPM, SLOTS, TPM, URL, used_of

from zael import ApiError, AsyncZael, RateLimited, Zael


def test_settles_to_what_was_used(limiter):
    zael = limiter(TPM)
    with zael.reserve(cost={"tokens": 800}) as reservation:
        assert used_of(zael, "tpm") == 800
        assert reservation.decision.allowed
        assert reservation.expires_at > time.time() + 500
        assert reservation.settle(tokens=431)
    assert used_of(zael, "tpm") == 431


def test_a_block_that_settles_nothing_is_settled_as_estimated(limiter):
    zael = limiter(TPM)
    with zael.reserve(cost={"tokens": 800}) as reservation:
        pass
    assert used_of(zael, "tpm") == 800
    assert not zael.reservation(reservation.id).release()


def test_an_exception_releases_it(limiter):
    zael = limiter(TPM)
    with pytest.raises(KeyError), zael.reserve(cost={"tokens": 800}):
        raise KeyError("the work failed")
    assert used_of(zael, "tpm") == 0


def test_an_exception_after_the_settlement_releases_nothing(limiter):
    zael = limiter(TPM)
    with pytest.raises(KeyError), zael.reserve(cost={"tokens": 800}) as reservation:
        reservation.settle(tokens=500)
        raise KeyError("later work failed")
    assert used_of(zael, "tpm") == 500


def test_a_denial_is_raised_before_the_block_runs(limiter):
    zael = limiter(RPM)
    with pytest.raises(RateLimited) as denied, zael.reserve(cost={"requests": 3}):
        pytest.fail("the block ran")
    assert denied.value.retry_after is None
    assert used_of(zael, "rpm") == 0


def test_ends_once(limiter):
    zael = limiter(TPM)
    reservation = zael.reserve(cost={"tokens": 100})
    reservation.begin()
    assert reservation.settle(tokens=50)
    assert not reservation.settle(tokens=900)
    assert not reservation.release()
    assert not reservation.extend(900)
    assert used_of(zael, "tpm") == 50


def test_begins_once(limiter):
    reservation = limiter(TPM).reserve(cost={"tokens": 100})
    reservation.begin()
    with pytest.raises(RuntimeError):
        reservation.begin()


def test_is_settled_elsewhere_by_its_id(client, make_key):
    key, entity = make_key(TPM)
    one, other = client(URL, key, timeout=30), client(URL, admin_token=ADMIN_TOKEN, timeout=30)
    reservation = one.reserve(cost={"tokens": 100})
    reservation.begin()
    assert other.reservation(reservation.id, entity=entity).settle(tokens=70)
    assert used_of(one, "tpm") == 70


def test_only_its_own_caller_ends_it(limiter):
    with limiter(TPM).reserve(cost={"tokens": 100}) as reservation, pytest.raises(ApiError) as missing:
        limiter(TPM).reservation(reservation.id).release()
    assert missing.value.status == 404


def test_holds_a_slot_until_it_ends(limiter):
    zael = limiter(SLOTS)
    with zael.reserve():
        with pytest.raises(RateLimited) as denied:
            zael.reserve().__enter__()
        assert denied.value.violations[0].limit_name == "slots"
    with zael.reserve():
        pass


def test_extends_when_asked(limiter):
    zael = limiter(SLOTS)
    with zael.reserve(expires_in=30) as reservation:
        before = reservation.expires_at
        assert reservation.extend(300)
        assert reservation.expires_at >= before + 200


def test_a_renewed_reservation_outlives_its_lifetime(make_key):
    lifetime = 2
    with Zael(URL, make_key(SLOTS)[0], timeout=30) as zael, zael.reserve(expires_in=lifetime, renew=True) as held:
        first = held.expires_at
        wait_until(lambda: held.expires_at > first + lifetime)
        assert not zael.check(cost={"requests": 1})

    async def renewed():
        async with AsyncZael(URL, make_key(SLOTS)[0], timeout=30) as zael:
            async with zael.reserve(expires_in=lifetime, renew=True) as held:
                first = held.expires_at
                while held.expires_at <= first + lifetime:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                assert not await zael.check(cost={"requests": 1})
            assert await zael.check(cost={"requests": 1})

    asyncio.run(renewed())


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
