"""Refusals carry AWS's names, statuses and texts, so that programs that look at them go on working."""

import pytest
from botocore.exceptions import ClientError

from gateway import ACCOUNT, add_mock, add_proxy, root_of

UNKNOWN = "abcdefghij"


def refused(call, **arguments):
    """Name, status and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_unknown_ids(client, api):
    unknown_api = ("NotFoundException", 404, f"Invalid API identifier specified {ACCOUNT}:{UNKNOWN}")
    assert refused(client.get_rest_api, restApiId=UNKNOWN) == unknown_api
    assert refused(client.delete_rest_api, restApiId=UNKNOWN) == unknown_api
    assert refused(client.get_resources, restApiId=UNKNOWN) == unknown_api
    assert refused(client.create_deployment, restApiId=UNKNOWN) == unknown_api
    # Ids are compared as they are.
    assert refused(client.get_rest_api, restApiId=api.upper())[0] == "NotFoundException"
    no_resource = ("NotFoundException", 404, "Invalid Resource identifier specified")
    assert refused(client.get_resource, restApiId=api, resourceId="abc123") == no_resource
    assert refused(client.create_resource, restApiId=api, parentId="abc123", pathPart="x") == no_resource
    at = {"restApiId": api, "resourceId": root_of(client, api), "httpMethod": "GET"}
    assert refused(client.get_method, **at) == ("NotFoundException", 404, "Invalid Method identifier specified")
    client.put_method(**at, authorizationType="NONE")
    assert refused(client.get_integration, **at) == (
        "NotFoundException",
        404,
        "Invalid Integration identifier specified",
    )
    assert refused(client.get_method_response, **at, statusCode="200") == (
        "NotFoundException",
        404,
        "Invalid Response status code specified",
    )
    assert refused(client.get_stage, restApiId=api, stageName="nope") == (
        "NotFoundException",
        404,
        "Invalid Stage identifier specified",
    )
    assert refused(client.get_deployment, restApiId=api, deploymentId="abc123") == (
        "NotFoundException",
        404,
        "Invalid Deployment identifier specified",
    )
    assert refused(client.create_stage, restApiId=api, stageName="x", deploymentId="abc123") == (
        "BadRequestException",
        400,
        "Deployment id does not exist",
    )


def test_conflicts(client, api):
    root = root_of(client, api)
    resource = add_mock(client, api, root, "pets", "{}")
    assert refused(client.create_resource, restApiId=api, parentId=root, pathPart="pets") == (
        "ConflictException",
        409,
        "Another resource with the same parent already has this name: pets",
    )
    name, status, _ = refused(
        client.put_method, restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE"
    )
    assert (name, status) == ("ConflictException", 409)
    deployment = client.create_deployment(restApiId=api, stageName="prod")["id"]
    assert refused(client.create_stage, restApiId=api, stageName="prod", deploymentId=deployment) == (
        "ConflictException",
        409,
        "Stage already exists",
    )
    assert refused(client.delete_deployment, restApiId=api, deploymentId=deployment) == (
        "BadRequestException",
        400,
        "Active stages pointing to this deployment must be moved or deleted: prod",
    )
    with pytest.raises(client.exceptions.ConflictException):
        client.create_resource(restApiId=api, parentId=root, pathPart="pets")


def test_constraints(client, api):
    root = root_of(client, api)
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**at, authorizationType="NONE")
    assert refused(client.put_integration, **at, type="LAMBDA") == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'LAMBDA' at 'putIntegrationInput.type' failed to satisfy constraint: "
        "Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
    )
    assert refused(client.put_method_response, **at, statusCode="999") == (
        "ValidationException",
        400,
        "1 validation error detected: Value '999' at 'statusCode' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [1-5]\d\d",
    )
    assert refused(
        client.create_rest_api, name="x", endpointConfiguration={"types": ["wrong"]}
    ) == (
        "ValidationException",
        400,
        "1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to "
        "satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
        "[PRIVATE, EDGE, REGIONAL]]",
    )
    bad = ("BadRequestException", 400)
    for call, arguments, message in [
        (
            client.put_integration,
            {**at, "type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "ftp://x"},
            "Invalid HTTP endpoint specified for URI",
        ),
        (
            client.put_integration,
            {**at, "type": "HTTP_PROXY", "uri": "http://x.example"},
            "Enumeration value for HttpMethod must be non-empty",
        ),
        (
            client.put_method,
            {"restApiId": api, "resourceId": root, "httpMethod": "FETCH", "authorizationType": "NONE"},
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        (
            client.create_rest_api,
            {"name": "x", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}},
            "Cannot create an api with multiple Endpoint Types.",
        ),
    ]:
        assert refused(call, **arguments) == (*bad, message)
    client.create_resource(restApiId=api, parentId=root, pathPart="{a}")
    assert refused(client.create_resource, restApiId=api, parentId=root, pathPart="{b}") == (
        *bad,
        "A sibling ({a}) of this resource already has a variable path part -- only one is allowed",
    )


def test_what_a_node_could_not_serve_is_not_deployed(client, api):
    assert refused(client.create_deployment, restApiId=api, stageName="prod") == (
        "BadRequestException",
        400,
        "The REST API doesn't contain any methods",
    )
    root = root_of(client, api)
    resource = client.create_resource(restApiId=api, parentId=root, pathPart="fn")["id"]
    at = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    client.put_method(**at, authorizationType="NONE", apiKeyRequired=True)
    assert refused(client.create_deployment, restApiId=api) == (
        "BadRequestException",
        400,
        "No integration defined for method",
    )
    client.put_integration(**at, type="MOCK")
    name, status, message = refused(client.create_deployment, restApiId=api, stageName="prod")
    assert (name, status) == ("BadRequestException", 400)
    assert "POST /fn: apiKeyRequired" in message, message
    # Every problem is told at once, and nothing was made.
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE", apiKeyRequired=True)
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    _, _, message = refused(client.create_deployment, restApiId=api, stageName="prod")
    assert "POST /fn" in message and "GET /: apiKeyRequired" in message, message
    assert client.get_deployments(restApiId=api)["items"] == []
    assert client.get_stages(restApiId=api)["item"] == []


def test_a_loop_of_resources_is_refused(client, api, upstream):
    root = root_of(client, api)
    outer = client.create_resource(restApiId=api, parentId=root, pathPart="outer")["id"]
    inner = client.create_resource(restApiId=api, parentId=outer, pathPart="inner")["id"]
    move = [{"op": "replace", "path": "/parentId", "value": inner}]
    assert refused(client.update_resource, restApiId=api, resourceId=outer, patchOperations=move) == (
        "BadRequestException",
        400,
        "Resources cannot be cyclical.",
    )
    greedy = add_proxy(client, api, root, "{proxy+}", upstream.url)
    assert refused(client.create_resource, restApiId=api, parentId=greedy, pathPart="x") == (
        "BadRequestException",
        400,
        "Cannot create a child of a resource with a greedy path variable: {proxy+}",
    )
