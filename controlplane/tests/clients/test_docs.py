"""What the documentation tells a reader to type does what it says."""

import os
import re
import subprocess
import sys

from gateway import BIN, REPOSITORY

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def script(page, ports):
    """The page's commands as one shell script that tells the blocks apart, and what each should print."""
    text = (REPOSITORY / "docs" / page).read_text()
    for port, address in ports.items():
        text = text.replace(f"127.0.0.1:{port}", address)
    lines, wanted = ["set -eu"], []
    for kind, block in FENCE.findall(text):
        if kind == "text":
            wanted[-1] = block
        elif kind in ("sh", "python"):
            run = block if kind == "sh" else f"{sys.executable} - <<'END'\n{block}END\n"
            lines += [run, "echo", f"echo '--- {len(wanted)}'"]
            wanted.append(None)
    return "\n".join(lines), wanted


def test_clients_page(gateway, upstream, tmp_path):
    ports = {
        "4700": gateway.admin.removeprefix("http://"),
        "4780": gateway.gateway.removeprefix("http://"),
        "4799": upstream.address,
    }
    commands, wanted = script("clients.md", ports)
    path = f"{BIN}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "TIDEGATE_CONTROL": gateway.grpc, "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    printed = re.split(r"^--- \d+\n", done.stdout, flags=re.M)
    for block, found in zip(wanted, printed):
        if block is not None:
            pattern = ".*".join(re.escape(part) for part in block.strip().split("…"))
            assert re.fullmatch(pattern, found.strip(), re.S), f"wanted:\n{block}\nfound:\n{found}"
