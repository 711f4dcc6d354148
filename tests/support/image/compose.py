"""The services of compose.yaml, each a process in its image's read-only files and with an address of its own."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.image.dockerfile import PATH, ROOT, Stage, furnish, mount

GATEWAY = "172.31.250.1"
PROXY = "172.31.250.10"
PATIENCE_S = 120.0


@dataclass
class Container:
    name: str
    address: str
    root: Path
    definition: dict[str, Any]
    environment: dict[str, str]
    user: str
    workdir: str
    command: list[str]
    health: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start its command, or another one in it, as its user."""
        ids = [] if self.user == "root" else [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        inside = ["setpriv", "--no-new-privs", *ids, "env", f"--chdir={self.workdir}", *(command or self.command)]
        namespace = ["ip", "netns", "exec", self.name]
        return subprocess.Popen(
            [*namespace, "chroot", str(self.root), *inside], env={"PATH": PATH} | self.environment, **options
        )

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        process = self.start(command, stdout=subprocess.PIPE, **options)
        printed, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, printed)


def definitions() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def in_order(services: dict[str, dict[str, Any]]) -> list[str]:
    """Return the services' names, each after those that it waits for."""
    order: list[str] = []
    while len(order) < len(services):
        order += [
            name for name in services if name not in order and set(services[name].get("depends_on", {})) <= set(order)
        ]
    return order


class Composition:
    """All containers, on one bridge."""

    def __init__(self, directory: Path, image: Stage) -> None:
        self.directory = directory
        self.image = image
        self.containers: dict[str, Container] = {}
        self.volumes: dict[str, Path] = {}
        mount("-t", "tmpfs", "tmpfs", "/run")  # of this mount namespace: the machine's own stays
        _ip("link", "add", "bridge0", "type", "bridge")
        _ip("addr", "add", f"{GATEWAY}/24", "dev", "bridge0")
        _ip("link", "set", "bridge0", "up")

    def up(self) -> None:
        """Start the services in their order, each once those that it waits for are complete or healthy."""
        services = definitions()
        for number, name in enumerate(in_order(services)):
            for waited, how in services[name].get("depends_on", {}).items():
                self._wait(self.containers[waited], how["condition"])
            container = self._create(name, services[name], PROXY if name == "proxy" else f"172.31.250.{128 + number}")
            self.containers[name] = container
            log_file = self.directory / f"{name}.log"
            log_file.touch(mode=0o666)
            log_file.chmod(0o666)  # nginx opens /dev/stderr again, as its own user
            with log_file.open("wb") as log:
                container.process = container.start(stdout=log, stderr=subprocess.STDOUT)
            print(f"started {name}: {' '.join(container.command)[:90]}", flush=True)

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def down(self) -> dict[str, int]:
        """Stop the services as `docker compose stop` does and return their exit codes."""
        running = {
            name: c.process for name, c in reversed(self.containers.items()) if c.process and c.process.poll() is None
        }
        for name, process in running.items():
            process.send_signal(signal.SIGINT if name == "database" else signal.SIGTERM)  # the images' STOPSIGNAL
            process.wait(timeout=40)
        return {name: process.returncode for name, process in running.items()}

    def _create(self, name: str, definition: dict[str, Any], address: str) -> Container:
        ours = definition.get("image") == "pingone-console"
        environment = {key: _filled(value) for key, value in definition.get("environment", {}).items()}
        container = Container(
            name=name,
            address=address,
            root=self._files(name, definition),
            definition=definition,
            environment=(self.image.environment if ours else {}) | environment,
            user=self.image.user if ours else definition.get("user", "root").partition(":")[0],
            workdir=self.image.workdir if ours else "/",
            command=definition.get("command") or self.image.command,
            health=definition.get("healthcheck", {}).get("test", self.image.health)[0 if ours else 1 :],
        )
        self._connect(container)
        if name == "database":
            _prepare_database(container)
        return container

    def _files(self, name: str, definition: dict[str, Any]) -> Path:
        """Lay the image's files out, read-only, with the volumes on top."""
        root = self.directory / name
        root.mkdir()
        lower = f"{self.image.files}:/"  # other images: their packages are on this machine
        if definition.get("read_only"):
            mount("-t", "overlay", "overlay", "-o", f"ro,lowerdir={lower}", str(root))
        else:
            for folder in (f"{root}.upper", f"{root}.work"):
                Path(folder).mkdir()
            options = f"lowerdir={lower},upperdir={root}.upper,workdir={root}.work"
            mount("-t", "overlay", "overlay", "-o", options, str(root))
        furnish(root, hidden=("root", "home"))
        for volume in definition.get("volumes", []):
            source, target, *mode = volume.split(":")
            if not definition.get("read_only"):
                Path(f"{root}{target}").mkdir(parents=True, exist_ok=True)
            mount("--bind", str(self._volume(root, source, target)), f"{root}{target}")
            if mode == ["ro"]:
                mount("-o", "remount,bind,ro", f"{root}{target}")
        hosts = self.directory / "hosts"
        hosts.touch()
        mount("--bind", str(hosts), str(root / "etc/hosts"))
        return root

    def _volume(self, root: Path, source: str, target: str) -> Path:
        """Return the file or the volume's folder, which takes its owner from the first image that has the folder."""
        if source.startswith("."):
            return ROOT / source
        if source not in self.volumes:
            folder = self.directory / f"volume-{source}"
            folder.mkdir()
            shutil.copystat(f"{root}{target}", folder)
            owner = Path(f"{root}{target}").stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
            self.volumes[source] = folder
        return self.volumes[source]

    def _connect(self, container: Container) -> None:
        _ip("netns", "add", container.name)
        _ip("-n", container.name, "link", "set", "lo", "up")
        with (self.directory / "hosts").open("a") as hosts:
            hosts.write(f"{container.address} {container.name}\n")
        if container.definition.get("network_mode") == "none":
            return
        outer = f"to-{container.name}"[:15]
        _ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", container.name)
        _ip("link", "set", outer, "master", "bridge0", "up")
        _ip("-n", container.name, "addr", "add", f"{container.address}/24", "dev", "eth0")
        _ip("-n", container.name, "link", "set", "eth0", "up")

    def _wait(self, container: Container, condition: str) -> None:
        assert container.process
        if condition == "service_completed_successfully":
            assert container.process.wait(PATIENCE_S) == 0, self.log(container.name)
            return
        deadline = time.monotonic() + PATIENCE_S
        while container.run(container.health, stderr=subprocess.DEVNULL).returncode:
            assert container.process.poll() is None, self.log(container.name)
            assert time.monotonic() < deadline, f"{container.name} is not healthy:\n{self.log(container.name)}"
            time.sleep(0.5)


def _filled(value: object) -> str:
    """Fill in ${NAME:-default} with the default."""
    text = str(value)
    return text[text.index(":-") + 2 : -1] if text.startswith("${") else text


def _prepare_database(container: Container) -> None:
    """Do what the start script of PostgreSQL's image does before the first start."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    environment = container.environment
    data = "/var/lib/postgresql/data"
    shutil.chown(f"{container.root}{data}", "postgres", "postgres")
    password = Path(f"{container.root}{environment['POSTGRES_PASSWORD_FILE']}").read_text()
    given = Path(f"{container.root}/tmp/password")  # noqa: S108 - of the container
    given.write_text(password)
    shutil.chown(given, "postgres")
    container.user = "postgres"
    environment |= {"PGDATA": data, "PATH": f"{binaries}:{PATH}"}
    asked = [
        "--auth=scram-sha-256",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        f"--username={environment['POSTGRES_USER']}",
    ]
    assert container.run(["initdb", *asked, "--pwfile=/tmp/password"]).returncode == 0
    for line in ("listen_addresses = '*'", "unix_socket_directories = '/tmp'"):
        _append(Path(f"{container.root}{data}/postgresql.conf"), line)
    _append(Path(f"{container.root}{data}/pg_hba.conf"), "host all all all scram-sha-256")
    single = ["postgres", "--single", "-D", data, "postgres"]
    container.start(single, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL).communicate(
        f"CREATE DATABASE {environment['POSTGRES_DB']}\n".encode()
    )


def _append(file: Path, line: str) -> None:
    with file.open("a") as opened:
        opened.write(f"{line}\n")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def users_of(process: int) -> set[int]:
    """Return the user IDs of a process and of its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return {Path(f"/proc/{one}").stat().st_uid for one in (process, *children)}
