"""Variables of a deployment whose values are read from the vault (docs/vault.md)."""

import stat

import pytest
import yaml

from fleet.deployments.models import Deployment
from tests.factories import make_secret, make_team
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db
URL = "/api/v1/instances"
VALUE = "tiger-4711-lily"
CONFIG = """
name: web-1
env:
  MODE: quick
  DB_PASSWORD: "{{secret:DB}}"
secrets:
  - name: API_KEY
    value: "key {{secret:DB}}"
  - "PLAIN={{secret:DB}}"
"""


@pytest.fixture
def program(settings, tmp_path):
    """In the place of `sindri`: writes down its environment and file, and complains about what it was given."""
    file = tmp_path / "sindri"
    file.write_text(
        f'#!/bin/sh\nenv > {tmp_path}/env\nfor last; do :; done\ncp "$last" {tmp_path}/given\n'
        f'[ ! -e {tmp_path}/broken ] || {{ echo "no entry for $DB_PASSWORD" >&2; exit 3; }}\n'
    )
    file.chmod(stat.S_IRWXU)
    settings.SINDRI_CLI, settings.PROVIDER_DRIVERS = str(file), {"fly": "sindri-cli"}
    return tmp_path


@pytest.fixture
def deploy(api, program, eager_tasks, django_capture_on_commit_callbacks):
    """`deploy(instance, config)` redeploys it and is the row of what came of it."""

    def act(instance, config=CONFIG):
        with django_capture_on_commit_callbacks(execute=True):
            answer = api("OPERATOR").post(f"{URL}/{instance.pk}/redeploy", {"config": config} if config else {})
        assert answer.status_code == 200, answer.content
        return Deployment.objects.get(pk=answer.json()["deploymentId"])

    return act


def test_the_program_gets_values_through_its_environment_only(deploy, program):
    instance = make_instance(provider="fly")
    make_secret("DB", "of everybody", scope=("deployments",))
    make_secret("DB", VALUE, scope=("deployments",), instance=instance)
    row = deploy(instance)
    env = dict(line.partition("=")[::2] for line in (program / "env").read_text().splitlines())
    assert (env["DB_PASSWORD"], env["API_KEY"], env["PLAIN"]) == (VALUE, f"key {VALUE}", VALUE)
    given = yaml.safe_load((program / "given").read_text())
    assert given["env"] == {"MODE": "quick", "DB_PASSWORD": "${DB_PASSWORD}"}
    assert given["secrets"] == [{"name": "API_KEY", "value": "${API_KEY}"}, "PLAIN=${PLAIN}"]
    assert (row.status, row.yaml_content) == ("SUCCEEDED", CONFIG)
    (program / "broken").touch()
    row = deploy(instance)
    assert (row.status, row.error) == ("FAILED", "sindri deploy ended with code 3: no entry for ********")


def test_without_its_secret_nothing_is_deployed(deploy, program):
    instance = make_instance(provider="fly", status="RUNNING")
    secret = make_secret("DB", VALUE, scope=("deployments",))
    deploy(instance)
    (program / "env").unlink()
    secret.delete()
    row = deploy(instance, config=None)
    instance.refresh_from_db()
    assert (row.status, row.error) == ("FAILED", "There is no secret 'DB'. Nothing was changed on any machine.")
    assert instance.status == "RUNNING" and not (program / "env").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('env: {A: "{{secret:NONE}}"}', "There is no secret 'NONE'"),
        ('env: {A: "{{secret:MONITORS}}"}', "its scope does not name 'deployments'"),
        ('name: "{{secret:DB}}"', "in a value of env or secrets and nowhere else"),
        ('env: {LD_PRELOAD: "{{secret:DB}}"}', "called 'LD_PRELOAD' cannot take its value"),
        ('secrets: [{name: "a b", value: "{{secret:DB}}"}]', "called 'a b' cannot take its value"),
        ("env: {A: {{secret:DB}}}", "A {{secret:NAME}} stands in quotes"),
    ],
)
def test_a_configuration_that_cannot_get_its_secret_is_refused(api, config, said):
    make_secret("DB", VALUE, scope=("deployments",))
    make_secret("MONITORS", VALUE, scope=("monitors",))
    instance = make_instance(provider="fly")
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/redeploy", {"config": config})
    assert answer.status_code == 422 and said in answer.json()["details"]["fieldErrors"]["config"][0]
    assert not Deployment.objects.exists()


def test_an_operator_of_a_team_may_name_its_own_secrets_and_no_global_ones(api, program):
    team = make_team()
    instance = make_instance(provider="fly", team=team)
    make_secret("EVERYWHERE", VALUE, scope=("deployments",))
    make_secret("OWN", VALUE, scope=("deployments",), instance=instance)
    client = api("VIEWER", teams={team: "OPERATOR"})
    refused = client.post(f"{URL}/{instance.pk}/redeploy", {"config": 'env: {A: "{{secret:EVERYWHERE}}"}'})
    assert refused.status_code == 403 and "'EVERYWHERE' needs the OPERATOR role" in refused.json()["message"]
    assert client.post(f"{URL}/{instance.pk}/redeploy", {"config": 'env: {A: "{{secret:OWN}}"}'}).status_code == 200
