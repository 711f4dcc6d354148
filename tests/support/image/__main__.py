"""`python -m tests.support.image`: build the image, start compose.yaml's services, and use the console in them."""

import base64
import ctypes
import hmac
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import httpx

from tests.support.image.compose import GATEWAY, PATIENCE_S, PROXY, Composition, users_of
from tests.support.image.dockerfile import build, mount

NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000
PASSWORD = "correct horse battery staple"
SIGN_IN = "/accounts/login/"
SECOND_FACTOR = "/accounts/2fa/"


def main() -> int:
    """Work in a process of its own: its namespaces, with all that is mounted in them, end with it."""
    directory = Path(tempfile.mkdtemp(prefix="image-"))
    process = os.fork()
    if process:
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        directory.rmdir()
        return status
    try:
        _build_and_use(directory)
    except BaseException:  # noqa: BLE001 - the child of a fork must not return
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _build_and_use(directory: Path) -> None:
    _unshare(NEW_MOUNTS)
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", str(directory))
    image = build(directory)
    _look_into(image.merged / "srv/console")
    _unshare(NEW_NETWORK)
    composition = Composition(directory, image)
    try:
        composition.up()
        _use(composition)
    except BaseException:
        for service in composition.containers:
            if (directory / f"{service}.log").exists():
                print(f"--- {service}\n{composition.log(service)[-2500:]}")
        raise
    finally:
        codes = composition.down()
    print("stopped:", codes, flush=True)
    assert set(codes.values()) <= {0}, codes


def _look_into(tree: Path) -> None:
    files = [path for path in tree.rglob("*") if ".venv" not in path.parts]
    forbidden = [path for path in files if {"sandbox", "demo", "tests", ".git", ".env"} & set(path.parts)]
    assert not [path for path in forbidden if path.is_relative_to(tree)], forbidden[:3]
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"image: {len(files)} files beside .venv, {size / 1e6:.0f} MB with it; no sandbox, demo or tests")


def _use(composition: Composition) -> None:
    console, worker = composition.containers["console"], composition.containers["worker"]
    created = console.run(
        ["python", "manage.py", "bootstrap", "--organization", "Acme", "--slug", "acme", "--email", "ada@acme.test"]
    )
    link = re.search(r"https?://\S+", created.stdout.decode())
    assert link, created.stdout
    with httpx.Client(base_url=f"http://{PROXY}:8080", headers={"Host": "localhost:8080"}) as browser:
        page = browser.get(SIGN_IN)
        assert page.status_code == 200, page.text
        styles = re.findall(r'<link[^>]+href="(/static/[^"]+\.css)"', page.text)
        assert styles
        assert browser.get(styles[0]).status_code == 200
        _choose_password(browser, httpx.URL(link.group()).path)
        signed_in = _send(browser, SIGN_IN, {"login": "ada@acme.test", "password": PASSWORD})
        assert signed_in.status_code == 302, signed_in.text
        assert browser.get("/o/acme/users/").headers.get("location") == SECOND_FACTOR
        _set_up_second_factor(browser)
        list_page = browser.get("/o/acme/users/")
        assert list_page.status_code == 409, list_page.text
        assert "not connected to PingOne" in list_page.text
        assert f'"source_address": "{GATEWAY}"' in composition.log("console"), "not the browser's own address"
        deadline = time.monotonic() + PATIENCE_S
        while "worker: running" not in (ready := browser.get("/readyz").text):
            assert time.monotonic() < deadline, ready
            time.sleep(0.5)
        print("console:", *ready.splitlines(), sep=" | ")

    for container in (console, worker):
        assert container.process
        assert users_of(container.process.pid) == {10001}
    usual, console.user = console.user, "root"
    for path in ("console/new.py", "staticfiles/new", ".venv/new", "/etc/new"):
        assert console.run(["touch", path], stderr=subprocess.DEVNULL).returncode, path
    console.user = usual
    healthy = console.run(console.health).returncode
    saved = console.run(["python", "manage.py", "backup", "-"]).stdout
    assert saved.startswith(b"PGDMP")
    print(f"read-only, user 10001, health check {healthy}, backup of {len(saved):,} bytes")


def _choose_password(browser: httpx.Client, path: str) -> None:
    form = browser.get(path, follow_redirects=True)
    chosen = _send(browser, form.url.path, {"password1": PASSWORD, "password2": PASSWORD})
    assert chosen.status_code == 302, chosen.text


def _set_up_second_factor(browser: httpx.Client) -> None:
    _send(browser, "/accounts/reauthenticate/", {"password": PASSWORD})  # allauth asks once more, however fresh
    form = browser.get(f"{SECOND_FACTOR}totp/activate/")
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', form.text)
    assert secret, form.text
    set_up = _send(browser, form.url.path, {"code": _code_of_app(secret[1])})
    assert set_up.status_code == 302, set_up.text


def _code_of_app(secret: str) -> str:
    """Return the code that an authenticator app shows now (RFC 6238)."""
    counter = int(time.time() // 30).to_bytes(8, "big")
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, counter, "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


def _send(browser: httpx.Client, path: str, data: dict[str, str]) -> httpx.Response:
    token = browser.cookies["console_csrf"]
    headers = {"X-CSRFToken": token, "Origin": "http://localhost:8080"}
    return browser.post(path, data=data, headers=headers)


def _unshare(what: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(what):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    sys.exit(main())
