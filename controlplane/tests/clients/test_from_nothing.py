"""From nothing to traffic with boto3, as the README shows it and as programs written for AWS do it."""

import re

import pytest

from gateway import add_mock, add_proxy, eventually, root_of, set_text


def test_an_api_is_built_call_by_call_and_serves(gateway, upstream, client):
    made = client.create_rest_api(name="pets", description="a first one")
    assert re.fullmatch("[a-z0-9]{10}", made["id"])
    assert made["endpointConfiguration"] == {"types": ["EDGE"], "ipAddressType": "ipv4"}
    api = made["id"]
    [root] = client.get_resources(restApiId=api)["items"]
    assert root == {"id": made["rootResourceId"], "path": "/"}

    pets = client.create_resource(restApiId=api, parentId=root["id"], pathPart="pets")
    assert (pets["path"], pets["parentId"], pets["pathPart"]) == ("/pets", root["id"], "pets")
    one = client.create_resource(restApiId=api, parentId=pets["id"], pathPart="{petId}")
    at = {"restApiId": api, "resourceId": one["id"], "httpMethod": "GET"}
    method = client.put_method(
        **at,
        authorizationType="NONE",
        requestParameters={
            "method.request.path.petId": True,
            "method.request.querystring.type": False,
            "method.request.header.X-User": False,
        },
    )
    assert (method["httpMethod"], method["apiKeyRequired"]) == ("GET", False)
    client.put_method_response(**at, statusCode="200")
    integration = client.put_integration(
        **at,
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=f"{upstream.url}/animals/{{id}}",
        requestParameters={
            "integration.request.path.id": "method.request.path.petId",
            "integration.request.querystring.kind": "method.request.querystring.type",
            "integration.request.header.X-Caller": "method.request.header.X-User",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.header.X-Fixed": "'always'",
        },
    )
    assert integration["timeoutInMillis"] == 29000
    assert integration["cacheNamespace"] == one["id"]
    client.put_integration_response(**at, statusCode="200")

    status = add_mock(
        client,
        api,
        root["id"],
        "status",
        '{"open": true}',
    )
    at_status = {"restApiId": api, "resourceId": status, "httpMethod": "GET"}
    client.update_method_response(
        **at_status,
        statusCode="200",
        patchOperations=[{"op": "add", "path": "/responseParameters/method.response.header.X-Kind", "value": "false"}],
    )
    client.update_integration_response(
        **at_status,
        statusCode="200",
        patchOperations=[
            {"op": "add", "path": "/responseParameters/method.response.header.X-Kind", "value": "'constant'"}
        ],
    )

    deployment = client.create_deployment(restApiId=api, stageName="prod", description="first")
    assert re.fullmatch("[a-z0-9]{6}", deployment["id"])

    def serves():
        assert gateway.call(api, "prod", "/status").status == 200

    eventually(serves)

    answer = gateway.call(api, "prod", "/pets/7%20a?type=cat&type=dog&x=1", headers={"X-User": "ada"})
    assert answer.status == 200 and answer.headers["X-Upstream"] == "echo"
    seen = answer.json
    assert seen["path"] == "/animals/7%20a"
    assert seen["query"] == {"type": ["cat", "dog"], "x": ["1"], "kind": ["dog"]}
    assert seen["headers"]["x-caller"] == "ada"
    assert seen["headers"]["x-stage"] == "prod"
    assert seen["headers"]["x-fixed"] == "always"
    assert seen["headers"]["host"] == upstream.address
    assert seen["headers"]["x-amzn-apigateway-api-id"] == api

    answer = gateway.call(api, "prod", "/status")
    assert (answer.status, answer.body) == (200, b'{"open": true}')
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Kind"] == "constant"
    assert re.fullmatch("[0-9a-f-]{36}", answer.headers["x-amzn-RequestId"])

    for form in ("aws", "restapis"):
        answer = gateway.call_by_path(api, "prod", "/pets/3", form)
        assert answer.status == 200 and answer.json["path"] == "/animals/3"

    summary = client.get_deployment(restApiId=api, deploymentId=deployment["id"], embed=["apisummary"])
    assert summary["apiSummary"]["/status"]["GET"] == {"authorizationType": "NONE", "apiKeyRequired": False}

    client.delete_rest_api(restApiId=api)

    def is_gone():
        answer = gateway.call(api, "prod", "/status")
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})

    eventually(is_gone)
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_rest_api(restApiId=api)


def test_bodies_and_verbs_pass_both_ways(gateway, upstream, client, api):
    add_proxy(
        client,
        api,
        root_of(client, api),
        "{proxy+}",
        f"{upstream.url}/{{proxy}}",
        parameters={"integration.request.path.proxy": "method.request.path.proxy"},
        method_parameters={"method.request.path.proxy": True},
    )
    client.create_deployment(restApiId=api, stageName="v1")

    def serves():
        assert gateway.call(api, "v1", "/a").status == 200

    eventually(serves)
    body = "x" * 100_000
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        seen = gateway.call(api, "v1", "/a/b/c", method=verb, body=body).json
        assert (seen["method"], seen["path"], seen["body"]) == (verb, "/a/b/c", body)


def test_a_miss_answers_as_aws_does(gateway, client, api):
    add_mock(client, api, root_of(client, api), "here", "{}")
    client.create_deployment(restApiId=api, stageName="v1")

    def serves():
        assert gateway.call(api, "v1", "/here").status == 200

    eventually(serves)
    for method, stage, path, message, kind in [
        ("GET", "v1", "/there", "Missing Authentication Token", "MissingAuthenticationTokenException"),
        ("POST", "v1", "/here", "Missing Authentication Token", "MissingAuthenticationTokenException"),
        ("GET", "v2", "/here", "Forbidden", "ForbiddenException"),
    ]:
        answer = gateway.call(api, stage, path, method=method)
        assert (answer.status, answer.json["message"]) == (403, message), (method, stage, path)
        assert answer.headers["x-amzn-ErrorType"] == kind


def test_what_is_not_deployed_is_not_served(gateway, client, api):
    """AWS's best-known surprise: a change is visible after the next deployment, not before."""
    root = root_of(client, api)
    hello = add_mock(client, api, root, "hello", "one")
    client.create_deployment(restApiId=api, stageName="prod")

    def says(text, stage="prod"):
        assert gateway.call(api, stage, "/hello").body == text

    eventually(lambda: says(b"one"))
    set_text(client, api, hello, "two")
    add_mock(client, api, root, "new", "new")
    # A deployment without a stage changes no stage either.
    client.create_deployment(restApiId=api)
    # Something that does take effect at once, behind all of the above in the log of changes.
    client.create_deployment(restApiId=api, stageName="other")
    eventually(lambda: says(b"two", "other"))
    says(b"one")
    assert gateway.call(api, "prod", "/new").status == 403
    client.create_deployment(restApiId=api, stageName="prod")
    eventually(lambda: says(b"two"))
    assert gateway.call(api, "prod", "/new").body == b"new"
