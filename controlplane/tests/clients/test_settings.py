"""Settings beyond AWS, set by unmodified boto3 and seen through a real node."""

import json

import pytest
from botocore.exceptions import ClientError

from gateway import add_mock, add_proxy, eventually, root_of

APP = "https://app.example"


def settings(client, api, **members):
    """Sets members of the settings; `None` takes one back."""
    steps = []
    for name, value in members.items():
        step = {"op": "remove" if value is None else "replace", "path": f"/tidegate/{name}"}
        steps.append(step if value is None else step | {"value": json.dumps(value)})
    client.update_rest_api(restApiId=api, patchOperations=steps)


def deploy(client, api):
    client.create_deployment(restApiId=api, stageName="prod")


def test_cors_covers_answers_that_the_gateway_makes_itself(gateway, client, api):
    add_mock(client, api, root_of(client, api), "pets", "[]")
    settings(client, api, cors={"allowOrigins": [APP], "allowMethods": ["GET"], "allowCredentials": True})
    deploy(client, api)

    def refused():
        answer = gateway.call(api, "prod", "/nope", headers={"Origin": APP})
        assert answer.status == 403 and answer.json == {"message": "Missing Authentication Token"}
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        return answer

    answer = eventually(refused)
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    asks = {"Origin": APP, "Access-Control-Request-Method": "GET"}
    preflight = gateway.call(api, "prod", "/pets", "OPTIONS", asks)
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET"
    other = gateway.call(api, "prod", "/pets", headers={"Origin": "https://evil.example"})
    assert other.status == 200 and "Access-Control-Allow-Origin" not in other.headers

    exported = client.get_export(
        restApiId=api, stageName="prod", exportType="oas30", parameters={"extensions": "apigateway"}
    )
    exported = json.loads(exported["body"].read())
    assert exported["x-tidegate-settings"]["cors"]["allowOrigins"] == [APP]

    settings(client, api, cors=None)
    deploy(client, api)

    def silent():
        answer = gateway.call(api, "prod", "/nope", headers={"Origin": APP})
        assert "Access-Control-Allow-Origin" not in answer.headers

    eventually(silent)


def test_a_setting_that_makes_no_sense_is_a_bad_request(client, api):
    with pytest.raises(ClientError) as refused:
        settings(client, api, cors={"allowOrigins": ["*"], "allowCredentials": True})
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert "allowCredentials cannot be true" in str(refused.value)


def test_time_outs_and_response_models(gateway, client, api, upstream):
    resource = add_proxy(client, api, root_of(client, api), "pets", f"{upstream.url}/pets", "GET")
    at = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    longer = [{"op": "replace", "path": "/timeoutInMillis", "value": "60000"}]
    with pytest.raises(ClientError, match="Timeout should be between 50 ms and 29000 ms"):
        client.update_integration(**at, patchOperations=longer)
    settings(client, api, limits={"profile": "open"}, responseValidation={"mode": "log"})
    assert client.update_integration(**at, patchOperations=longer)["timeoutInMillis"] == 60_000

    schema = json.dumps({"type": "object", "properties": {"method": {"type": "integer"}}})
    client.create_model(restApiId=api, name="Seen", contentType="application/json", schema=schema)
    client.put_method_response(**at, statusCode="200", responseModels={"application/json": "Seen"})
    deploy(client, api)

    def passed():
        answer = gateway.call(api, "prod", "/pets")
        assert answer.status == 200 and answer.json["method"] == "GET"

    def told():
        line = "response mismatch: GET /pets 200 does not fit model Seen: at /method: "
        assert f"{line}instance type (string)" in gateway.log_text() and f"api={api}" in gateway.log_text()

    eventually(passed)
    eventually(told)
    enforce = [{"op": "replace", "path": "/tidegate/responseValidation", "value": "enforce"}]
    client.update_method(**at, patchOperations=enforce)
    client.put_gateway_response(restApiId=api, responseType="BAD_RESPONSE_BODY", statusCode="500")
    deploy(client, api)

    def enforced():
        answer = gateway.call(api, "prod", "/pets")
        assert (answer.status, answer.body) == (500, b'{"message":"Invalid response body"}')

    eventually(enforced)
