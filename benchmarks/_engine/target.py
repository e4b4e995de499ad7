"""What is loaded: nginx with one worker on one core, or a small server of our own where nginx is missing."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.services import free_port

BODY = b'{"status":"ok","service":"target","items":[1,2,3,4,5,6,7,8],"message":"a small constant answer..."}'
LARGE_BYTES = 100 << 10

NGINX = """
daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 12000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 60s; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=8192; listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {folder}/tls.pem; ssl_certificate_key {folder}/tls.pem;
    location = / {{ return 200 '{body}'; }}
    location = /unique {{ add_header X-Id $request_id; return 200 '{{"id":"$request_id"}}'; }}
    location = /large {{ root {folder}; }}
  }}
}}
"""


@dataclass(frozen=True)
class Target:
    """Its addresses; `tls` is empty where it speaks none, and then only `/` is there."""

    plain: str
    tls: str = ""


def cores() -> tuple[int, int]:
    """One for the target, one for the generator; the same if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def start(command: list[str], core: int, **options: object) -> subprocess.Popen:
    """Start a command on one core, in a session of its own: Linux shares processors out by session."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, start_new_session=True, **options)  # type: ignore[call-overload]
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def target() -> Iterator[Target]:
    """nginx if it is on the PATH, else the small server."""
    port, tls_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="pharos-target-") as name:
        folder = Path(name)
        if shutil.which("nginx"):
            _configure(folder, port, tls_port)
            command = ["nginx", "-c", f"{name}/nginx.conf", "-p", name, "-e", f"{name}/error.log"]
            found = Target(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}")
        else:
            command = [sys.executable, "-m", "benchmarks._engine.target", str(port)]
            found = Target(f"http://127.0.0.1:{port}")
        process = start(command, cores()[0])
        try:
            _await(port)
            yield found
        finally:
            process.terminate()
            process.wait(10)


def _configure(folder: Path, port: int, tls_port: int) -> None:
    folder.chmod(0o755)
    (folder / "large").write_bytes(os.urandom(LARGE_BYTES))
    (folder / "tls.pem").write_bytes(certificate())
    config = NGINX.format(folder=folder, port=port, tls_port=tls_port, body=BODY.decode())
    (folder / "nginx.conf").write_text(config)


def _await(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def certificate() -> bytes:
    """A key and a certificate that signs itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(pem)


class _Answer(asyncio.Protocol):
    _DATA = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._DATA * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    """The small server: several times slower than nginx, so it, not the generator, may set the rate."""
    server = await asyncio.get_running_loop().create_server(_Answer, "127.0.0.1", port, backlog=8192)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
