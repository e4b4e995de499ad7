"""A shop that asks a bank, both behind the gateway: captured once, then the bank is switched off (issue's scenario 4).

Everything that matters is a process of its own: the product, the gateway, the shop. The bank is a server of the test.
"""

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from loadtest.replay.gateway.authority import Authority
from tests.support.local_server import LocalServer
from tests.support.product import BIN, ROOT
from tests.support.services import free_port

pytestmark = [pytest.mark.journey]

# The shop knows nothing of capture and replay: it uses the proxy of its environment, and passes tracing on.
SHOP = """
import json, os, sys, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        bank = os.environ["BANK" if self.path.startswith("/plain") else "SECURE_BANK"]
        tracing = {name: self.headers[name] for name in ("traceparent", "tracestate") if self.headers[name]}
        try:
            answer = urllib.request.urlopen(urllib.request.Request(bank + self.path, headers=tracing), timeout=10)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        said = {"status": answer.status, "header": answer.headers["X-Bank"], "body": answer.read().hex()}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop)
print("ready", flush=True)
server.serve_forever()
"""
BALANCE = bytes(range(256)) + "{'é': 1}".encode()


class Gateway:
    """`pharos gateway` as a process; `said` is what it printed until it was ready, `rest` all after that."""

    def __init__(self, env, *options):
        self.process = subprocess.Popen(
            [BIN / "pharos", "gateway", *options], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE
        )
        self.said = self.rest = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ready"):
                return
        raise AssertionError(f"the gateway ended with {self.process.wait()}: {self.said}")

    @property
    def session(self):
        return re.search(r"Session (\S+)", self.said)[1]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.rest, _ = self.process.communicate(timeout=30)
        return self.process.returncode


@contextmanager
def running(env, *options):
    gateway = Gateway(env, *options)
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            gateway.end()


@contextmanager
def shop(env, port):
    process = subprocess.Popen([sys.executable, "-c", SHOP, str(port)], env=env, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.wait()


class World:
    """Addresses of all parts, and the calls that a test makes."""

    def __init__(self, product, folder):
        self.product, self.folder = product, folder
        self.front, self.proxy, self.shop = free_port(), free_port(), free_port()
        self.env = product.env | {"PHAROS_URL": product.url, "PHAROS_API_KEY": product.new_key("OPERATOR")}
        self.env |= {"PHAROS_DATA_DIR": str(folder)}
        self.ca = folder / "ca.pem"
        subprocess.run([BIN / "pharos", "gateway", "ca", "--out", self.ca], cwd=ROOT, env=self.env, check=True)
        authority = Authority.at(folder / "gateway")  # the bank's certificate comes from the same authority
        self.banks = [LocalServer(), LocalServer(tls=authority.context("localhost"))]
        for bank in self.banks:
            bank.answer("/plain/17", status=201, headers={"X-Bank": "open"}, body=BALANCE)
            bank.answer("/secure/17", status=202, headers={"X-Bank": "vault"}, body=BALANCE[::-1])
        self.listeners = [
            *("--listen", f"127.0.0.1:{self.front}", "--to", f"http://127.0.0.1:{self.shop}", "--direction", "inbound"),
            *("--listen", f"127.0.0.1:{self.proxy}", "--forward", "--intercept", "localhost"),
            *("--upstream-ca", str(self.ca)),
        ]

    def shop_env(self):
        proxy = f"http://127.0.0.1:{self.proxy}"
        kept = {name: value for name, value in self.env.items() if name.lower() != "no_proxy"}
        return kept | {
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "http_proxy": proxy,
            "https_proxy": proxy,
            "SSL_CERT_FILE": str(self.ca),
            "BANK": self.banks[0].url,
            "SECURE_BANK": f"https://localhost:{self.banks[1].port}",
        }

    def buy(self, path, session=None):
        headers = {"x-softprobe-session-id": session} if session else {}
        answer = requests.get(f"http://127.0.0.1:{self.front}{path}", headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.env['PHAROS_API_KEY']}"}
        answer = requests.request(
            method, f"{self.product.url}/api/replay/v1{path}", json=body, headers=headers, timeout=20
        )
        assert answer.ok, answer.text
        return answer.json()


def test_a_captured_exchange_replays_with_the_bank_switched_off(embedded_product, tmp_path):
    world = World(embedded_product, tmp_path)
    out = tmp_path / "shop.case.json"
    paths = ["/plain/17", "/secure/17"]
    with shop(world.shop_env(), world.shop):
        with running(world.env, "--capture", "--out", str(out), *world.listeners) as gateway:
            captured = [world.buy(path) for path in paths]
            assert gateway.end() == 0
        assert captured == [
            {"status": 201, "header": "open", "body": BALANCE.hex()},
            {"status": 202, "header": "vault", "body": BALANCE[::-1].hex()},
        ]
        assert "4 exchanges captured" in gateway.rest and f"captures/{gateway.session}" in gateway.rest, gateway.rest
        assert [len(bank.requests) for bank in world.banks] == [1, 1]

        for bank in world.banks:
            bank.close()
        with running(world.env, "--replay-case", str(out), *world.listeners) as gateway:
            assert [world.buy(path) for path in paths] == captured
            refused = world.buy("/plain/18")
            assert refused["status"] == 599 and "error" in bytes.fromhex(refused["body"]).decode()
            stats = world.ask("GET", f"/sessions/{gateway.session}/stats")["stats"]
            assert (stats["injectedSpans"], stats["strictMisses"]) == (2, 1)
            assert stats["lastStrictMiss"]["path"] == "/plain/18"
            assert gateway.end() == 0

        no_mixing(world)


def no_mixing(world):
    """Two sessions at once through one gateway, named by the test in a header, carried on by the shop's tracing."""
    sessions = {}
    for name in ("left", "right"):
        session = world.ask("POST", "/sessions", {"mode": "replay"})["sessionId"]
        then = {"action": "mock", "response": {"status": 203, "headers": {"X-Bank": name}, "body": name}}
        rule = {"when": {"direction": "outbound"}, "then": then}
        world.ask("POST", f"/sessions/{session}/rules", {"version": 1, "rules": [rule]})
        sessions[name] = session
    with running(world.env, *world.listeners), ThreadPoolExecutor(4) as pool:
        names = ["left", "right"] * 10
        paths = [f"/{kind}/{number}" for number in range(10) for kind in ("plain", "secure")]
        said = list(pool.map(lambda name, path: world.buy(path, sessions[name]), names, paths))
        assert said == [{"status": 203, "header": name, "body": name.encode().hex()} for name in names]
    for name in sessions.values():
        assert world.ask("GET", f"/sessions/{name}/stats")["injectedSpans"] == 10
