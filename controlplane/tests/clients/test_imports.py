"""APIs from documents: OpenAPI 3.0 and Swagger 2.0, JSON and YAML, new ones and into what is there."""

import json

import pytest
import yaml

from gateway import eventually


def integration(uri):
    return {
        "type": "http_proxy",
        "httpMethod": "GET",
        "uri": uri,
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
    }


def mock(text):
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": text}}},
    }


def openapi3(upstream, title="imported", paths=("/animals/{id}", "/hello")):
    every = {
        "/animals/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "one"}},
                "x-amazon-apigateway-integration": integration(f"{upstream.url}/a/{{id}}"),
            }
        },
        "/hello": {
            "get": {
                "responses": {"200": {"description": "a greeting"}},
                "x-amazon-apigateway-integration": mock("hello"),
            }
        },
        "/bye": {
            "get": {
                "responses": {"200": {"description": "a farewell"}},
                "x-amazon-apigateway-integration": mock("bye"),
            }
        },
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "2024-01-01"},
        "paths": {path: every[path] for path in paths},
    }


def swagger2(upstream):
    document = openapi3(upstream)
    get = document["paths"]["/animals/{id}"]["get"]
    get["parameters"] = [{"name": "id", "in": "path", "required": True, "type": "string"}]
    return {"swagger": "2.0", **{key: document[key] for key in ("info", "paths")}}


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("document", [openapi3, swagger2])
def test_a_document_becomes_an_api_that_serves(gateway, upstream, client, document, form):
    text = json.dumps(document(upstream)) if form == "json" else yaml.safe_dump(document(upstream))
    made = client.import_rest_api(body=text.encode(), failOnWarnings=True)
    api = made["id"]
    try:
        assert (made["name"], made["version"]) == ("imported", "2024-01-01")
        paths = [resource["path"] for resource in client.get_resources(restApiId=api)["items"]]
        assert paths == ["/", "/animals", "/animals/{id}", "/hello"]
        client.create_deployment(restApiId=api, stageName="prod")

        def serves():
            assert gateway.call(api, "prod", "/hello").body == b"hello"

        eventually(serves)
        assert gateway.call(api, "prod", "/animals/7").json["path"] == "/a/7"
    finally:
        client.delete_rest_api(restApiId=api)


def test_put_merges_or_overwrites(upstream, client, api):
    def paths():
        return [resource["path"] for resource in client.get_resources(restApiId=api)["items"]]

    def put(mode, *wanted, title="imported"):
        body = json.dumps(openapi3(upstream, title, wanted)).encode()
        return client.put_rest_api(restApiId=api, mode=mode, body=body)

    assert put("overwrite", "/hello")["id"] == api
    assert paths() == ["/", "/hello"]
    hello = next(r["id"] for r in client.get_resources(restApiId=api)["items"] if r["path"] == "/hello")
    put("merge", "/bye")
    assert paths() == ["/", "/bye", "/hello"]
    assert client.get_resource(restApiId=api, resourceId=hello)["path"] == "/hello"
    put("overwrite", "/bye", title="renamed")
    assert paths() == ["/", "/bye"]
    assert client.get_rest_api(restApiId=api)["name"] == "renamed"


def test_what_is_no_document_is_refused(client, api):
    for body in (b"", b"{", b"[]", b"{}", b'{"openapi": "2.9"}', b"\xff\xfe", b"a: &a [*a, *a]"):
        with pytest.raises(client.exceptions.BadRequestException):
            client.import_rest_api(body=body)
        with pytest.raises(client.exceptions.BadRequestException):
            client.put_rest_api(restApiId=api, body=body)
    # An API needs a name; one that is there has one.
    with pytest.raises(client.exceptions.BadRequestException, match="Name cannot be empty"):
        client.import_rest_api(body=b'{"openapi": "3.0.1"}')
