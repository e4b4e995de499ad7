"""The event loops. Closed: so many requests in flight, the next one follows the response. Open: requests follow a
schedule, whatever the responses do.

What makes the closed loop fast: one registration for each socket (edge-triggered), state in lists, one clock reading
for each response, and one comparison with the last response instead of parsing. All else is in connections.py.
"""

import gc
import select
import time
from collections.abc import Callable

from loadtest.engine.capture import NEVER
from loadtest.engine.connections import Connections
from loadtest.engine.dialling import LATER, clock
from loadtest.engine.histogram import BUCKETS
from loadtest.engine.plan import Mode, Schedule, Share
from loadtest.engine.slots import WAITING
from loadtest.engine.stats import Cell, Page, State

READABLE = select.EPOLLIN
BATCH = 512  # events taken at a time
SCAN_NS = 100_000_000  # time-outs are looked for so often
BEAT_NS = 10_000_000  # figures are published, and a stop is noticed, within this time
RETRY_S = 0.001  # pause before new connections replace those that failed
GRACE_NS = 500_000_000  # the open loop ends on time; answers that are just coming in are not called errors


def run(connections: Connections, *, start_ns: int, orphaned: Callable[[], bool] = lambda: False) -> None:
    """Run one worker's share, from `start_ns` on the monotonic clock to its end, a stop, or the parent's death."""
    share, page = connections.share, connections.page
    _wake_on_time()
    gc.freeze()  # what exists now stays: no collection need look at it again
    beat = Beat(connections, page, orphaned)
    while (left := start_ns - clock()) > 0 and not beat.stopped:
        time.sleep(min(left / 1e9, 0.05))
        beat.look()
    page.counters[Cell.STATE] = State.RUNNING
    page.counters[Cell.STARTED_NS] = start_ns
    connections.cpu_before_ns = time.process_time_ns()
    loop = open_loop if share.spec.mode == Mode.CONSTANT_RPS else closed_loop
    loop(connections, share, beat, start_ns)
    connections.publish(clock())
    connections.close()
    page.counters[Cell.PEAK_RSS_KB] = _peak_rss_kb()
    page.counters[Cell.STATE] = State.FINISHED


def _wake_on_time() -> None:
    """Ask the kernel to wake this process without its usual slack of 50 µs. Not all systems allow it."""
    try:
        with open("/proc/self/timerslack_ns", "w") as file:
            file.write("1")
    except OSError:
        return


def _peak_rss_kb() -> int:
    """The most memory this process ever held. (getrusage would count the program it was forked from.)"""
    with open("/proc/self/status") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)


class Beat:
    """What happens a hundred times a second: publish, give up what took too long, notice a stop."""

    def __init__(self, connections: Connections, page: Page, orphaned: Callable[[], bool]) -> None:
        self._connections, self._counters, self._orphaned = connections, page.counters, orphaned
        self._scan_every_ns = min(SCAN_NS, int(connections.spec.timeout_s * 1e8))
        self._scan_ns = 0
        self.due = 0
        self.stopped = False

    def look(self) -> None:
        self.stopped = self.stopped or bool(self._counters[Cell.STOP]) or self._orphaned()

    def __call__(self, now: int) -> None:
        self.due = now + BEAT_NS
        self.look()
        if now >= self._scan_ns:
            self._scan_ns = now + self._scan_every_ns
            self._connections.expire(now)
        self._connections.publish(now)


def closed_loop(c: Connections, share: Share, beat: Beat, start_ns: int) -> None:
    """Keep `share.concurrency_at(t)` requests in flight. contract: load testing §10.4."""
    spec = share.spec
    iterations = spec.mode == Mode.ITERATIONS
    limit = share.iterations if iterations else NEVER
    end_ns = NEVER if iterations else start_ns + int(spec.duration_s * 1e9)
    give_up_ns = end_ns + int((spec.timeout_s + 2) * 1e9)
    # Local names: this loop runs a hundred thousand times a second.
    poll, read, write, handles, now_ns = c.poller.poll, c.read, c.write, c.handles, clock
    state, intended, started, payload = c.state, c.intended, c.started, c.payload
    histogram, slow_ns, variants, usual = c.fast, 1000 * c.slow_us, c.variants, len(c.usual)
    for _ in range(min(share.concurrency_at(0), limit)):
        now = now_ns()
        c.issue(now, now)
    while True:
        now = now_ns()
        if now >= beat.due:
            beat(now)
        if now >= end_ns:
            limit = 0  # no new requests; those in flight may finish
        if beat.stopped or now >= give_up_ns:
            c.cancel("the run was stopped" if beat.stopped else "the run ended")
            return
        if c.sent >= limit and not c.in_flight:
            return
        target = share.concurrency_at((now - start_ns) / 1e9)
        for _ in range(min(target - c.in_flight, limit - c.sent)):
            now = now_ns()
            c.issue(now, now)
        free = c.in_flight <= target and limit - c.sent > BATCH  # every response may be followed by a request
        c.read_size = read_size = c.next_read_size
        request = c.usual
        same = same_ns = same_bytes = 0
        until_look = c.next_look - c.responses  # this one of the same is looked at
        for fd, event in poll(RETRY_S if c.in_flight < target else 0.01, BATCH):
            if free and event == READABLE and state[fd] == WAITING:
                try:
                    data = read(handles[fd], read_size)
                except LATER:
                    continue
                except OSError as error:
                    c.broken(fd, error)
                    continue
                now = now_ns()
                if data == c.last or c.same_kind(data):
                    took = now - started[fd]
                    us = took // 1000
                    same += 1
                    same_ns += took
                    same_bytes += len(data)
                    if us > 2047:  # histogram.bucket, written out
                        shift = us.bit_length() - 11
                        us = (shift << 10) + (us >> shift)
                        if us >= BUCKETS:
                            us = BUCKETS - 1
                    histogram[us] += 1
                    if took >= slow_ns or same >= until_look:
                        c.count_same(same, same_ns, same_bytes, now)
                        same = same_ns = same_bytes = 0
                        c.first[fd] = now
                        c.look_at(c.last_status, c.timing(fd, now), data, len(data))
                        until_look = c.next_look - c.responses
                    if variants:
                        request = payload[fd] = c.next_request()
                        c.bytes_sent += len(request) - usual
                    intended[fd] = started[fd] = now
                    try:
                        count = write(handles[fd], request)
                    except OSError:
                        count = 0
                    if count == len(request):
                        continue
                    c.bytes_sent += count - len(request)
                    c.count_same(same, same_ns, same_bytes, now)
                    same = same_ns = same_bytes = 0
                    c.transmit(fd, memoryview(request)[count:])
                else:
                    if same:
                        c.count_same(same, same_ns, same_bytes, now)
                        same = same_ns = same_bytes = 0
                    c.arrived(fd, data, now)
            else:
                if same:
                    c.count_same(same, same_ns, same_bytes, now)
                    same = same_ns = same_bytes = 0
                c.handle(fd, event)
            until_look = c.next_look - c.responses
            if c.in_flight < target and c.sent < limit:
                now = now_ns()
                c.issue(now, now)
        if same:
            c.count_same(same, same_ns, same_bytes, now)


def open_loop(c: Connections, share: Share, beat: Beat, start_ns: int) -> None:
    """Send each request when it is due, or count it as dropped: never later in silence.

    contract: load testing §10.5. Latency counts from the moment a request was due, so neither a stall of the target
    nor one of this process is hidden.
    """
    schedule = Schedule(share)
    poll, select_, now_ns, most = c.poller.poll, select.select, clock, share.max_in_flight
    watched = (c.poller.fileno(),)
    end_ns = start_ns + int(share.spec.duration_s * 1e9)
    give_up_ns = end_ns + GRACE_NS
    k, due = 0, start_ns + schedule.due_ns(0) if schedule.count else NEVER
    while True:
        now = now_ns()
        if now >= beat.due:
            beat(now)
        if beat.stopped or now >= give_up_ns:
            if not beat.stopped:
                c.dropped += schedule.count - k  # the process stood still over the end
            c.cancel("the run was stopped" if beat.stopped else "the run ended")
            return
        if now >= end_ns and k >= schedule.count and not c.in_flight:
            return
        if due <= now:
            c.overslept_ns = max(c.overslept_ns, now - due)
        for _ in range(BATCH):  # a late pass catches up, but looks at the responses in between
            if due > now:
                break
            if c.in_flight >= most:
                c.dropped += 1
            else:
                now = now_ns()
                c.issue(due, now)
            k += 1
            due = start_ns + schedule.due_ns(k) if k < schedule.count else NEVER
        c.read_size = c.next_read_size
        events = poll(0, BATCH)
        if not events:
            # epoll waits in milliseconds, select on the epoll's own descriptor in microseconds.
            wait_ns = min(due, beat.due, end_ns if now < end_ns else give_up_ns) - now_ns()
            if wait_ns > 0:
                select_(watched, (), (), wait_ns / 1e9)
                events = poll(0, BATCH)
        for fd, event in events:
            c.handle(fd, event)
