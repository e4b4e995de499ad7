"""What scripts of requests cost: the first of a process, then many after and beside each other, and their memory."""

import json
import threading
import time

import psutil

from benchmarks import _stack
from loadtest.scripting.facts import TEST, Facts, Limits, Request, Response
from loadtest.scripting.sandbox import run_script

SCRIPT = """
pm.test('status', () => pm.response.to.have.status(200));
pm.test('shape', () => pm.expect(pm.response.json()).to.have.property('items').that.has.length(100));
pm.environment.set('first', pm.response.json().items[0].id);
"""
BODY = json.dumps({"items": [{"id": number} for number in range(100)]})
ROUNDS = 200
TOGETHER = (1, 2, 4, 16)
MIB = 1 << 20


def main() -> None:
    _stack.prepare()
    facts = Facts(TEST, Request("GET", "http://target.example/"), Response(200, "OK", text=BODY), environment={})
    process = psutil.Process()
    before = process.memory_info().rss
    took = seconds(lambda: passed(facts))
    print(f"the first script of a process: {1000 * took:.0f} ms, {(process.memory_info().rss - before) / MIB:.0f} MiB")
    print(f"\n{'beside each other':<20}{'scripts/s':>12}{'CPU ms each':>14}{'MiB':>8}")
    for threads in TOGETHER:
        cpu = sum(process.cpu_times()[:2])
        took = seconds(lambda threads=threads: together(threads, facts))
        cpu = sum(process.cpu_times()[:2]) - cpu
        rss = (process.memory_info().rss - before) / MIB
        print(f"{threads:<20}{ROUNDS / took:>12.0f}{1000 * cpu / ROUNDS:>14.1f}{rss:>8.0f}")


def together(threads: int, facts: Facts) -> None:
    def work() -> None:
        for _ in range(ROUNDS // threads):
            passed(facts)

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def passed(facts: Facts) -> None:
    outcome = run_script(SCRIPT, facts, Limits())
    assert outcome.error is None and all(test["passed"] for test in outcome.tests), outcome


def seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
