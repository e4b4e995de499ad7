"""Where calls may go: hostile URLs reach nobody, allowed ones arrive (contract: fleet console §11)."""

import contextlib
import socket
from ipaddress import ip_address, ip_network

import pytest

from config import outbound
from config.outbound import BadUrl, Policy, Refused, Unreachable
from tests.support.listener import listening

STRICT = Policy()
EVERYTHING = Policy(allow=(ip_network("0.0.0.0/0"), ip_network("::/0")), allow_loopback=True)

# Names that the tests' resolver knows. Others are unknown; no test asks a real name server.
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.localdomain": ["127.0.0.1"],
    "loop.example": ["127.0.0.1"],
    "loop6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "zero.example": ["0.0.0.0"],
    "inside.example": ["10.0.0.8"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mixed6.example": ["2606:2800:220:1:248:1893:25c8:1946", "fd12::1"],
    "xn--lohe-noa.example": ["127.0.0.1"],
    "public.example": ["93.184.216.34"],
}


def urls(words: str) -> list[str]:
    return words.split()


# {p} is the port of real listeners on 127.0.0.1, 127.0.0.2 and ::1.
REFUSED = urls("""
http://127.0.0.1:{p}/  https://127.0.0.1:{p}/  HTTP://127.0.0.1:{p}/  http://127.0.0.1.:{p}/  http://127.0.0.2:{p}/
http://127.255.255.254:{p}/  http://0.0.0.0:{p}/  http://0.1.2.3:{p}/  http://127.0.0.1:{p}?a=b
http://127.0.0.1:{p}#x
http://[::1]:{p}/  http://[::]:{p}/  http://[0:0:0:0:0:0:0:1]:{p}/  http://[0000::0001]:{p}/  https://[::1]:{p}/
http://[::ffff:127.0.0.1]:{p}/  http://[::FFFF:7F00:1]:{p}/  http://[0:0:0:0:0:ffff:127.0.0.2]:{p}/
http://[::127.0.0.1]:{p}/  http://[::7f00:1]:{p}/  http://[::ffff:0:127.0.0.1]:{p}/  http://[::ffff:0.0.0.0]:{p}/
http://[64:ff9b::127.0.0.1]:{p}/  http://[64:ff9b::a9fe:a9fe]:{p}/  http://[64:ff9b::10.0.0.1]:{p}/
http://[64:ff9b:1::7f00:1]:{p}/  http://[2002:7f00:1::]:{p}/  http://[2002:a00:1::1]:{p}/
http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{p}/  http://[2a00:1450::5efe:127.0.0.1]:{p}/
http://localhost:{p}/  http://LocalHost:{p}/  http://localhost.:{p}/  http://localhost.localdomain:{p}/
http://loop.example:{p}/  http://loop6.example:{p}/  http://mapped.example:{p}/  http://nat64.example:{p}/
http://zero.example:{p}/  http://inside.example:{p}/  http://metadata.google.internal/computeMetadata/v1/
http://mixed.example:{p}/  http://mixed6.example:{p}/  http://lohäe.example:{p}/
http://10.0.0.1:{p}/  http://10.255.255.255:{p}/  http://172.16.0.1:{p}/  http://172.31.255.255:{p}/
http://192.168.1.1:{p}/  http://100.64.0.1:{p}/  http://100.127.255.254:{p}/  http://169.254.1.1:{p}/
http://169.254.169.254/latest/meta-data/  http://169.254.170.2/v2/credentials  http://[::ffff:169.254.169.254]/
http://100.100.100.200/latest/meta-data/  http://168.63.129.16/machine  http://192.0.0.192/opc/v1/
http://[fd00:ec2::254]/latest/  http://[fe80::1]:{p}/  http://[fc00::1]:{p}/  http://[fd12:3456::1]:{p}/
http://[fec0::1]:{p}/  http://[ff02::1]:{p}/  http://[2001:db8::1]:{p}/  http://[3fff::1]:{p}/  http://[100::1]:{p}/
http://[4000::1]:{p}/  http://[2001:2::1]:{p}/  http://192.0.2.1:{p}/  http://198.51.100.7:{p}/
http://203.0.113.9:{p}/  http://198.18.0.1:{p}/  http://192.88.99.1:{p}/  http://224.0.0.1:{p}/
http://239.255.255.250:1900/  http://240.0.0.1:{p}/  http://255.255.255.255:{p}/
""")

MALFORMED = [
    *urls("""
http://2130706433:{p}/  http://017700000001:{p}/  http://0x7f000001:{p}/  http://0x7F.0.0.1:{p}/  http://127.1:{p}/
http://127.0.1:{p}/  http://0177.0.0.1:{p}/  http://127.000.000.001:{p}/  http://0:{p}/  http://0x:{p}/
http://127.0.0.1..:{p}/  http://127.0.0.0x1:{p}/  http://1.2.3.4.5:{p}/  http://127.0.0.1.0x7f000001:{p}/
http://4294967296:{p}/  http://999.0.0.1:{p}/
http://user@127.0.0.1:{p}/  http://user:word@127.0.0.1:{p}/  http://public.example@127.0.0.1:{p}/
http://@127.0.0.1:{p}/  http://public.example:80@127.0.0.1:{p}/  http://127.0.0.1:{p}@public.example/
http://127.0.0.1:{p}\\@public.example/  http://public.example\\.127.0.0.1:{p}/  http:\\\\127.0.0.1:{p}/
http://%31%32%37.0.0.1:{p}/  http://127.0.0.1%00.public.example:{p}/  http://localhost%2e:{p}/  http://loc%61lhost:{p}/
http://[::1%25lo]:{p}/  http://[::1%lo]:{p}/  http://[fe80::1%25eth0]:{p}/  http://[::1:{p}/  http://::1:{p}/
http://[127.0.0.1]:{p}/  http://[::1]{p}/  http://[::1].public.example:{p}/  http://[:::1]:{p}/  http://[]:{p}/
http://１２７.０.０.１:{p}/  http://①②⑦.⓪.⓪.①:{p}/  http://ⓛocalhost:{p}/  http://127。0。0。1:{p}/
http://127.0.0.1:0/  http://127.0.0.1:65536/  http://127.0.0.1:-1/  http://127.0.0.1:{p}:80/  http://127.0.0.1:x/
http://127.0.0.1:99999999999/  http://127.0.0.1:８０/  http://:{p}/  http:///127.0.0.1:{p}/  http://  http://./
http://.localhost:{p}/  http://local..host:{p}/  http://-localhost:{p}/  http://local$host:{p}/  http://*:{p}/
http:127.0.0.1:{p}/  http:/127.0.0.1:{p}/  //127.0.0.1:{p}/  127.0.0.1:{p}  /etc/passwd  x
file:///etc/passwd  file://127.0.0.1:{p}/  ftp://127.0.0.1:{p}/  gopher://127.0.0.1:{p}/_GET  dict://127.0.0.1:{p}/
ldap://127.0.0.1:{p}/  ws://127.0.0.1:{p}/  unix:///var/run/docker.sock  jar:http://127.0.0.1:{p}/!/
data:text/plain,a  javascript:alert(1)  http+unix://%2Fvar%2Frun%2Fdocker.sock/  httpx://127.0.0.1:{p}/  url:http://127.0.0.1:{p}/
"""),
    "",
    " http://127.0.0.1:{p}/",
    "http://127.0.0.1:{p}/ ",
    "http://127.0.0.1 :{p}/",
    "http://127.0.0.1:{p}/\r\nX-Injected: 1",
    "http://127.0.0.1\r\n:{p}/",
    "http://127.0.0.1\t:{p}/",
    "ht\ntp://127.0.0.1:{p}/",
    "http://127.0.0.1\x00.public.example:{p}/",
    "http://127.0.0.1:{p}/\x7f",
    "http://127.0.0.1:{p}/\x85",
    "http://127.0.0.1:{p}/\u2028",
    "http://" + "a" * 64 + ":{p}/",
    "http://" + "a." * 127 + "localhost:{p}/",
    "http://127.0.0.1:{p}/" + "a" * 9000,
]


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """The resolver of these tests: NAMES and nothing else. Returns the list of names asked for."""
    asked = []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in NAMES[host]]
        rows = zip(kinds, NAMES[host], strict=True)
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port or 0)) for kind, address in rows]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def attempts(monkeypatch):
    """Every address that anything in this process tries to connect to; only loopback is really connected."""
    seen = []
    real = socket.socket.connect

    def connect(self, address):
        seen.append(address[:2])
        if not ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return seen


@pytest.fixture(scope="module")
def listeners():
    """One port on which three loopback addresses listen."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(listening())
        found = [first, stack.enter_context(listening(address="127.0.0.2", port=first.port))]
        with contextlib.suppress(OSError):  # a machine without IPv6
            found.append(stack.enter_context(listening(address="::1", port=first.port)))
        yield found


def seen_by(listeners):
    return sum(listener.connections for listener in listeners)


def test_the_tables_are_long_enough():
    assert len(set(REFUSED)) >= 60
    assert len(set(MALFORMED)) >= 60


@pytest.mark.parametrize(("table", "error"), [(REFUSED, Refused), (MALFORMED, BadUrl)], ids=["refused", "malformed"])
def test_hostile_urls_reach_nobody(table, error, listeners, attempts):
    before = seen_by(listeners)
    let_through = []
    for template in table:
        url = template.replace("{p}", str(listeners[0].port))
        try:
            outbound.request("GET", url, policy=STRICT, timeout_s=2, follow_redirects=True)
        except error:
            continue
        except Exception as other:  # noqa: BLE001  told with its URL below
            let_through.append((url, repr(other)))
        else:
            let_through.append((url, "answered"))
    assert let_through == []
    assert attempts == []
    assert seen_by(listeners) == before


def test_the_listeners_do_see_what_is_allowed(listeners):
    """The proof that the silence above means something."""
    for listener in listeners:
        before = listener.connections
        reply = outbound.request("GET", listener.url(), policy=Policy(allow_loopback=True), timeout_s=2)
        assert (reply.status, reply.body, reply.peer) == (200, b"ok", listener.address)
        assert listener.connections == before + 1


def test_malformed_urls_are_malformed_under_any_policy(listeners, attempts):
    for template in MALFORMED:
        with pytest.raises(BadUrl):
            outbound.request("GET", template.replace("{p}", str(listeners[0].port)), policy=EVERYTHING)
    assert attempts == []


@pytest.mark.parametrize(
    "host",
    urls("""
169.254.169.254 169.254.0.1 [fe80::1] [fd00:ec2::254] [::ffff:169.254.169.254] [64:ff9b::a9fe:a9fe]
0.0.0.0 [::] 100.100.100.200 168.63.129.16 224.0.0.1 255.255.255.255 [ff02::1] [2002:a9fe:a9fe::]
metadata.google.internal
"""),
)
def test_metadata_and_link_local_stay_closed_even_when_listed(host, attempts):
    with pytest.raises(Refused):
        outbound.request("GET", f"http://{host}/", policy=EVERYTHING, timeout_s=2)
    assert attempts == []


@pytest.mark.parametrize(
    ("policy", "address", "allowed"),
    [
        (Policy(), "93.184.216.34", True),
        (Policy(), "2606:2800:220:1:248:1893:25c8:1946", True),
        (Policy(), "64:ff9b::5db8:d822", True),  # a public IPv4 address behind NAT64
        (Policy(), "::ffff:93.184.216.34", True),
        (Policy(), "172.32.0.1", True),
        (Policy(), "100.128.0.1", True),
        (Policy(allow=(ip_network("10.1.0.0/16"),)), "10.1.2.3", True),
        (Policy(allow=(ip_network("10.1.0.0/16"),)), "::ffff:10.1.2.3", True),
        (Policy(allow=(ip_network("10.1.0.0/16"),)), "64:ff9b::a01:203", True),
        (Policy(allow=(ip_network("10.1.0.0/16"),)), "10.2.0.1", False),
        (Policy(allow=(ip_network("10.1.0.0/16"),)), "127.0.0.1", False),
        (Policy(allow=(ip_network("2002::/16"),)), "2002:a00:1::", False),  # hides 10.0.0.1
        (Policy(allow=(ip_network("fd12::/16"),)), "fd12::5", True),
        (Policy(allow_loopback=True), "127.9.9.9", True),
        (Policy(allow_loopback=True), "::1", True),
        (Policy(allow_loopback=True), "10.0.0.1", False),
        (Policy(deny=(ip_network("93.184.216.0/24"),)), "93.184.216.34", False),
        (Policy(deny=(ip_network("93.184.216.0/24"),)), "64:ff9b::5db8:d822", False),
        (Policy(allow=(ip_network("10.0.0.0/8"),), deny=(ip_network("10.5.0.0/16"),)), "10.5.0.1", False),
        (Policy(allow_loopback=True, deny=(ip_network("127.0.0.0/8"),)), "127.0.0.1", False),
    ],
)
def test_policy(policy, address, allowed):
    expected = contextlib.nullcontext() if allowed else pytest.raises(Refused, match="^host.example is not")
    with expected:
        policy.check(ip_address(address), "host.example")


def test_the_default_policy_is_that_of_the_settings(settings):
    settings.OUTBOUND_ALLOW = [ip_network("10.0.0.0/8")]
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    assert outbound.resolve("inside.example") == [ip_address("10.0.0.8")]
    with pytest.raises(Refused):
        outbound.resolve("localhost")
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    assert outbound.resolve("localhost") == [ip_address("127.0.0.1"), ip_address("::1")]
    with pytest.raises(Refused):
        outbound.resolve("localhost", policy=outbound.default_policy(deny=[ip_network("::1/128")]))


def test_a_name_is_looked_up_once_and_the_connection_goes_to_that_answer(listeners, names, monkeypatch):
    """DNS rebinding: the second answer would be the forbidden 127.0.0.1."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
    known = socket.getaddrinfo

    def rebinding(host, *args, **kwargs):
        monkeypatch.setitem(NAMES, "rebind.example", next(answers))
        return known(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    policy = Policy(allow=(ip_network("127.0.0.2/32"),))
    forbidden = listeners[0].connections
    reply = outbound.request("GET", listeners[1].url(host="rebind.example"), policy=policy)
    assert (reply.status, reply.peer, names) == (200, "127.0.0.2", ["rebind.example"])
    assert f"Host: rebind.example:{reply.url.split(':')[2].strip('/')}".encode() in listeners[1].requests[-1]
    with pytest.raises(Refused):
        outbound.request("GET", listeners[1].url(host="rebind.example"), policy=policy)
    assert listeners[0].connections == forbidden


def test_the_connection_goes_to_the_public_answer_and_nowhere_else(attempts, names):
    with pytest.raises(Unreachable, match="public.example refused the connection on port 8443"):
        outbound.request("GET", "https://public.example:8443/", policy=STRICT)
    assert attempts == [("93.184.216.34", 8443)]
    assert names == ["public.example"]


def test_one_forbidden_answer_closes_the_name(attempts):
    with pytest.raises(Refused, match="mixed.example"):
        outbound.resolve("mixed.example", policy=STRICT)
    with pytest.raises(Refused):
        outbound.connect("mixed.example", 25, policy=STRICT)
    assert attempts == []


def test_connect_gives_other_protocols_a_judged_socket(listeners):
    with outbound.connect("localhost", listeners[0].port, policy=Policy(allow_loopback=True)) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sock.recv(15).startswith(b"HTTP/1.1 200")


def test_the_next_address_is_tried_when_one_does_not_answer(monkeypatch):
    monkeypatch.setitem(NAMES, "two.example", ["127.0.0.3", "127.0.0.1"])
    with listening() as listener:
        reply = outbound.request("GET", listener.url(host="two.example"), policy=Policy(allow_loopback=True))
    assert reply.peer == "127.0.0.1"


def test_unknown_names_and_malformed_hosts():
    with pytest.raises(Unreachable, match="no-such.example"):
        outbound.resolve("no-such.example", policy=STRICT)
    for host in ("", "a b", "127.1", "fe80::1%eth0", "a" * 64, "a\r\nb", "user@host"):
        with pytest.raises(BadUrl):
            outbound.resolve(host, policy=EVERYTHING)


def test_check_url_judges_without_a_look_up(names):
    assert outbound.check_url("https://Public.Example/a b".replace(" ", "%20"), STRICT).url == (
        "https://public.example/a%20b"
    )
    assert outbound.check_url("http://loop.example/", STRICT).host == "loop.example"
    with pytest.raises(Refused):
        outbound.check_url("http://127.0.0.1/", STRICT)
    with pytest.raises(BadUrl):
        outbound.check_url("ftp://public.example/", STRICT)
    assert names == []


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("http://example.com.:80/a", "http://example.com/a"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:80", "https://example.com:80/"),
        ("http://example.com?q=ü#part", "http://example.com/?q=%C3%BC"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://[2606:2800:220:1:0:0:0:1]:8080/", "http://[2606:2800:220:1::1]:8080/"),
        ("http://a_b.example/x@y", "http://a_b.example/x@y"),
        ("http://1and1.example/", "http://1and1.example/"),
    ],
)
def test_parse_url(url, canonical):
    assert outbound.parse_url(url).url == canonical
