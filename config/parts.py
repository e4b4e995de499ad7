"""The parts of the product that `pharos up` runs inside one process, and how each is stopped."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)


class Part:
    """Something that runs until it is stopped; `fault` tells why it ended by itself."""

    name = ""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.started = False

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def alive(self) -> bool:
        raise NotImplementedError


class ThreadPart(Part):
    """A part that lives in a thread of this process."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - SystemExit included: the thread is the part
            self.fault = f"{type(error).__name__}: {error}"
            log.exception("%s has ended", self.name)

    def run(self) -> None:
        raise NotImplementedError


class Worker(ThreadPart):
    """A Celery worker with a pool of threads. Not the command-line worker: that one sets signal handlers."""

    name = "worker"

    def __init__(self) -> None:
        super().__init__()
        from celery.worker import WorkController

        from config.celery import app

        app.loader.import_default_modules()
        app.finalize()
        self._controller = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=settings.WORKER_THREADS,
            hostname=f"embedded@{os.uname().nodename}",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )

    def run(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        stopper = threading.Thread(target=self._controller.stop, daemon=True)
        stopper.start()
        stopper.join(2)


class Beat(ThreadPart):
    """The Celery scheduler, which sends the ticks of `config.schedule`."""

    name = "scheduler"

    def __init__(self) -> None:
        super().__init__()
        from celery.beat import Service

        from config.celery import app

        self._service = Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)

    def run(self) -> None:
        self._service.start(embedded_process=True)

    def stop(self) -> None:
        self._service.stop()


class LocalAgent(Part):
    """The agent that reports this very machine, as a child process like on any other machine."""

    name = "agent"

    def __init__(self, *, url: str, key: str, instance_id: str, state_dir: Path) -> None:
        super().__init__()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TZ", "TMPDIR")},
            "PHAROS_URL": url,
            "PHAROS_AGENT_KEY": key,
            "PHAROS_INSTANCE_ID": instance_id,
            "PHAROS_AGENT_STATE_DIR": str(state_dir),
            "PHAROS_AGENT_PARENT_PID": str(os.getpid()),  # it ends with us even if we are killed
            "PHAROS_AGENT_HEARTBEAT": "15",
            "PHAROS_AGENT_METRICS": "5",
        }

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches us alone, and we stop the agent after the server.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pharos_agent"], env=self._environment, start_new_session=True
        )

    def alive(self) -> bool:
        code = self._process.poll()
        if code is not None:
            self.fault = f"the agent ended with exit code {code}"
        return code is None

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
