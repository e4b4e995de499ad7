from pathlib import Path

import pytest
from pharos_agent.config import Config, ConfigError, load

KEY = "sk-" + "a" * 48


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "PHAROS_URL": "https://pharos.example.com/",
        "PHAROS_AGENT_KEY": KEY,
        "PHAROS_AGENT_STATE_DIR": str(tmp_path / "state"),
    }


def faults(argv: list[str], environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(argv, environ)
    return "\n".join(caught.value.faults)


def test_defaults(environ: dict[str, str], tmp_path: Path) -> None:
    config = load([], environ)
    assert config.url == "https://pharos.example.com"
    assert (config.provider, config.region, config.tags) == ("ssh", None, {})
    assert (config.heartbeat_s, config.metrics_s) == (30, 60)
    assert config.state_dir == tmp_path / "state"
    assert (tmp_path / "state" / "instance-id").read_text().strip() == config.instance_id
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_the_names_of_the_fleet_console_agent_work(tmp_path: Path) -> None:
    config = load(
        ["--state-dir", str(tmp_path)],
        {
            "SINDRI_CONSOLE_URL": "http://127.0.0.1:8000",
            "SINDRI_CONSOLE_API_KEY": KEY,
            "SINDRI_INSTANCE_ID": "db-1",
            "SINDRI_PROVIDER": "k8s",
            "SINDRI_REGION": "eu-1",
            "SINDRI_AGENT_TAGS": "role=db, rack = 7,note=a=b",
            "SINDRI_AGENT_HEARTBEAT": "15",
            "SINDRI_AGENT_METRICS": "1m",
            "SINDRI_LOG_LEVEL": "DEBUG",
        },
    )
    assert config == Config(
        url="http://127.0.0.1:8000",
        key=KEY,
        instance_id="db-1",
        provider="kubernetes",
        region="eu-1",
        tags={"role": "db", "rack": "7", "note": "a=b"},
        heartbeat_s=15,
        metrics_s=60,
        state_dir=tmp_path,
        log_level="debug",
    )


def test_flags_come_before_pharos_names_and_these_before_synonyms(environ: dict[str, str]) -> None:
    environ |= {"PHAROS_INSTANCE_ID": "b", "SINDRI_INSTANCE_ID": "c", "SINDRI_AGENT_METRICS": "20"}
    assert load(["--instance-id", "a"], environ).instance_id == "a"
    config = load([], environ)
    assert (config.instance_id, config.metrics_s) == ("b", 20)


def test_the_key_can_come_from_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}2\n")
    assert load(["--key-file", str(tmp_path / "key")], environ).key == f"{KEY}2"
    del environ["PHAROS_AGENT_KEY"]
    environ["PHAROS_AGENT_KEY_FILE"] = str(tmp_path / "key")
    assert load([], environ).key == f"{KEY}2"


def test_the_key_is_not_part_of_the_printed_configuration(environ: dict[str, str]) -> None:
    assert KEY not in repr(load([], environ))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(
        ["--key-file", str(tmp_path / "none"), "--heartbeat-s", "soon"],
        {
            "PHAROS_URL": "pharos.example.com",
            "PHAROS_INSTANCE_ID": "a b",
            "PHAROS_PROVIDER": "moon",
            "PHAROS_REGION": "x" * 65,
            "PHAROS_AGENT_TAGS": "lonely",
            "PHAROS_AGENT_METRICS": "0.5",
            "PHAROS_AGENT_STATE_DIR": "/dev/null/state",
            "PHAROS_LOG_LEVEL": "loud",
            "PHAROS_AGENT_PARENT_PID": "me",
        },
    )
    for name in (
        "PHAROS_URL", "--key-file", "--heartbeat-s", "PHAROS_INSTANCE_ID", "PHAROS_PROVIDER", "PHAROS_REGION",
        "PHAROS_AGENT_TAGS", "PHAROS_AGENT_METRICS", "PHAROS_AGENT_STATE_DIR", "PHAROS_LOG_LEVEL",
        "PHAROS_AGENT_PARENT_PID",
    ):  # fmt: skip
        assert name in told
    assert len(told.splitlines()) == 11


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://a", "http://", "http:///x", "http://a:99999", "http://a:0", "http://a b", "http://[::1",
        "http://user:secret@a", "http://a?x=1", "http://a#x", "https://é.example", "http://a..b",
        "http://a\x01b", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_bad_addresses(environ: dict[str, str], url: str) -> None:
    told = faults([], environ | {"PHAROS_URL": url})
    assert "PHAROS_URL" in told
    assert "secret" not in told


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Evil: 1", "é", "a" * 513])
def test_bad_keys(environ: dict[str, str], key: str) -> None:
    told = faults([], environ | {"PHAROS_AGENT_KEY": key})
    assert "PHAROS_AGENT_KEY" in told
    assert not key or key not in told


@pytest.mark.parametrize("interval", ["0", "-1", "0.9s", "2h", "1d", "nan", "inf", "1e3", "٣", "999ms"])
def test_bad_intervals(environ: dict[str, str], interval: str) -> None:
    assert "between 1 s and 1 h" in faults([], environ | {"PHAROS_AGENT_HEARTBEAT": interval})


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://10.0.0.1", False),
        ("https://localhost.example.com", False),
    ],
)
def test_a_server_on_this_machine_is_recognised(environ: dict[str, str], url: str, loopback: bool) -> None:
    assert load([], environ | {"PHAROS_URL": url}).is_loopback is loopback
