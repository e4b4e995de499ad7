"""Somebody leaves (J10), and the auditor who reads about it (J12): in a real browser, by the keyboard alone."""

import re
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.console import Console
from tests.support.keys import Keyboard
from tests.support.pages import PASSWORD, PHONE, WIDE, Visit, grave_findings, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]
LEAVER, CLOSED_WITHIN_S = "leaver@example.org", 25  # promised are 5


@pytest.fixture(scope="module")
def site(chromium: Any, embedded_product: Any) -> SimpleNamespace:
    """A person with a key, an open socket, a key on a machine, and a secret that they have set."""
    state = sign_up(embedded_product, chromium)
    url = embedded_product.url
    console = Console(url, embedded_product.new_key("ADMIN"))
    person = {"email": LEAVER, "name": "Lee Aver", "password": PASSWORD, "role": "OPERATOR"}
    person_id = console.post("/api/v1/admin/users", person, expect=201)["id"]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.get_by_label("E-mail address").fill(LEAVER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")
    made = context.request.post(f"{url}/api/v1/me/api-keys", data={"name": "laptop"})
    theirs = Console(url, made.json()["key"])
    machine = console.post("/api/v1/instances", {"name": "leaving-1", "provider": "ssh"}, expect=201)["id"]
    key = {"instanceId": machine, "fingerprint": "SHA256:" + "a" * 43, "keyType": "ed25519", "comment": LEAVER}
    console.post("/api/v1/security/ssh-keys", key, expect=201)
    theirs.post("/api/v1/secrets", {"name": "deploy-password", "value": "swordfish"}, expect=201)
    return SimpleNamespace(
        url=url, state=state, chromium=chromium, console=console, person=person_id, theirs=theirs, leaver=context
    )


def looked_at(visit: Visit) -> None:
    """Readable for everybody, light and dark, and on a phone."""
    visit.check(weight=False)
    visit.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert not grave_findings(visit.page)
    visit.page.set_viewport_size(PHONE)
    assert not visit.scrolls_sideways()
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit.page.set_viewport_size(WIDE)


def test_somebody_leaves_and_an_auditor_reads_about_it(site: SimpleNamespace) -> None:
    context = site.chromium.new_context(viewport=WIDE, storage_state=site.state)
    visit = Visit(context.new_page(), site.url)
    page, keys = visit.page, Keyboard(visit.page)
    socket = site.theirs.browser_socket()

    visit.open("/settings/users/")
    keys.skip()
    keys.press(page.get_by_role("link", name="Lee Aver"))
    keys.press(page.get_by_role("link", name="Off-board…"))
    page.get_by_role("heading", name="Off-board Lee Aver").wait_for()
    for thing in ("1 session", "1 API key", f"{LEAVER} on leaving-1", "deploy-password, set"):
        page.get_by_text(thing).first.wait_for()
    looked_at(visit)
    keys.write(page.get_by_label(f"Type {LEAVER} to confirm"), LEAVER)
    keys.press(page.get_by_role("button", name="Off-board Lee Aver"))
    done = (
        "1 API key revoked, 1 session ended, 1 SSH key revoked, 1 secret marked for rotation, signing in switched off"
    )
    page.get_by_text(done).wait_for()

    with socket, suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=CLOSED_WITHIN_S)
    site.theirs.get("/api/v1/me", expect=401)
    site.leaver.pages[0].goto(f"{site.url}/")
    site.leaver.pages[0].wait_for_url(re.compile("/login/"))

    visit.open("/audit/")
    keys.skip()
    keys.write(page.get_by_label("On what"), "user")
    keys.press(page.get_by_role("button", name="Filter"))
    page.wait_for_url(re.compile("resource=user"))
    keys.press(page.get_by_role("group").filter(has_text="1 changed").first.locator("summary"))
    compared = page.get_by_role("table", name="Before and after").first
    compared.get_by_role("row", name="is active").filter(has_text="changed").wait_for()
    looked_at(visit)
    visit.open("/audit/")
    keys.skip()
    keys.press(page.get_by_role("button", name="Verify chain"))
    page.get_by_text("The log is whole.").wait_for()
    looked_at(visit)
    context.close()
    site.leaver.close()
