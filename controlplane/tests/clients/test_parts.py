"""What methods name: models, request validators, authorizers; and gateway responses."""

import json

import pytest

from gateway import root_of

FUNCTION = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"


def test_parts_are_made_named_and_kept_while_named(client, api):
    schema = json.dumps({"type": "object", "properties": {"name": {"type": "string"}}})
    client.create_model(restApiId=api, name="Pet", contentType="application/json", schema=schema)
    validator = client.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
    authorizer = client.create_authorizer(
        restApiId=api,
        name="token",
        type="TOKEN",
        authorizerUri=FUNCTION,
        identitySource="method.request.header.Authorization",
        identityValidationExpression="Bearer .+",
    )
    assert authorizer["authType"] == "custom" and "authorizerResultTtlInSeconds" not in authorizer
    client.put_method(
        restApiId=api,
        resourceId=root_of(client, api),
        httpMethod="POST",
        authorizationType="CUSTOM",
        authorizerId=authorizer["id"],
        requestModels={"application/json": "Pet"},
        requestValidatorId=validator,
    )
    conflict = client.exceptions.ConflictException
    with pytest.raises(conflict, match="method request: //POST"):
        client.delete_model(restApiId=api, modelName="Pet")
    with pytest.raises(conflict, match="method request: //POST"):
        client.delete_request_validator(restApiId=api, requestValidatorId=validator)
    with pytest.raises(conflict, match="method: POST//"):
        client.delete_authorizer(restApiId=api, authorizerId=authorizer["id"])

    client.delete_method(restApiId=api, resourceId=root_of(client, api), httpMethod="POST")
    client.delete_model(restApiId=api, modelName="Pet")
    client.delete_request_validator(restApiId=api, requestValidatorId=validator)
    client.delete_authorizer(restApiId=api, authorizerId=authorizer["id"])


def test_lists_of_parts_come_in_pages(client, api):
    for n in range(3):
        client.create_model(restApiId=api, name=f"M{n}", contentType="text/plain")
        client.create_request_validator(restApiId=api)
    for call, count in [("get_models", 5), ("get_request_validators", 3), ("get_gateway_responses", 21)]:
        pages = client.get_paginator(call).paginate(restApiId=api, PaginationConfig={"PageSize": 2})
        assert len([item for page in pages for item in page["items"]]) == count, call


def test_an_authorizer_is_tested_without_being_called(client, api):
    authorizer = client.create_authorizer(
        restApiId=api,
        name="request",
        type="REQUEST",
        authorizerUri=FUNCTION,
        identitySource="method.request.header.X-Key, method.request.querystring.who",
    )["id"]
    refused = client.test_invoke_authorizer(restApiId=api, authorizerId=authorizer, headers={"x-key": "0123456789"})
    assert refused["clientStatus"] == 401 and "Unauthorized request" in refused["log"]
    asked = client.test_invoke_authorizer(
        restApiId=api,
        authorizerId=authorizer,
        headers={"x-key": "0123456789"},
        pathWithQueryString="/pets?who=me",
    )
    assert asked["clientStatus"] == 500 and asked["latency"] >= 0
    assert "{method.request.header.X-Key=****456789, method.request.querystring.who=me}" in asked["log"]
    assert "Execution failed due to configuration error: " in asked["log"]


def test_templates_and_gateway_responses(client, api):
    template = client.get_model_template(restApiId=api, modelName="Error")["value"]
    assert template == "#set($inputRoot = $input.path('$'))\n{\n  \"message\" : \"$inputRoot.message\"\n}"
    put = client.put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="430")
    assert put["responseTemplates"] == {"application/json": '{"message":$context.error.messageString}'}
    steps = [{"op": "add", "path": "/responseParameters/gatewayresponse.header.X", "value": "'v'"}]
    changed = client.update_gateway_response(restApiId=api, responseType="DEFAULT_4XX", patchOperations=steps)
    assert changed["defaultResponse"] is False and "statusCode" not in changed
    client.delete_gateway_response(restApiId=api, responseType="THROTTLED")
    assert client.get_gateway_response(restApiId=api, responseType="THROTTLED")["defaultResponse"] is True
    with pytest.raises(client.exceptions.NotFoundException, match="not defined on api"):
        client.delete_gateway_response(restApiId=api, responseType="THROTTLED")
