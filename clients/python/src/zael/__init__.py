"""Client of zael: rate limits, quotas and budgets for LLM and HTTP APIs.

```python
from zael import Zael

with Zael("http://localhost:8080", "key-alice") as limiter:
    decision = limiter.check(resource="gpt-4", cost={"requests": 1, "tokens": 1200})
```

`Zael` and `AsyncZael` decide and reserve. `zael.rest` is generated from zael's OpenAPI document: every other route.
"""

from ._asyncio import AsyncReservation, AsyncZael
from ._errors import ApiError, AuthenticationError, RateLimited, Unavailable, ZaelError
from ._model import Check, Cost, Decision
from ._sync import Reservation, Zael
from .rest.models import LimitState, Violation

__all__ = [
    "ApiError",
    "AsyncReservation",
    "AsyncZael",
    "AuthenticationError",
    "Check",
    "Cost",
    "Decision",
    "LimitState",
    "RateLimited",
    "Reservation",
    "Unavailable",
    "Violation",
    "Zael",
    "ZaelError",
]
