"""The AWS CLI as people install it, with nothing but --endpoint-url changed."""

import json
import os
import pathlib
import subprocess
import sys

from gateway import KEYS, eventually

AWS = pathlib.Path(sys.executable).with_name("aws")


def test_an_api_is_made_and_deployed(gateway, tmp_path):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TIDEGATE_"))
    }
    # No settings or credentials of whoever runs the tests.
    environment |= KEYS | {"HOME": str(tmp_path), "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"}

    def aws(*arguments, code=0):
        done = subprocess.run(
            [AWS, "--endpoint-url", gateway.admin, "apigateway", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}: {done.stdout}{done.stderr}"
        if code:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    api = aws("create-rest-api", "--name", "from-cli")["id"]
    [root] = aws("get-resources", "--rest-api-id", api)["items"]
    hello = aws("create-resource", "--rest-api-id", api, "--parent-id", root["id"], "--path-part", "hello")["id"]
    at = ["--rest-api-id", api, "--resource-id", hello, "--http-method", "GET"]
    aws("put-method", *at, "--authorization-type", "NONE")
    aws("put-method-response", *at, "--status-code", "200")
    template = json.dumps({"application/json": '{"statusCode": 200}'})
    aws("put-integration", *at, "--type", "MOCK", "--request-templates", template)
    text = json.dumps({"application/json": "hello from the CLI"})
    aws("put-integration-response", *at, "--status-code", "200", "--response-templates", text)
    first = aws("create-deployment", "--rest-api-id", api, "--stage-name", "prod")["id"]

    def says(words):
        assert gateway.call(api, "prod", "/hello").body == words

    eventually(lambda: says(b"hello from the CLI"))

    # A document in place of what was there, then back.
    document = tmp_path / "api.json"
    document.write_text(
        json.dumps(
            {
                "openapi": "3.0.1",
                "info": {"title": "from-cli", "version": "2"},
                "paths": {
                    "/hello": {
                        "get": {
                            "responses": {"200": {"description": "ok"}},
                            "x-amazon-apigateway-integration": {
                                "type": "mock",
                                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                                "responses": {
                                    "default": {
                                        "statusCode": "200",
                                        "responseTemplates": {"application/json": "imported"},
                                    }
                                },
                            },
                        }
                    }
                },
            }
        )
    )
    aws("put-rest-api", "--rest-api-id", api, "--mode", "overwrite", "--body", f"fileb://{document}")
    aws("create-deployment", "--rest-api-id", api, "--stage-name", "prod")
    eventually(lambda: says(b"imported"))
    patch = f"op=replace,path=/deploymentId,value={first}"
    aws("update-stage", "--rest-api-id", api, "--stage-name", "prod", "--patch-operations", patch)
    eventually(lambda: says(b"hello from the CLI"), within=1)

    # The code of version 1 of the CLI for refusals by the service.
    told = aws("get-rest-api", "--rest-api-id", "nope", code=255)
    assert "(NotFoundException) when calling the GetRestApi operation: Invalid API identifier specified" in told
    aws("delete-rest-api", "--rest-api-id", api)
