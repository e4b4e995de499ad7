"""Pages of compliance, SSH keys and rotations: what they tell, and the forms behind them."""

import pytest

from security.rotations.models import Rotation
from security.ssh_keys.models import ServerKey, SshKey
from tests.factories import make_team
from tests.security.posture.making import NOW, ago, make_finding, make_instance, make_rotation, make_ssh_key

LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA someone@laptop"


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_compliance_shows_each_control_with_its_evidence(browser):
    web = make_instance(name="web")
    finding = make_finding(web, "CRITICAL", due_at=ago(1))
    for _ in range(21):
        make_finding(web, "HIGH")
    make_rotation(web, secret_name="payments")
    make_ssh_key(web, key_type="ssh-dss", comment="old@laptop")
    page = text_of(browser().get("/security/compliance/"))
    assert page.count("Does not hold") == 4 and page.count("</span> Holds") == 1
    assert f'/security/findings/{finding.pk}/">{finding.cve_id} in openssl 3.0.1</a>' in page
    assert "should have been fixed" in page and "never rotated" in page and "old@laptop (ssh-dss 256 bit)" in page
    assert "The 20 most urgent:" in page and ">21 open high vulnerabilities in the list</a>" in page
    assert "never told what is installed" in page or "No archive of advisories was imported yet" in page
    hidden = make_instance(team=make_team())
    assert browser().get(f"/security/compliance/?instance={hidden.pk}").status_code == 404
    only = text_of(browser().get(f"/security/compliance/?instance={make_instance(name='fine').pk}"))
    assert "Only fine" in only and "Does not hold" not in only


def test_rotations_are_entered_and_marked(browser):
    client, web = browser(), make_instance(name="web")
    assert "Enter a rotation" in text_of(client.get("/security/rotations/"))
    form = {"instance_id": web.pk, "secret_name": "payments", "secret_type": "API key", "rotation_days": 30}
    for wrong in ({"last_rotated_at": "2026-03-03"}, {"last_rotated_at": "0001-01-01"}, {"rotation_days": 0}):
        assert client.post("/security/rotations/new/", form | wrong).status_code == 422
    assert client.post("/security/rotations/new/", form | {"instance_id": "nowhere"}).status_code == 422
    assert client.post("/security/rotations/new/", form | {"last_rotated_at": "2026-01-01"}).status_code == 302
    row = Rotation.objects.get()
    client.post("/security/rotations/new/", form | {"rotation_days": 31})
    row.refresh_from_db()
    assert (row.rotation_days, row.is_overdue(NOW), row.days_since(NOW)) == (31, True, 60)
    page = text_of(client.get("/security/rotations/?overdue=yes"))
    assert "Mark payments on web as rotated now" in page and "Overdue <" in page
    assert "Noted: payments on web was rotated now." in text_of(
        client.post(f"/security/rotations/{row.pk}/rotate/", follow=True)
    )
    assert "No rotation is overdue" in text_of(client.get("/security/rotations/?overdue=yes"))


def test_a_pasted_key_is_kept_by_its_fingerprint_and_revoked(browser):
    client, web = browser(), make_instance(name="web")
    for line in ("nonsense", "-----BEGIN OPENSSH PRIVATE KEY-----"):
        answer = client.post("/security/ssh-keys/new/", {"instance_id": web.pk, "public_key": line})
        assert answer.status_code == 422
    given = {"instance_id": web.pk, "public_key": LINE, "expires_at": "2026-03-01"}
    assert client.post("/security/ssh-keys/new/", given).status_code == 302
    key = SshKey.objects.get()
    assert (key.fingerprint[:12], key.comment, key.key_bits) == ("SHA256:kmYcv", "someone@laptop", 256)
    page = text_of(client.get("/security/ssh-keys/?status=expired"))
    assert "someone@laptop" in page and 'aria-current="page">Expired <span class="muted">1</span>' in page
    assert "must not open web any more" in text_of(client.get(f"/security/ssh-keys/{key.pk}/revoke/"))
    assert client.post(f"/security/ssh-keys/{key.pk}/revoke/").status_code == 302
    SshKey.objects.update(seen_at=NOW)
    assert "Still on the machine" in text_of(client.get("/security/ssh-keys/?status=revoked"))


def test_keys_sort_by_age_and_owner_and_weak_ones_stand_out(browser):
    web = make_instance()
    for comment, days in (("b@old", 900), ("c@new", 1), ("a@middle", 30)):
        key = make_ssh_key(web, comment=comment, key_type="ssh-rsa", key_bits=1024 if days == 30 else 4096)
        SshKey.objects.filter(pk=key.pk).update(created_at=ago(days))
    client = browser()

    def order(query: str) -> list[str]:
        page = text_of(client.get(f"/security/ssh-keys/{query}"))
        return sorted(("b@old", "c@new", "a@middle"), key=lambda name: page.index(f'<th scope="row">{name}'))

    assert order("") == ["b@old", "a@middle", "c@new"]
    assert order("?sort=owner") == ["a@middle", "b@old", "c@new"]
    assert order("?sort=-age&status=nonsense") == ["c@new", "a@middle", "b@old"]
    weak = text_of(client.get("/security/ssh-keys/?weak=yes"))
    assert "a@middle" in weak and "b@old" not in weak and "</span> Weak</span>" in weak


def test_only_administrators_make_the_servers_key(browser):
    assert browser("OPERATOR").post("/security/server-key/generate/").status_code == 403
    admin = browser("ADMIN")
    assert "Make a key" in text_of(admin.get("/security/ssh-keys/"))
    admin.post("/security/server-key/generate/")
    made = ServerKey.objects.get().public_key
    assert "There is a server key." in text_of(admin.post("/security/server-key/generate/", follow=True))
    page = text_of(browser().get("/security/ssh-keys/"))
    assert made in page and "PRIVATE" not in page and "Make another" not in page
    admin.post("/security/server-key/generate/", {"replace": "yes"})
    assert ServerKey.objects.get().public_key != made


def test_strict_roles_hide_what_a_viewer_may_not_do(browser, settings):
    settings.STRICT_ROLES = True
    row, key = make_rotation(make_instance()), make_ssh_key(make_instance())
    viewer = browser()
    assert "Mark " not in text_of(viewer.get("/security/rotations/"))
    assert "Enter a key" not in text_of(viewer.get("/security/ssh-keys/"))
    assert viewer.post(f"/security/rotations/{row.pk}/rotate/").status_code == 403
    assert viewer.get(f"/security/ssh-keys/{key.pk}/revoke/").status_code == 403
    given = {"instance_id": key.instance_id, "public_key": LINE}
    assert viewer.post("/security/ssh-keys/new/", given).status_code == 422
