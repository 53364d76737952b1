"""What the documentation tells a reader to type does what it says.

`docs/clients.md` and each of `docs/guides/` is a test. What kinds of blocks there are, and what becomes of them here, is told in
CONTRIBUTING.md.
"""

import importlib.util
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from gateway import BIN, REPOSITORY, made_function

DOCS = REPOSITORY / "docs"
PAGES = ["clients.md", *sorted(f"guides/{page.name}" for page in DOCS.glob("guides/*.md"))]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# What a page needs that has to be installed, programs or Python packages: "You need `node` and `npm`."
NEEDS = re.compile(r"^You need (.*?)\.$", re.M)
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):(\d{4,5})\b")
UP = re.compile(r"\btidegate up\b")

# Programs that one run of the tests starts once, however many pages name them: the port of a page, and the fixture behind it.
SHARED = {
    "tidegate up": None,
    "tidegate-load upstream --listen 127.0.0.1:4799": ("4799", "origin"),
    "moto_server -p 5000": ("5000", "moto"),
}

PROGRAMS = """
set -eu
programs=()
trap 'if [ ${#programs[@]} -gt 0 ]; then kill "${programs[@]}" 2>/dev/null || true; wait; fi' EXIT
# start LOG COMMAND CHECK: leaves a program running, once the check says that it can be used.
start() {
    bash -c "exec >$1 2>&1; $2" &
    programs+=($!)
    for _ in $(seq 600); do
        if eval "$3" 2>/dev/null; then return; fi
        if ! kill -0 $! 2>/dev/null; then break; fi
        sleep 0.05
    done
    echo "did not start: $2" >&2
    cat "$1" >&2
    exit 1
}
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def start(number, command, addresses):
    """The line that leaves a program of the page running."""
    log = f"program-{number}.log"
    if UP.search(command):
        flags = [f"--data-dir data-{number} --workers 1"]
        for flag, port in (("admin", "4700"), ("grpc", "4701"), ("http", "4780"), ("node-admin", "4790")):
            flags.append(f"--{flag} 127.0.0.1:{addresses[port]}")
        if "--functions" in command:
            flags.append("--functions-listen 127.0.0.1:0")
        command = UP.sub("tidegate up " + " ".join(flags), command)
        check = f"grep -q '^ready ' {log}"
    else:
        ports = [found.group(1) for found in ADDRESS.finditer(command)]
        check = " && ".join(f"(exec 3<>/dev/tcp/127.0.0.1/{port})" for port in ports) or "true"
    return f"start {log} {shlex.quote(command)} {shlex.quote(check)}"


def script(text, ports):
    """The page's commands as one shell script that tells the blocks apart, and what each should print."""
    text = ADDRESS.sub(lambda found: found.group().replace(found.group(1), ports[found.group(1)]), text)
    shared = {ADDRESS.sub(lambda f: f.group().replace(f.group(1), ports.get(f.group(1), f.group(1))), c) for c in SHARED}
    lines, wanted = [PROGRAMS], []
    for kind, block in FENCE.findall(text):
        if kind == "text":
            wanted[-1] = block
        elif kind == "console":
            if block.strip() not in shared:
                lines.append(start(len(lines), block.strip(), ports))
        elif kind in ("sh", "python"):
            run = block if kind == "sh" else f"{sys.executable} - <<'END'\n{block}END\n"
            lines += [run, "echo", f"echo '--- {len(wanted)}'"]
            wanted.append(None)
    return "\n".join(lines), wanted


def ports_of(text, request):
    """Where the programs of a page listen here, by the ports it names."""
    commands = [block.strip() for kind, block in FENCE.findall(text) if kind == "console"]
    ports = {port: free_port() for port in ["4700", "4701", "4780", "4790", *ADDRESS.findall(text)]}
    if not any(UP.search(command) and command not in SHARED for command in commands):
        gateway = request.getfixturevalue("gateway")
        for port, address in (("4700", gateway.admin), ("4701", gateway.grpc), ("4780", gateway.gateway)):
            ports[port] = address.rsplit(":", 1)[1]
    for command in commands:
        if SHARED.get(command):
            port, fixture = SHARED[command]
            ports[port] = request.getfixturevalue(fixture).port
    return ports


@pytest.mark.parametrize("page", PAGES)
def test_page(page, request, tmp_path):
    text = (DOCS / page).read_text()
    needs = [program for line in NEEDS.findall(text) for program in re.findall(r"`(.*?)`", line)]
    if "aws-lambda-ric" in needs:
        made_function("express")
    path = f"{BIN}:{os.path.dirname(sys.executable)}:{BIN.parent / 'express/node_modules/.bin'}:{os.environ['PATH']}"
    missing = [name for name in needs if shutil.which(name, path=path) is None and importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{page} needs {', '.join(missing)}")
    ports = ports_of(text, request)
    commands, wanted = script(text, ports)
    environment = {
        "PATH": path,
        "HOME": str(tmp_path),
        "TIDEGATE_CONTROL": f"http://127.0.0.1:{ports['4701']}",
        "LANG": "C.UTF-8",
    }
    # A session of its own, so that whatever a failing page left running can be ended.
    shell = subprocess.Popen(
        ["bash", "-c", commands],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = shell.communicate(timeout=120)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.communicate()
    assert shell.returncode == 0, f"{out}\n{err}"
    printed = re.split(r"^--- \d+\n", out, flags=re.M)
    for block, found in zip(wanted, printed):
        if block is not None:
            pattern = ".*".join(re.escape(part) for part in block.strip().split("…"))
            if not re.fullmatch(pattern, found.strip(), re.S):
                pytest.fail(f"wanted:\n{block}\nfound:\n{found}\n{err}", pytrace=False)
