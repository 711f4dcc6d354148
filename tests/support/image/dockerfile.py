"""The steps of the Dockerfile, each stage in a file system of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HIDDEN = ("work", "root", "home", "opt")  # what this machine has and a base image does not
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass
class Stage:
    """A stage: its files, and what its instructions say about the processes in it."""

    files: Path  # only what the stage adds to the base image
    merged: Path
    workdir: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def run(self, command: str) -> None:
        """Carry out a RUN, with the settings that pip and apt need on this machine."""
        passed = {name: value for name, value in os.environ.items() if name in {"PIP_CERT", "PIP_DEFAULT_TIMEOUT"}}
        script = f"cd {shlex.quote(self.workdir)} && {command}"
        subprocess.run(["chroot", str(self.merged), "/bin/sh", "-c", script], env=passed | self.environment, check=True)


def build(directory: Path) -> Stage:
    """Carry out all steps of the Dockerfile below `directory` and return the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(directory, directory)
    for name, value in instructions((ROOT / "Dockerfile").read_text()):
        print(f"{name} {value[:110]}", flush=True)
        match name:
            case "FROM":
                stage = _new_stage(directory / f"stage{len(stages)}")
                stages[value.partition(" AS ")[2] or str(len(stages))] = stage
            case "WORKDIR":
                stage.workdir = value
                (stage.merged / value.lstrip("/")).mkdir(parents=True)
            case "COPY":
                _copy(stage, stages, shlex.split(value))
            case "RUN":
                stage.run(value)
            case "ENV":
                for pair in shlex.split(value):
                    key, _, text = pair.partition("=")
                    stage.environment[key] = text.replace("$PATH", stage.environment["PATH"])
            case "USER":
                stage.user = value
            case "CMD":
                stage.command = json.loads(value)
            case "HEALTHCHECK":
                stage.health = json.loads(value[value.index("CMD") + 3 :])
            case "EXPOSE":
                pass
            case _:
                raise ValueError(f"This script does not know {name}")
    return stage


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    lines = (line for line in dockerfile.splitlines() if not line.startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, value = line.split(maxsplit=1)
            yield name, value


def ignored(path: str, patterns: list[str]) -> bool:
    """Apply .dockerignore: of the patterns that match the path or a folder above it, the last one counts."""
    parts = path.split("/")
    names = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    result = False
    for pattern in patterns:
        found = re.sub(r"^\*\*/", "", pattern.removeprefix("!"))
        candidates = parts if "**/" in pattern else [name for name in names if name.count("/") == found.count("/")]
        if any(fnmatch(name, found) for name in candidates):
            result = not pattern.startswith("!")
    return result


def context() -> list[str]:
    """Return the files that a build gets to see: those of the repository that .dockerignore leaves."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return [path for path in listed if (ROOT / path).is_file() and not ignored(path, patterns)]


def _new_stage(directory: Path) -> Stage:
    files, work, merged = directory / "files", directory / "work", directory / "merged"
    for folder in (files, work, merged):
        folder.mkdir(parents=True)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={files},workdir={work}", str(merged))
    furnish(merged)
    return Stage(files, merged)


def furnish(root: Path, hidden: tuple[str, ...] = HIDDEN) -> None:
    """Give a file system what each container has, and hide what this machine has besides its system."""
    for folder in hidden:
        if (root / folder).exists():
            mount("-t", "tmpfs", "tmpfs", str(root / folder))
    mount("-t", "tmpfs", "tmpfs", str(root / "tmp"), "-o", "mode=1777")
    for folder in ("proc", "dev"):
        mount("--rbind", f"/{folder}", str(root / folder))


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _copy(stage: Stage, stages: dict[str, Stage], words: list[str]) -> None:
    *sources, target = [word for word in words if not word.startswith("--")]
    into = stage.merged / stage.workdir.lstrip("/") / target
    chosen = [word.removeprefix("--from=") for word in words if word.startswith("--from=")]
    if chosen:
        shutil.copytree(stages[chosen[0]].merged / sources[0].lstrip("/"), into, symlinks=True, dirs_exist_ok=True)
        return
    for path in context():
        if sources == ["."] or path in sources:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, into / path)
