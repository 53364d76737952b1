"""Methods with authorization AWS_IAM, called with requests that botocore signs; and services called as who calls the method."""

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway import REGION, request, verifying


class Signing:
    """Calls one method of an API, signed by botocore."""

    def __init__(self, tidegate, api):
        self.tidegate, self.host = tidegate, f"{api}.execute-api.localhost"

    def call(self, user, path, method="GET", body=None, auth=SigV4Auth, region=REGION):
        credentials = Credentials(user["accessKeyId"], user["secretAccessKey"])
        asked = AWSRequest(method, f"http://{self.host}/prod{path}", headers={"Host": self.host}, data=body)
        auth(credentials, "execute-api", region).add_auth(asked)
        target = asked.url.removeprefix(f"http://{self.host}")
        return request(self.tidegate.gateway, method, target, dict(asked.headers), body)


def deployed(tidegate, **integration):
    client = tidegate.client()
    api = client.create_rest_api(name="iam")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    thing = client.create_resource(restApiId=api, parentId=root, pathPart="{thing}")["id"]
    at = {"restApiId": api, "resourceId": thing, "httpMethod": "ANY"}
    client.put_method(**at, authorizationType="AWS_IAM")
    client.put_integration(**at, **integration)
    client.put_method_response(**at, statusCode="200")
    told = "$context.identity.userArn $context.identity.user"
    templates = {"application/json": told} if integration["type"] == "MOCK" else {}
    client.put_integration_response(**at, statusCode="200", responseTemplates=templates)
    client.create_deployment(restApiId=api, stageName="prod")
    tidegate.await_stage(api, "prod")
    return Signing(tidegate, api)


@pytest.fixture(scope="module")
def telling(beside_aws):
    return deployed(beside_aws, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})


@pytest.mark.parametrize("auth", [SigV4Auth, SigV4QueryAuth])
@pytest.mark.parametrize("path", ["/a", "/a%20b", "/a?b=2&a=%2F1&a", "/~x*(1)"])
def test_signed_requests_are_let_in(telling, people, auth, path):
    for name in ("ann", "guest"):
        answer = telling.call(people[name], path, auth=auth)
        assert (answer.status, answer.body.decode()) == (200, f"{people[name]['arn']} {people[name]['userId']}")


def test_a_signed_body_is_let_in(telling, people):
    assert telling.call(people["ann"], "/a", "POST", body=b'{"order": 1}').status == 200


def test_others_are_told_why_not(telling, people):
    nobody, ann = people["nobody"], people["ann"]
    answer = telling.call(nobody, "/a")
    assert answer.status == 403
    assert answer.json["Message"].startswith(f"User: {nobody['arn']} is not authorized to perform: execute-api:Invoke on resource: ")
    assert answer.json["Message"].endswith("/prod/GET/a because no identity-based policy allows the execute-api:Invoke action")
    unsigned = request(telling.tidegate.gateway, "GET", "/prod/a", {"Host": telling.host})
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    guessed = telling.call(ann | {"secretAccessKey": "guessed"}, "/a")
    assert guessed.json["message"].startswith("The request signature we calculated does not match the signature you provided.")
    stranger = telling.call(ann | {"accessKeyId": "AKIANOBODY0000000000"}, "/a")
    assert stranger.json == {"message": "The security token included in the request is invalid."}
    elsewhere = telling.call(ann, "/a", region="eu-north-1")
    assert elsewhere.json == {"message": "Credential should be scoped to a valid region, not 'eu-north-1'."}


def test_services_are_called_as_the_caller(beside_aws, moto, service, people):
    """moto verifies signatures and policies here: ann may list tables there, guest may not."""
    api = deployed(
        beside_aws,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:dynamodb:action/ListTables",
        credentials="arn:aws:iam::*:user/*",
        requestTemplates={"application/json": "{}"},
    )
    with verifying(moto):
        taken, refused = api.call(people["ann"], "/tables"), api.call(people["guest"], "/tables")
    assert "TableNames" in taken.json, taken.body
    assert b"is not authorized to perform" in refused.body or b"AccessDenied" in refused.body, refused.body
