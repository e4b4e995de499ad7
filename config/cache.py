"""The shared cache over Redis, which may be away: what it holds are hints, and work goes on without them."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
PAUSE_S = 1.0


class HintCache(RedisCache):
    """Reads find nothing and writes are lost while Redis is away; nobody waits for it more than once a second.

    `add` and `incr` raise RedisError all the same: who calls them needs an agreement with others.
    """

    _away_until = 0.0

    def _try(self, call: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < HintCache._away_until:
            return otherwise
        try:
            return call()
        except (RedisError, OSError) as error:
            HintCache._away_until = time.monotonic() + PAUSE_S
            log.warning("the cache does not answer: %s", error)
            return otherwise

    def add(self, *key: Any, **more: Any) -> bool:
        self._require()
        return super().add(*key, **more)

    def incr(self, *key: Any, **more: Any) -> int:
        self._require()
        return super().incr(*key, **more)

    def _require(self) -> None:
        if time.monotonic() < HintCache._away_until:
            raise RedisError("Redis was away a moment ago")

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._try(lambda: super(HintCache, self).get(key, default, version), default)

    def get_many(self, keys: Any, version: int | None = None) -> dict[str, Any]:
        return self._try(lambda: super(HintCache, self).get_many(keys, version), {})

    def set(self, *key_and_value: Any, **more: Any) -> None:
        self._try(lambda: super(HintCache, self).set(*key_and_value, **more), None)

    def set_many(self, *data: Any, **more: Any) -> list[str]:
        return self._try(lambda: super(HintCache, self).set_many(*data, **more), [])

    def delete(self, *key: Any, **more: Any) -> bool:
        return self._try(lambda: super(HintCache, self).delete(*key, **more), False)

    def ping(self) -> None:
        """Raise RedisError unless Redis answers now."""
        self._cache.get_client(None).ping()
