"""Functions that answer bit by bit, from the function's process through the gateway to the caller."""

import http.client
import json
import os
import pathlib
import re
import sys
import time
from urllib.parse import urlsplit

import pytest

from gateway import Tidegate, eventually
from test_frameworks import by_boto3, by_document

# A runtime of a few lines, for what those of AWS do not do.
RUNTIME = r'''
import base64, http.client, json, os, pathlib, sys, time
kind = sys.argv[1]
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def chunk(data): api.send(b"%x\r\n%s\r\n" % (len(data), data))
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(answer.read())
    api.putrequest("POST", f"/2018-06-01/runtime/invocation/{id}/response")
    for name, value in (
        ("Lambda-Runtime-Function-Response-Mode", "streaming"),
        ("Content-Type", "application/vnd.awslambda.http-integration-response"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
    ): api.putheader(name, value)
    api.endheaders()
    if kind == "no_head": chunk(b"<no metadata>" + bytes(8) + b"x")
    head = {"statusCode": 207, "headers": {"X-Path": event["path"]}, "cookies": ["a=1", "b=2; Secure"]}
    chunk(json.dumps(head).encode() + bytes(8))
    if kind == "dies_early": os._exit(3)
    chunk(b"first")
    if kind == "dies": time.sleep(0.1); os._exit(3)
    if kind == "waits":
        go = pathlib.Path("go")
        while not go.exists(): time.sleep(0.005)
        go.unlink()
        chunk(b"second")
    if kind == "much":
        for n in range(1, 801):
            chunk(bytes(65536))
            pathlib.Path("progress.new").write_text(str(n)); os.replace("progress.new", "progress")
    api.send(b"0\r\n")
    if kind == "fails":
        error = base64.b64encode(b'{"errorType": "ValueError", "errorMessage": "half way"}').decode()
        api.send(f"Lambda-Runtime-Function-Error-Type: Unhandled\r\nLambda-Runtime-Function-Error-Body: {error}\r\n".encode())
    api.send(b"\r\n")
    # That module knows no trailers, and holds the request for unfinished.
    api._HTTPConnection__state = "Request-sent"
    api.getresponse().read()
'''
# An end without the last chunk, however the connection goes.
BROKEN = (http.client.IncompleteRead, ConnectionResetError)
KINDS = ["waits", "whole", "dies_early", "dies", "fails", "no_head", "much"]


class Streams:
    """A gateway, and a function of each kind behind it."""

    def __init__(self, directory):
        self.directory = directory
        os.chmod(directory, 0o777)
        (directory / "runtime.py").write_text(RUNTIME)
        lines = []
        for kind in KINDS:
            command = [sys.executable, "runtime.py", kind]
            lines += [f"[functions.{kind}]", f"command = {json.dumps(command)}", 'directory = "."', "timeout_s = 20", "watch = false"]
        (directory / "functions.toml").write_text("\n".join(lines))
        self.tidegate = Tidegate(
            directory / "data", "--functions", directory / "functions.toml", "--functions-listen", "127.0.0.1:0"
        )
        client = self.tidegate.client()
        self.apis = {}
        for kind in KINDS:
            make = by_document if kind == "waits" else by_boto3
            self.apis[kind] = make(client, kind, responseTransferMode="STREAM")
            client.create_deployment(restApiId=self.apis[kind], stageName="prod")
        last = self.apis[KINDS[-2]]
        eventually(lambda: self.known(last))

    def known(self, api):
        assert self.tidegate.call(api, "prod", "/x").status != 403

    def open(self, kind):
        """Asks, and gives the connection and the answer's head."""
        address = urlsplit(self.tidegate.gateway)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        connection.request("GET", "/prod/some/path", headers={"Host": f"{self.apis[kind]}.execute-api.localhost"})
        return connection, connection.getresponse()

    def failures(self, kind):
        return re.findall(rf"function {kind}: \S+ failed: (.*)", self.tidegate.log_text())


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    running = Streams(tmp_path_factory.mktemp("streams"))
    yield running
    running.tidegate.stop()


def test_the_first_byte_arrives_while_the_function_goes_on(streams):
    connection, answer = streams.open("waits")
    assert (answer.status, answer.headers["X-Path"]) == (207, "/some/path")
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2; Secure"]
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.read(5) == b"first"
    # Not before that does the function say more.
    (streams.directory / "go").touch()
    assert answer.read() == b"second"
    # The process and both connections serve the next one.
    connection.request("GET", "/prod/more", headers={"Host": f"{streams.apis['waits']}.execute-api.localhost"})
    (streams.directory / "go").touch()
    again = connection.getresponse()
    assert (again.headers["X-Path"], again.read()) == ("/more", b"firstsecond")
    connection.close()


@pytest.mark.parametrize(
    "kind, why", [("dies", "Runtime.ExitError: Runtime exited with error: exit status 3"), ("fails", "ValueError: half way")]
)
def test_a_stream_that_breaks_off_ends_the_connection(streams, kind, why):
    connection, answer = streams.open(kind)
    assert answer.status == 207
    assert answer.read(5) == b"first"
    with pytest.raises(BROKEN):
        answer.read()
    connection.close()
    eventually(lambda: said(streams.failures(kind), why))


def said(lines, why):
    assert why in lines, lines


def test_without_metadata_there_is_no_answer(streams):
    connection, answer = streams.open("no_head")
    assert (answer.status, answer.read()) == (500, b'{"message": "Internal server error"}')
    connection.close()


def test_a_function_that_dies_before_its_body(streams):
    connection, answer = streams.open("dies_early")
    # Whether its head was on its way is chance; a whole answer it is not.
    if answer.status == 207:
        with pytest.raises(BROKEN):
            answer.read()
    else:
        assert (answer.status, answer.read()) == (502, b'{"message": "Internal server error"}')
    connection.close()


def test_a_caller_that_stands_still_holds_the_function_back(streams):
    """800 x 64 KiB: what is under way between function and caller is little, and nobody keeps the rest."""
    before = memory(streams)
    connection, answer = streams.open("much")
    assert answer.read(5) == b"first"
    progress = streams.directory / "progress"
    eventually(lambda: still(progress), within=20)
    assert int(progress.read_text()) < 400, "half of it is on its way to a caller that reads nothing"
    assert memory(streams) - before < 20 << 10, "KiB more in all processes"
    body = answer.read()
    assert len(body) == 800 * 65536 and not body.strip(b"\0")
    connection.close()


def still(progress):
    assert progress.exists()
    seen = progress.read_text()
    time.sleep(0.5)
    assert seen == progress.read_text()


def memory(streams):
    """KiB of resident memory of `tidegate up` and its processes; those of functions are not the host's."""
    total = 0
    for pid in [streams.tidegate.process.pid, *children(streams.tidegate.process.pid)]:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"^VmRSS:\s*(\d+)", status, re.M).group(1))
    return total


def children(pid):
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def test_a_caller_that_leaves_does_not_stop_the_function(streams):
    progress = streams.directory / "progress"
    progress.unlink(missing_ok=True)
    connection, answer = streams.open("much")
    answer.read(5)
    answer.close()
    connection.close()
    eventually(lambda: done(progress), within=15)


def done(progress):
    assert progress.exists() and progress.read_text() == "800"
