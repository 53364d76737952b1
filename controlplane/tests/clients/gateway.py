"""What the tests hold on to: a running `tidegate up`, an upstream that tells what it was asked, and calls through the gateway."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

REPOSITORY = pathlib.Path(__file__).parents[3]
BIN = pathlib.Path(os.environ.get("TIDEGATE_BIN", REPOSITORY / "target/debug")).resolve()
ACCOUNT = "000000000000"
REGION = "us-east-1"
# The account moto plays, and a role in it.
AWS_ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{AWS_ACCOUNT}:role/api"
# Any key will do on loopback; only the signature's form counts there.
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def eventually(check, within=5.0):
    """Calls `check` until it no longer raises AssertionError; its last error is the test's."""
    end = time.monotonic() + within
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.01)


class Program:
    """A program that says where it listens, in what it prints, and ends on SIGTERM."""

    def __init__(self, log, pattern, *command):
        self.log = open(log, "ab+")
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        try:
            self.port = eventually(lambda: self._port(pattern), within=30)
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}"

    def _port(self, pattern):
        self.log.seek(0)
        text = self.log.read().decode(errors="replace")
        found = re.search(pattern, text)
        assert found, text
        return found.group(1)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


class Tidegate:
    """`tidegate up` on free ports; `environment` is added to that of the tests."""

    def __init__(self, data_dir, *arguments, environment=None):
        command = [BIN / "tidegate", "up", "--data-dir", data_dir, "--workers", "1"]
        for flag in ("--admin", "--grpc", "--http", "--node-admin"):
            command += [flag, "127.0.0.1:0"]
        self.log = open(pathlib.Path(data_dir).with_suffix(".log"), "ab+")
        self.process = subprocess.Popen(
            [str(part) for part in [*command, *arguments]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=os.environ | (environment or {}),
        )
        try:
            line = self._ready_line()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        words = dict(word.split("=", 1) for word in line.split()[1:])
        self.admin, self.gateway, self.grpc = words["admin"], words["gateway"], words["grpc"]

    def _ready_line(self, within=30):
        end, text = time.monotonic() + within, b""
        while not re.search(rb"^ready .*\n", text, re.M):
            left = end - time.monotonic()
            readable, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            chunk = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            assert chunk, f"no ready line, got {text!r}; log:\n{self.log_text()}"
            text += chunk
        return re.search(rb"^ready .*$", text, re.M).group().decode()

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=40)
        assert code == 0, f"ended with {code} after SIGTERM; log:\n{self.log_text()}"

    def client(self, key="test", secret="test"):
        return boto3.client(
            "apigateway",
            endpoint_url=self.admin,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            # A retry would hide an answer that should not have been needed.
            config=Config(retries={"total_max_attempts": 1}),
        )

    def call(self, api, stage, path, method="GET", headers=None, body=None):
        """A request as AWS addresses it: the API in Host, the stage in the path."""
        host = {"Host": f"{api}.execute-api.localhost"}
        return request(self.gateway, method, f"/{stage}{path}", host | (headers or {}), body)

    def await_stage(self, api, stage):
        """Waits until a stage is served. One that is not there yet is forbidden."""

        def served():
            assert self.call(api, stage, "/no/such/path/here").json == {"message": "Missing Authentication Token"}

        eventually(served)

    def call_by_path(self, api, stage, path, form="aws"):
        """The same for tools that cannot set Host."""
        target = {
            "aws": f"/_aws/execute-api/{api}/{stage}{path}",
            "restapis": f"/restapis/{api}/{stage}/_user_request_{path}",
        }[form]
        return request(self.gateway, "GET", target)

    def tidegate(self, *arguments, code=0):
        """The operator's command line, as parsed JSON."""
        done = subprocess.run(
            [str(BIN / "tidegate"), *arguments, "--output", "json"],
            env=os.environ | {"TIDEGATE_CONTROL": self.grpc},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if code == 0 else done.stderr


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


def request(base, method, target, headers=None, body=None):
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def made_function(name):
    """Has `.ci/functions` make one of its functions; gives the directory with what it made."""
    target = BIN.parent
    if name:
        done = subprocess.run(
            [REPOSITORY / ".ci/functions", name],
            env=os.environ | {"CARGO_TARGET_DIR": str(target)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode == 77:
            pytest.skip(done.stdout.strip())
        assert done.returncode == 0, done.stdout + done.stderr
    return target


class Upstream:
    """Answers every request with what it was asked, as JSON."""

    def __init__(self):
        class Echo(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes: without this the second waits for the first one's acknowledgement, some 40 ms.
            disable_nagle_algorithm = True

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                seen = {
                    "method": self.command,
                    "path": url.path,
                    "query": parse_qs(url.query, keep_blank_values=True),
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": self.rfile.read(length).decode(),
                }
                body = json.dumps(seen).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Upstream", "echo")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_port
        self.url = f"http://{self.address}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def root_of(client, api):
    return next(r["id"] for r in client.get_resources(restApiId=api)["items"] if r["path"] == "/")


def add_mock(client, api, parent, part, text, verb="GET", **response):
    """A resource whose method answers a constant. Returns the resource's id."""
    resource = client.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
    at = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
    client.put_method(**at, authorizationType="NONE")
    client.put_method_response(**at, statusCode="200")
    client.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": text}, **response)
    return resource


def set_text(client, api, resource, text, verb="GET"):
    """Gives a constant another text."""
    client.put_integration_response(
        restApiId=api,
        resourceId=resource,
        httpMethod=verb,
        statusCode="200",
        responseTemplates={"application/json": text},
    )


def add_proxy(client, api, parent, part, uri, verb="ANY", parameters=None, method_parameters=None):
    """A resource passed on to an upstream. Returns the resource's id."""
    resource = client.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
    at = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
    client.put_method(**at, authorizationType="NONE", requestParameters=method_parameters or {})
    client.put_integration(
        **at, type="HTTP_PROXY", integrationHttpMethod=verb, uri=uri, requestParameters=parameters or {}
    )
    return resource


@contextlib.contextmanager
def verifying(moto):
    """Has moto verify signatures and policies, as AWS does."""
    assert request(moto.url, "POST", "/moto-api/reset-auth", body="0").status == 200
    yield
    assert request(moto.url, "POST", "/moto-api/reset-auth", body="inf").status == 200
