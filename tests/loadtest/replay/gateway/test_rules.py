"""Rules of the gateway that need no socket."""

import gzip
import ssl
from ipaddress import ip_address

import cramjam
import pytest
from multidict import CIMultiDict

from loadtest.replay.gateway import ca_command, headers, main
from loadtest.replay.gateway.authority import KEY, Authority, AuthorityFault, folder
from loadtest.replay.gateway.bodies import Kept, stored
from loadtest.replay.gateway.listeners import Listener
from loadtest.replay.gateway.options import read
from loadtest.replay.gateway.places import WrongUse
from loadtest.replay.gateway.sessions import Bound, base_url
from loadtest.replay.gateway.targets import matches

ID = "x-softprobe-session-id"


@pytest.mark.parametrize(
    ("sent", "session"),
    [
        ([], None),
        ([(ID, " sess_a ")], "sess_a"),
        ([(ID, "a"), ("tracestate", f"{ID}=b"), ("baggage", f"{ID}=c")], "a"),
        ([("tracestate", f"v=1, {ID}=b"), ("baggage", f"{ID}=c")], "b"),
        ([("tracestate", "v=1"), ("tracestate", "x-sp-session-id=b")], "b"),
        ([("tracestate", "sp=b;x=1,v=2")], "b"),
        ([("baggage", f"user=1,{ID}=s%20c;p=1"), ("baggage", f"{ID}=c")], "c"),
        ([(ID, "two words"), ("tracestate", "sp=b")], "b"),
        ([(ID, "a,b"), (ID, 'a"'), (ID, "a=b"), (ID, ""), (ID, "x" * 257), (ID, "é")], None),
        ([("tracestate", "spx=b,=,,sp")], None),
    ],
)
def test_the_session_that_a_message_names(sent, session):
    assert headers.session_of(CIMultiDict(sent)) == session


def test_the_session_travels_on_in_tracestate():
    sent = CIMultiDict([(ID, "old"), ("tracestate", f"v=1,{ID}=other"), ("TraceState", "w=2"), ("traceparent", "x")])
    trace = headers.carry_on(sent, "sess_a")
    assert sent["tracestate"] == f"{ID}=sess_a,v=1,w=2" and ID not in sent
    assert sent["traceparent"].split("-")[1] == trace.trace_id and trace.parent_id == ""
    assert headers.carry_on(sent, "sess_a").trace_id == trace.trace_id


def test_headers_of_one_connection_stay_there():
    sent = CIMultiDict(
        [("Connection", "X-Mine, close, Host"), ("Host", "a"), ("X-Mine", "1"), ("TE", "trailers"), ("X-Other", "2")]
    )
    assert list(headers.end_to_end(sent).items()) == [("Host", "a"), ("X-Other", "2")]
    odd = CIMultiDict([("X-Bytes", "a\udcff"), (ID, "s"), ("Cookie", "c")])
    assert headers.for_storage(odd) == (("x-bytes", "a\ufffd"), ("cookie", "c"))


@pytest.mark.parametrize(
    ("content", "coding", "text", "unfolded"),
    [
        (gzip.compress(b"abc", mtime=0), "gzip", "abc", True),
        (bytes(cramjam.brotli.compress(b"abc")), " BR ", "abc", True),
        (bytes(cramjam.zlib.compress(b"abc")), "deflate", "abc", True),
        (bytes(cramjam.zstd.compress(b"abc")), "zstd", "abc", True),
        (b"abc", "gzip", "abc", False),  # not what it says
        (gzip.compress(b"\0" * 100_000, mtime=0), "gzip", None, False),  # too large once unfolded
        (b"abc", "odd", "abc", False),
        (b"", "gzip", "", False),
    ],
)
def test_bodies_are_unfolded_for_storage(content, coding, text, unfolded):
    kept = Kept(1000)
    kept.add(content)
    body, was = stored(kept, coding, 1000)
    assert was is unfolded
    if text is None:
        assert body.content == content
    else:
        assert (body.text if body else "") == text


@pytest.mark.parametrize(
    ("host", "patterns", "listed"),
    [
        ("bank.example", ["bank.example"], True),
        ("api.bank.example", ["bank.example"], True),
        ("mybank.example", ["bank.example"], False),
        ("bank.example", [".bank.example"], False),
        ("api.bank.example", ["*.bank.example"], True),
        ("anything", ["*"], True),
        ("anything", [], False),
    ],
)
def test_lists_of_hosts(host, patterns, listed):
    assert matches(host, patterns) is listed


def options(text, **environ):
    return read(text.split(), environ)


def test_options_of_listeners_belong_to_the_one_before_them(tmp_path):
    made = options(
        "--listen :8082 --to http://127.0.0.1:8081/base/ --direction inbound --service shop "
        "--listen [::1]:9001 --to https://api.bank.example --bind sess_b "
        "--listen 10.0.0.5:3128 --forward --intercept Bank.example --allow-client 10.0.0.0/8 --capture --out c.json",
        PHAROS_URL="http://pharos.example/",
        PHAROS_KEY="k",
    )
    inbound, outbound, forward = made.listeners
    assert (inbound.host, inbound.port, inbound.direction, inbound.service) == ("127.0.0.1", 8082, "inbound", "shop")
    assert (inbound.to.url.human_repr(), inbound.to.path) == ("http://127.0.0.1:8081/base", "/base")
    assert (outbound.host, outbound.direction, outbound.session) == ("::1", "outbound", "sess_b")
    assert (forward.to, forward.intercept) == (None, ("bank.example",))
    assert [forward.admits((peer, 1)) for peer in ("10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "192.0.2.1")] == [
        *(True, True, True, False)
    ]
    assert (made.url, made.key, made.capture, made.out) == ("http://pharos.example", "k", True, "c.json")
    [usual] = options("").listeners
    assert usual == Listener("127.0.0.1", 8888) == options("--forward").listeners[0]


def test_a_file_says_the_same_and_the_command_line_wins(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text(
        "url: http://a\nfail: closed\nidle_timeout: 5\nlisteners:\n  - listen: '127.0.0.1:1'\n    to: http://b\n"
        "  - {listen: '127.0.0.1:2', forward: true, intercept: [c]}\n"
    )
    made = options(f"--config {path} --fail open", PHAROS_URL="http://z")
    assert (made.url, made.fail, made.idle_s, len(made.listeners)) == ("http://a", "open", 5.0, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("--listen 0.0.0.0:3128 --forward", "--allow-client"),
        ("--listen 127.0.0.1:1", "--to URL or --forward"),
        ("--listen 127.0.0.1:1 --to http://a --forward", "--to URL or --forward"),
        ("--listen nowhere:1 --forward", "ADDRESS:PORT"),
        ("--listen 127.0.0.1:99999 --forward", "ADDRESS:PORT"),
        ("--listen 127.0.0.1:1 --to ftp://a", "no address of a server"),
        ("--listen 127.0.0.1:1 --to http://u:p@a", "no address of a server"),
        ("--listen 127.0.0.1:1 --to http://a --intercept b", "belong to --forward"),
        ("--listen 0.0.0.0:1 --forward --allow-client x", "no network"),
        ("--capture --session s", "exclude each other"),
        ("--out x", "--out needs --capture"),
        ("--spy --replay-case x", "--spy never answers"),
        ("--connections 0", "--connections must be between"),
        ("--upstream-ca /nowhere", "/nowhere"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(text, says, capsys):
    assert main.main(text.split()) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["[]", "lisen: 1", "fail: maybe", "keep: true", "listeners: [1]", "listeners: [{listen: 80}]", "a: [", "spy: 1",
     "listeners: [{listen: ':1', to: [a]}]", "listeners: [{listen: ':1', forward: true, od: 1}]"],
)  # fmt: skip
def test_a_wrong_file_is_told_too(tmp_path, text):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(WrongUse):
        options(f"--config {tmp_path / 'x.yaml'}")


@pytest.mark.parametrize(
    ("text", "mode", "is_open"),
    [("", None, True), ("", "capture", True), ("", "replay", False), ("", "", True), ("--fail open", "replay", True),
     ("--fail closed", None, False)],
)  # fmt: skip
def test_the_failure_policy(text, mode, is_open):
    bound = None if mode is None else Bound("s", mode, made_here=True)
    assert main.fails_open(options(text), bound) is is_open


def test_where_the_api_is():
    assert base_url("http://a") == "http://a/api/replay"
    assert base_url("http://a/api/replay") == "http://a/api/replay"


def test_the_authority_is_made_once_and_its_key_is_private(tmp_path, capsys):
    place = folder({"PHAROS_DATA_DIR": str(tmp_path)})
    first = Authority.at(place)
    assert Authority.at(place).pem == first.pem
    assert (place / KEY).stat().st_mode & 0o777 == 0o600
    assert ca_command.main(["--ca-dir", str(place)]) == 0
    printed = capsys.readouterr().out
    assert printed == first.pem.decode() and "PRIVATE" not in printed
    (place / KEY).chmod(0o644)
    with pytest.raises(AuthorityFault, match="chmod 600"):
        Authority.at(place)
    (place / KEY).write_text("damaged")
    (place / KEY).chmod(0o600)
    assert ca_command.main(["--ca-dir", str(place)]) == 1


def test_contexts_of_hosts_are_kept_and_the_oldest_forgotten(authority, monkeypatch):
    monkeypatch.setattr("loadtest.replay.gateway.authority.MOST_CONTEXTS", 2)
    first = authority.context("a.example")
    assert authority.context("a.example") is first
    for host in ("b.example", str(ip_address("::1")), "x" * 60 + ".example"):
        assert isinstance(authority.context(host), ssl.SSLContext)
    assert authority.context("a.example") is not first
