"""The compose file: nothing open to the network, no password in it, what it names is there.

It is not run here, as docs/scaling.md says.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "docs" / "compose"
TEXT = (FOLDER / "compose.yaml").read_text("utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]


def test_ports_are_published_on_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)
    asked = [service["command"] for name, service in SERVICES.items() if name.startswith("web")]
    assert len(asked) == 2
    for command in asked:  # loopback, unless --host says otherwise; and never without a password
        assert "--password-file" in command
        assert "--host" not in command


def test_passwords_come_from_the_environment() -> None:
    values = re.findall(r"(?:PASSWORD|TOKEN)\w*: *(.+)", TEXT)
    assert len(values) == 4
    assert all("${" in value for value in values)


def test_what_it_names_is_there() -> None:
    assert (FOLDER / "Dockerfile").read_text().count("constraints.txt") == 1
    mounted = re.findall(r"\./([\w.]+):", TEXT)
    assert sorted(mounted) == ["Caddyfile", "etcd.yaml"]
    assert all((FOLDER / name).is_file() for name in mounted)
    for service in SERVICES.values():
        assert "/" not in service["image"] or service["image"].startswith("milvusdb/")
        assert re.fullmatch(r"[\w/]+:[\w.]+", service["image"])
