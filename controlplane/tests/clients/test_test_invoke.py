"""TestInvokeMethod of functions and services: called as a node would call them, and told as AWS tells it."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway import REGION, Tidegate

OWN = {"AWS_ACCESS_KEY_ID": "AKIDGATEWAY", "AWS_SECRET_ACCESS_KEY": "secret"}
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
# What Lambda answers for a function of this name: status, whether it failed, and the payload.
FUNCTIONS = {
    "fine": (200, False, {"statusCode": 201, "headers": {"X-A": "b"}, "body": "hello"}),
    "malformed": (200, False, {"status": 200}),
    "broken": (200, True, {"errorMessage": "it broke", "errorType": "Error"}),
    "forbidden": (403, False, {"Message": "no"}),
    "busy": (429, False, {"Reason": "TooManyRequests"}),
}


class Lambda:
    """Lambda's Invoke API, without functions: it answers what [`FUNCTIONS`] says."""

    def __init__(self):
        self.seen = seen = []

        class Invoke(BaseHTTPRequestHandler):
            def do_POST(self):
                seen.append((self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                name = re.search(r"function(?::|%3A)(\w+)/invocations", self.path).group(1)
                status, failed, payload = FUNCTIONS[name]
                body = json.dumps(payload).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("x-amzn-RequestId", REQUEST_ID)
                if failed:
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Invoke)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def functions():
    running = Lambda()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def beside_lambda(functions, tmp_path_factory):
    running = Tidegate(tmp_path_factory.mktemp("lambda") / "data", environment=OWN | {"AWS_ENDPOINT_URL_LAMBDA": functions.url})
    yield running
    running.stop()


def invoked(client, function, **request):
    """A test call of `POST /` with type AWS_PROXY in front of a function: status, body and the log's events."""
    api = client.create_rest_api(name=function)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    client.put_method(**at, authorizationType="NONE")
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:{function}"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    client.put_integration(**at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    answer = client.test_invoke_method(**at, **request)
    client.delete_rest_api(restApiId=api)
    first, *lines = answer["log"].splitlines()
    assert re.fullmatch(r"Execution log for request [0-9a-f-]{36}", first)
    return answer, [line.split(" : ", 1)[1] for line in lines]


def test_a_function_is_invoked_and_told(beside_lambda, functions):
    answer, events = invoked(beside_lambda.client(), "fine", body='{"a": "b"}', headers={"X-One": "1"})
    assert (answer["status"], answer["body"], answer["headers"]["X-A"]) == (201, "hello", "b")
    path, headers, event = functions.seen[-1]
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDGATEWAY/")
    event = json.loads(event)
    assert (event["body"], event["headers"]["X-One"]) == ('{"a": "b"}', "1")
    names = [re.split(r": |(?<=request to) ", line)[0] for line in events]
    assert names == [
        "Starting execution for request",
        "HTTP Method",
        "Method request path",
        "Method request query string",
        "Method request headers",
        "Method request body before transformations",
        "Endpoint request URI",
        "Endpoint request headers",
        "Endpoint request body after transformations",
        "Sending request to",
        "Received response. Status",
        "Endpoint response headers",
        "Endpoint response body before transformations",
        "Method response body after transformations",
        "Method response headers",
        "Successfully completed execution",
        "Method completed with status",
    ]
    assert events[6] == f"Endpoint request URI: {functions.url}{path}"
    # The signature is hidden but for its end, and long events are cut.
    assert re.search(r"Authorization=\*+[0-9a-f]{6}[,}]", events[7]), events[7]
    assert events[8].startswith('Endpoint request body after transformations: {"resource":"/"')
    assert events[8].endswith(" [TRUNCATED]") and len(events[8]) == 1024 + len(" [TRUNCATED]")


@pytest.mark.parametrize(
    "function, status, line",
    [
        ("malformed", 502, "Execution failed due to configuration error: Malformed Lambda proxy response"),
        (
            "broken",
            502,
            f"Lambda execution failed with status 200 due to customer function error: it broke. Lambda request id: {REQUEST_ID}",
        ),
        ("forbidden", 500, "Execution failed due to configuration error: Invalid permissions on Lambda function"),
        ("busy", 500, f"Lambda invocation failed with status: 429. Lambda request id: {REQUEST_ID}"),
    ],
)
def test_a_failing_function_is_told_as_aws_does(beside_lambda, function, status, line):
    answer, events = invoked(beside_lambda.client(), function)
    assert (answer["status"], json.loads(answer["body"])) == (status, {"message": "Internal server error"})
    assert events[-2:] == [line, f"Method completed with status: {status}"]


def test_explain_takes_a_body_from_a_file(gateway, client, api, tmp_path):
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    client.put_method(**at, authorizationType="NONE")
    client.put_integration(
        **at,
        type="HTTP",
        integrationHttpMethod="POST",
        uri="http://127.0.0.1:9/",
        requestTemplates={"application/json": "#set($name = $input.path('$.name'))<pet>$name</pet>"},
    )
    client.put_method_response(**at, statusCode="200")
    client.put_integration_response(**at, statusCode="200")
    client.create_deployment(restApiId=api, stageName="prod")
    (tmp_path / "body.json").write_text('{"name": "Rex"}')
    told = gateway.tidegate("explain", "POST", f"http://{api}.execute-api.localhost/prod", "-d", str(tmp_path / "body.json"))
    [mapping] = [phase for phase in told["phases"] if phase["decision"] == "request template for application/json"]
    assert mapping["details"][0] == 'input: {"name": "Rex"}'
    assert mapping["details"][2:] == ["$name = Rex", "output: <pet>Rex</pet>"]
    assert told["upstream"]["body"] == "<pet>Rex</pet>"
