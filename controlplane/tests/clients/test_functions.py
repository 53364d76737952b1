"""The function host by itself: boto3's Lambda client, and functions in trouble, which trouble nobody else."""

import base64
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config

from gateway import BIN, Tidegate, eventually

# A runtime of a few lines, so that it can misbehave in every way.
RUNTIME = r'''
import ctypes, http.client, json, os, signal, subprocess, sys, time
kind = sys.argv[1]
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def post(path, body, headers={}):
    api.request("POST", "/2018-06-01/runtime/" + path, body, headers)
    answer = api.getresponse()
    return answer.status, answer.read().decode()
if kind == "crash_at_start": sys.exit(3)
if kind == "exit_0_at_start": sys.exit(0)
if kind == "slow_start": time.sleep(60)
if kind == "init_error":
    post("init/error", json.dumps({"errorType": "Runtime.ImportModuleError", "errorMessage": "no module"}))
    sys.exit(1)
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
    at = f"invocation/{id}/"
    if kind == "exit": sys.exit(1)
    if kind == "exit_0": sys.exit(0)
    if kind == "killed": os.kill(os.getpid(), signal.SIGKILL)
    if kind == "segfault": ctypes.string_at(0)
    if kind == "oom": hog = bytearray(512 << 20)
    if kind == "half_answer":
        api.sock.sendall(f"POST /2018-06-01/runtime/{at}response HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        api.sock.close()
        time.sleep(60)
    if kind == "half_error":
        api.sock.sendall(f"POST /2018-06-01/runtime/{at}error HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        api.sock.close()
        time.sleep(60)
    if kind == "no_http": api.sock.sendall(b"\x16\x03\x01" * 100); time.sleep(60)
    if kind == "silent": time.sleep(60)
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    if kind == "error":
        post(at + "error", json.dumps({"errorType": "ValueError", "errorMessage": "boom"}), {"Lambda-Runtime-Function-Error-Type": "Unhandled"})
        continue
    if kind == "flood":
        for _ in range(20000): print("x" * 50)
        print("y" * 1000000, flush=True)
    if kind == "closed_pipe":
        os.close(1); os.close(2)
        try: os.write(1, b"x")
        except OSError: pass
    if kind == "huge": post(at + "response", b'"' + b"x" * (7 << 20) + b'"'); continue
    if kind == "no_json": post(at + "response", b"<no json>"); continue
    if kind == "wrong_id":
        status = post("invocation/other/response", b"{}")
        post(at + "response", json.dumps(status)); continue
    if kind == "twice":
        post(at + "response", b'"first"'); post(at + "response", b'"second"'); continue
    if kind == "hog":
        try: hog = bytearray(512 << 20)
        except MemoryError: post(at + "response", b'"refused"'); continue
    if kind == "fork":
        left = subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(60)"])
        post(at + "response", json.dumps(left.pid)); time.sleep(0.1); sys.exit(0)
    if kind == "prints": print("hello from", id, flush=True); time.sleep(0.05)
    if kind == "next_first":
        # Asks for more before it has answered, which a runtime may not.
        other = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        other.request("GET", "/2018-06-01/runtime/invocation/next")
        post(at + "response", json.dumps(other.getresponse().status)); continue
    if kind == "late":
        post(at + "response", event); time.sleep(60)
    if kind == "version":
        until = json.loads(event).get("until")
        if until:
            open("started", "w").close()
            while not os.path.exists(until): time.sleep(0.005)
        event = json.dumps(os.environ["VERSION"])
    if kind == "slow": time.sleep(0.1)
    post(at + "response", event)
'''

EXITED = "Runtime exited with error: "
# What is invoked, and what comes: an error's type and message, or the answer.
TROUBLES = {
    "crash_at_start": ("Runtime.ExitError", EXITED + "exit status 3"),
    "slow_start": ("Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    "init_error": ("Runtime.ImportModuleError", "no module"),
    "exit": ("Runtime.ExitError", EXITED + "exit status 1"),
    "exit_0": ("Runtime.ExitError", "Runtime exited without providing a reason"),
    "killed": ("Runtime.ExitError", EXITED + "signal: killed"),
    "silent": ("Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    "deaf": ("Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    "exit_0_at_start": ("Runtime.ExitError", "Runtime exited without providing a reason"),
    "segfault": ("Runtime.ExitError", EXITED + "signal: segmentation fault"),
    # Its limit is that of the process's memory, so the function gets to see it: Python ends with a MemoryError.
    "oom": ("Runtime.ExitError", EXITED + "exit status 1"),
    "half_answer": ("Runtime.TruncatedResponse", "The runtime's answer ended before its end"),
    "half_error": ("Runtime.TruncatedResponse", "The runtime's answer ended before its end"),
    "no_http": ("Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    "import_error": ("Runtime.ImportModuleError", "Unable to import module 'nothing': No module named 'nothing'"),
    "error": ("ValueError", "boom"),
    "huge": ("Function.ResponseSizeTooLarge", "Response payload size (7340034 bytes) exceeded maximum allowed payload size (6291556 bytes)."),
    "no_command": ("Runtime.InvalidEntrypoint", "fork/exec ./nothing: no such file or directory"),
    "no_directory": ("Runtime.InvalidWorkingDir", None),
    "flood": b'{"a": 1}',
    "closed_pipe": b'{"a": 1}',
    "no_json": b"<no json>",
    "wrong_id": b'[400, "{\\"errorMessage\\":\\"Invalid request ID\\",\\"errorType\\":\\"InvalidRequestID\\"}"]',
    "twice": b'"first"',
    "next_first": b"403",
    "late": b'{"a": 1}',
    "hog": b'"refused"',
    "fork": None,
}


COMMANDS = {
    "no_command": ["./nothing"],
    # AWS's own runtime.
    "import_error": [sys.executable, "-m", "awslambdaric", "nothing.handler"],
}


class Functions:
    """`tidegate functions` on a free port."""

    def __init__(self, directory, declarations=None):
        self.file = directory / "functions.toml"
        (directory / "runtime.py").write_text(RUNTIME)
        self.file.write_text(declarations or self.declarations())
        self.log = open(directory / "log", "wb+")
        self.process = subprocess.Popen(
            [BIN / "tidegate", "functions", self.file, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=self.log
        )
        line = self.process.stdout.readline().decode()
        assert line.startswith("ready functions="), line
        self.url = line.split("=", 1)[1].strip()
        self.client = boto3.client(
            "lambda",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50),
        )

    @staticmethod
    def declarations():
        lines = []
        for name in [*TROUBLES, "good", "prints", "slow", "queued"]:
            kind = "slow" if name == "queued" else name
            command = COMMANDS.get(name, [sys.executable, "runtime.py", kind])
            where = "nowhere" if name == "no_directory" else "."
            lines += [f"[functions.{name}]", f"command = {json.dumps(command)}", f'directory = "{where}"', "watch = false"]
            # For the tests' own short waits; AWS has its minutes.
            lines += ["async_retry_s = 0", "timeout_s = 0.5" if kind in ("silent", "deaf", "no_http") else "timeout_s = 5"]
            if name == "slow_start":
                lines.append("init_timeout_s = 0.5")
            if name == "queued":
                lines.append("queue_ms = 10000")
        return "\n".join(lines) + "\n"

    def invoke(self, name, event=b'{"a": 1}', **more):
        return self.client.invoke(FunctionName=name, Payload=event, **more)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    running = Functions(tmp_path_factory.mktemp("functions"))
    yield running
    running.stop()


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_has_awss_shape_and_disturbs_nobody(functions, name):
    wanted = TROUBLES[name]
    answer = functions.invoke(name)
    body = answer["Payload"].read()
    assert answer["StatusCode"] == 200
    if isinstance(wanted, tuple):
        kind, message = wanted
        assert answer["FunctionError"] == "Unhandled"
        said = json.loads(body)
        assert said["errorType"] == kind
        if message:
            assert re.sub(r"^RequestId: [0-9a-f-]{36} Error: ", "", said["errorMessage"]) == message
        told = [line for line in functions.log_text().splitlines() if f"function {name}: " in line and " failed: " in line]
        assert len(told) == 1, told
    else:
        assert "FunctionError" not in answer, body
        assert wanted is None or body == wanted
    if name == "fork":
        eventually(lambda: gone(int(body)))
    assert functions.invoke("good")["Payload"].read() == b'{"a": 1}'


def gone(pid):
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_callers_beyond_the_concurrency_are_refused_or_wait(functions):
    def call(name):
        try:
            return functions.invoke(name)["StatusCode"]
        except functions.client.exceptions.TooManyRequestsException as error:
            assert error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert sorted(set(pool.map(call, ["slow"] * 50))) == [200, 429]
        assert set(pool.map(call, ["queued"] * 50)) == {200}


def test_boto3s_other_calls(functions):
    client = functions.client
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found: arn:aws:lambda:us-east-1:000000000000:function:none"):
        functions.invoke("none")
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="Could not parse request body into json"):
        functions.invoke("good", b"{")
    with pytest.raises(client.exceptions.RequestTooLargeException, match="byte payload is too large for the RequestResponse invocation type .limit 6291456 bytes."):
        functions.invoke("good", b'"' + b"x" * 6291456 + b'"')
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:good:prod"
    assert functions.invoke(arn)["ExecutedVersion"] == "$LATEST"
    assert functions.invoke("good", InvocationType="DryRun")["StatusCode"] == 204
    assert "good" in [function["FunctionName"] for function in client.list_functions()["Functions"]]
    assert client.get_function_configuration(FunctionName="good")["MemorySize"] == 128
    log = base64.b64decode(functions.invoke("prints", LogType="Tail")["LogResult"]).decode()
    assert re.fullmatch(
        r"START RequestId: (\S{36}) Version: \$LATEST\nhello from \1\nEND RequestId: \1\nREPORT RequestId: \1\t.*\n", log
    ), log
    events = list(client.invoke_with_response_stream(FunctionName="good", Payload=b'{"a": 1}')["EventStream"])
    assert events == [{"PayloadChunk": {"Payload": b'{"a": 1}'}}, {"InvokeComplete": {}}]
    [end] = client.invoke_with_response_stream(FunctionName="error", Payload=b"{}")["EventStream"]
    assert end["InvokeComplete"]["ErrorCode"] == "Unhandled" and "boom" in end["InvokeComplete"]["ErrorDetails"]


def test_an_event_that_fails_is_tried_twice_more(functions):
    answer = functions.invoke("error", InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    id = answer["ResponseMetadata"]["RequestId"]
    eventually(lambda: given_up(functions, id))
    assert len(re.findall(f"function error: {id} failed: ValueError: boom", functions.log_text())) == 3
    with pytest.raises(functions.client.exceptions.RequestTooLargeException):
        functions.invoke("good", b'"' + b"x" * (1 << 20) + b'"', InvocationType="Event")


def given_up(functions, id):
    assert f"function error: the event {id} is given up" in functions.log_text()


# What an API's caller gets, for AWS tells callers nothing of a function's failure but that there was one.
BEHIND_AN_API = {"error": 502, "exit": 502, "silent": 502, "no_json": 502, "huge": 502, "twice": 502, "none": 502}


def test_callers_of_an_api_get_awss_answers(functions, tmp_path):
    def call(function, kind="aws_proxy", **more):
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
        called = {"type": kind, "httpMethod": "POST", "uri": uri, **more}
        return {"post": {"responses": {"200": {"description": ""}}, "x-amazon-apigateway-integration": called}}

    paths = {f"/{name}": call(name) for name in [*BEHIND_AN_API, "slow"]}
    event = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    paths["/event"] = call("prints", "aws", requestParameters=event, responses={"default": {"statusCode": "200"}})
    document = {"openapi": "3.0.1", "info": {"title": "troubles", "version": "1"}, "paths": paths}
    gateway = Tidegate(tmp_path / "data", environment={"AWS_ENDPOINT_URL_LAMBDA": functions.url})
    try:
        api = gateway.client().import_rest_api(body=json.dumps(document).encode())["id"]
        gateway.client().create_deployment(restApiId=api, stageName="prod")

        def ask(path, body=b"{}"):
            answer = gateway.call(api, "prod", path, "POST", body=body)
            return answer.status, answer.body

        eventually(lambda: known(ask("/none")))
        for name, status in BEHIND_AN_API.items():
            assert ask(f"/{name}") == (status, b'{"message": "Internal server error"}'), name
        # It echoes its event, which is no answer: 502. Who finds all ten processes busy gets 500, as from AWS.
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            statuses = [status for status, _ in pool.map(lambda _: ask("/slow"), range(50))]
        assert set(statuses) == {500, 502} and statuses.count(502) >= 10, statuses
        before = functions.log_text().count("hello from")
        assert ask("/event", b'{"later": 1}')[0] == 200
        eventually(lambda: printed(functions, before + 1))
    finally:
        gateway.stop()


def known(answer):
    assert answer[0] != 403


def printed(functions, times):
    assert functions.log_text().count("hello from") == times


def test_a_reload_waits_for_what_is_running(tmp_path):
    def declaration(version, more=""):
        command = json.dumps([sys.executable, "runtime.py", "version"])
        return f'[functions.it]\ncommand = {command}\ndirectory = "."\ntimeout_s = 20\nenvironment = {{ VERSION = "{version}" }}\n{more}'

    running = Functions(tmp_path, declaration(1))
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            slow = pool.submit(running.invoke, "it", b'{"until": "go"}')
            eventually(lambda: started(tmp_path))
            # A mistake changes nothing.
            running.file.write_text(declaration(2, "timout = 3\n"))
            eventually(lambda: told(running, "functions.it.timout: no such key"))
            assert running.invoke("it")["Payload"].read() == b'"1"'
            running.file.write_text(declaration(2))
            eventually(lambda: is_version(running, b'"2"'))
            assert not slow.done()
            (tmp_path / "go").touch()
            assert slow.result()["Payload"].read() == b'"1"'
        # And new code.
        text = (tmp_path / "runtime.py").read_text().replace('os.environ["VERSION"]', '"3"')
        (tmp_path / "runtime.py").write_text(text)
        eventually(lambda: is_version(running, b'"3"'))
    finally:
        running.stop()


def started(directory):
    assert (directory / "started").exists()


def told(functions, what):
    assert what in functions.log_text()


def is_version(functions, version):
    assert functions.invoke("it")["Payload"].read() == version


def test_nothing_outlives_a_host_that_is_killed(tmp_path):
    running = Functions(tmp_path)
    running.invoke("good")
    # The host itself stays where it was started.
    ours = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if working_directory(pid) == str(tmp_path)]
    assert len(ours) == 2, "a keeper and its function"
    running.process.kill()
    running.process.wait()
    for pid in ours:
        eventually(lambda pid=pid: gone(pid))


def working_directory(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


UP = ["tidegate", "up", *(word for flag in ("admin", "grpc", "http", "node-admin") for word in (f"--{flag}", "127.0.0.1:0")), "--functions"]
BAD_DECLARATIONS = {
    '[functions.hello]\nruntime = "python"\nhandler = "app.handler"\ntimeout = 3\n': "functions.hello.timeout: no such key; did you mean 'timeout_s'?",
    '[functions.hello]\nruntime = "python"\n': "functions.hello.handler: name a file without its ending and a function in it, for example \"app.handler\"",
    "[functions.hello]\n": "functions.hello.command: say what to start: a runtime (python, node, bootstrap) or a command",
    '[functions.hello]\nruntime = "python\n': "line 2 is no TOML: ",
    None: "cannot be read: No such file or directory (os error 2)",
}


@pytest.mark.parametrize("text", BAD_DECLARATIONS)
@pytest.mark.parametrize("command", [["tidegate-functions"], UP])
def test_a_bad_declaration_is_one_line(tmp_path, command, text):
    file = tmp_path / "functions.toml"
    if text:
        file.write_text(text)
    program, *arguments = command
    done = subprocess.run(
        [BIN / program, *arguments, file], cwd=tmp_path, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    [*_, said] = done.stderr.splitlines()
    assert said.startswith(f"{program}: {file}: {BAD_DECLARATIONS[text]}"), done.stderr
    assert not [line for line in done.stderr.splitlines() if "functions.toml" in line and line != said]
