"""One run of the engine with an option that `pharos load` has not; prints the report as JSON."""

import json
import sys
from dataclasses import replace

from benchmarks._engine.generators import CONNECTIONS
from loadtest.engine.dynamic import LENGTH
from loadtest.engine.plan import Mode, RunSpec, Sampling
from loadtest.engine.requests import parse_url, render, resolve
from loadtest.engine.supervisor import run

ROWS = 1_000
BODY = b'{"customer": 4711, "items": [{"sku": "A-1", "count": 2}, {"sku": "B-7", "count": 1}], "note": "by the door"}'


def spec(name: str, url: str, seconds: float) -> RunSpec:
    """The run that the name stands for; `bare` is without anything, its sampling off."""
    target = parse_url(url)
    bare = RunSpec(
        mode=Mode.CONSTANT_CONCURRENCY,
        addresses=resolve(target).addresses,
        requests=(render(target),),
        concurrency=CONNECTIONS,
        duration_s=seconds,
        sampling=Sampling(every=0, slow_ms=0),
    )
    if name == "request bodies":
        return replace(bare, method="POST", requests=(render(target, method="POST", body=BODY),))
    if name == "variants from data rows":
        rows = (parse_url(f"{url}?customer={n}") for n in range(ROWS))
        return replace(bare, requests=tuple(render(row) for row in rows))
    if name == "values drawn anew":
        head, _, rest = render(target, method="POST", body=BODY).partition(b"Content-Length: %d" % len(BODY))
        before, _, after = rest.partition(b"4711")
        template = (head + b"Content-Length: ", LENGTH, before, "$randomInt", after, "$guid")
        return replace(bare, method="POST", requests=(template,))
    if name == "sampling":
        return replace(bare, sampling=Sampling(every=100, slow_ms=1000, responses_every=100))
    return bare


if __name__ == "__main__":
    print(json.dumps(run(spec(sys.argv[1], sys.argv[2], float(sys.argv[3])), workers=1)))
