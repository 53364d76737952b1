"""Web frameworks as Lambda functions behind a REST API, with AWS's runtime clients and the frameworks' adapters as they are."""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit

import pytest

from gateway import ACCOUNT, REGION, REPOSITORY, Tidegate, eventually, made_function, root_of

HERE = REPOSITORY / "controlplane/tests/clients/functions"
FRAMEWORKS = ["fastapi", "express", "axum"]
# The applications are the same; these read and write JSON, bytes and cookies in their own ways.
PNG = bytes(range(256)) * 300


def declarations(target):
    """The file of the functions; what is not made yet is not looked at before it is invoked."""
    python = [sys.executable, "-m", "awslambdaric", "app.handler"]
    node = 'runtime = "node"\n' + f'directory = "{target / "express"}"\n'
    rust = f'command = ["{target / "debug/bootstrap"}"]\ndirectory = "."\n'
    stage = 'AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH = "true"'
    functions = {
        "fastapi": f"command = {json.dumps(python)}\ndirectory = \"{HERE / 'fastapi'}\"\n",
        "express": node + 'handler = "app.handler"\n',
        "express_ticks": node + 'handler = "app.ticks"\n',
        "axum": rust + f"environment = {{ {stage} }}\n",
        "axum_ticks": rust + f'environment = {{ {stage}, STREAM = "1" }}\n',
    }
    # A cold start on a busy machine is no time-out.
    return "".join(f"[functions.{name}]\n{text}timeout_s = 20\nwatch = false\n" for name, text in functions.items())


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    directory = tmp_path_factory.mktemp("frameworks")
    (directory / "functions.toml").write_text(declarations(made_function(None)))
    running = Tidegate(
        directory / "data", "--functions", directory / "functions.toml", "--functions-listen", "127.0.0.1:0"
    )
    yield running
    running.stop()


def uri_of(function, stream=False):
    version, call = ("2021-11-15", "response-streaming-invocations") if stream else ("2015-03-31", "invocations")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return f"arn:aws:apigateway:{REGION}:lambda:path/{version}/functions/{arn}/{call}"


def by_boto3(client, function, **integration):
    """An API whose every path is the function's, as boto3 makes it."""
    api = client.create_rest_api(name=function, binaryMediaTypes=["image/png"])["id"]
    resource = client.create_resource(restApiId=api, parentId=root_of(client, api), pathPart="{proxy+}")["id"]
    at = {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}
    client.put_method(**at, authorizationType="NONE")
    stream = "responseTransferMode" in integration
    client.put_integration(
        **at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri_of(function, stream), **integration
    )
    return api


def by_document(client, function, **integration):
    """The same from an OpenAPI document."""
    called = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri_of(function, "responseTransferMode" in integration)}
    method = {"responses": {}, "x-amazon-apigateway-integration": called | integration}
    document = {
        "openapi": "3.0.1",
        "info": {"title": function, "version": "1"},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "paths": {"/{proxy+}": {"x-amazon-apigateway-any-method": method}},
    }
    return client.import_rest_api(body=json.dumps(document).encode(), failOnWarnings=True)["id"]


@pytest.fixture(params=[by_boto3, by_document])
def make(request, serving):
    """Makes an API of a function and deploys it; gives what calls it."""
    client = serving.client()

    def make(function, **integration):
        api = request.param(client, function, **integration)
        client.create_deployment(restApiId=api, stageName="prod")

        def call(path, method="GET", headers=None, body=None):
            return serving.call(api, "prod", path, method, headers, body)

        call.api = api
        eventually(lambda: deployed(call))
        return call

    return make


def deployed(call):
    """Until the node has heard of the API, nothing is at its address."""
    assert call("/boom").status != 403


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_unmodified_framework_is_a_backend(make, framework):
    if framework != "fastapi":
        made_function(framework)
    call = make(framework)
    body = {"text": "Grüße", "list": [1, None]}
    headers = {"Content-Type": "application/json", "X-Test": "one", "Cookie": "session=7"}
    said = call("/echo/J%C3%B6rg?a=1&a=2&b=x%20%26y&empty=", "POST", headers, json.dumps(body))
    assert said.status == 201, said.body
    # In which order the names are is nowhere said: Rust's adapter holds them in a hash map.
    assert said.json | {"query": sorted(said.json["query"], key=lambda pair: pair[0])} == {
        "name": "Jörg",
        "query": [["a", "1"], ["a", "2"], ["b", "x &y"], ["empty", ""]],
        "x": "one",
        "cookie": "session=7",
        "body": body,
    }
    assert said.headers["x-app"] == framework
    assert [cookie.split(";")[0] for cookie in said.headers.get_all("Set-Cookie")] == ["a=1", "b=2"]

    png = call("/reverse", "POST", {"Content-Type": "image/png", "Accept": "image/png"}, PNG)
    assert (png.status, png.headers["Content-Type"]) == (200, "image/png")
    assert png.body == PNG[::-1]

    failed = call("/boom")
    assert (failed.status, failed.json) == (500, {"error": "boom"})
    assert call("/echo/x", "POST", {"Content-Type": "application/json"}, "{").status in (400, 422)


@pytest.mark.parametrize("framework", ["express", "axum"])
def test_a_runtimes_own_streams_arrive_as_they_are_written(make, serving, framework):
    made_function(framework)
    call = make(f"{framework}_ticks", responseTransferMode="STREAM")
    address = urlsplit(serving.gateway)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", "/prod/ticks", headers={"Host": f"{call.api}.execute-api.localhost"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (201, "text/plain")
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    lines, first = [answer.readline()], time.monotonic()
    while line := answer.readline():
        lines.append(line)
    assert lines == [b"tick %d\n" % n for n in range(5)]
    # Four pauses of a tenth of a second come after the first line.
    assert time.monotonic() - first > 0.3
    connection.close()
