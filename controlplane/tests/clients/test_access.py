"""Who may call the admin API: signed requests of programs, never a web page."""

import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gateway import REGION, request


def signed(gateway, **headers):
    """Headers of a signed GET /restapis; given ones are signed too."""
    made = AWSRequest("GET", f"{gateway.admin}/restapis", headers=headers)
    SigV4Auth(Credentials("test", "test"), "apigateway", REGION).add_auth(made)
    return dict(made.headers)


def refused(gateway, headers, kind):
    answer = request(gateway.admin, "GET", "/restapis", headers)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, kind), answer.body
    return answer.json["message"]


def test_a_signature_is_needed(gateway):
    assert request(gateway.admin, "GET", "/restapis", signed(gateway)).status == 200
    assert refused(gateway, {}, "MissingAuthenticationTokenException") == "Missing Authentication Token"
    refused(gateway, {"Authorization": "Bearer token"}, "IncompleteSignatureException")
    refused(gateway, {"Authorization": "AWS4-HMAC-SHA256 nonsense"}, "IncompleteSignatureException")


def test_a_signature_for_another_service_is_refused(gateway):
    made = AWSRequest("GET", f"{gateway.admin}/restapis")
    SigV4Auth(Credentials("test", "test"), "s3", REGION).add_auth(made)
    refused(gateway, dict(made.headers), "InvalidSignatureException")


def test_web_pages_are_refused(gateway):
    for origin in ("https://evil.example", "http://localhost:9", "null"):
        refused(gateway, {**signed(gateway), "Origin": origin}, "AccessDeniedException")
    refused(gateway, {**signed(gateway), "Sec-Fetch-Site": "cross-site"}, "AccessDeniedException")
    # Also when nothing is signed: the browser must not even learn whether a signature is needed.
    refused(gateway, {"Origin": "https://evil.example"}, "AccessDeniedException")


def test_foreign_host_names_are_refused(gateway):
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80"):
        refused(gateway, signed(gateway, Host=host), "AccessDeniedException")
    port = gateway.admin.rsplit(":", 1)[1]
    assert request(gateway.admin, "GET", "/restapis", signed(gateway, Host=f"localhost:{port}")).status == 200


def test_answers_carry_request_ids(gateway):
    answer = request(gateway.admin, "GET", "/restapis", signed(gateway))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-amzn-RequestId"]
    assert isinstance(json.loads(answer.body)["item"], list)


@pytest.mark.parametrize("path", ["/", "/nothing", "/restapis/x/nothing"])
def test_unknown_addresses(gateway, path):
    made = AWSRequest("GET", f"{gateway.admin}{path}")
    SigV4Auth(Credentials("test", "test"), "apigateway", REGION).add_auth(made)
    assert request(gateway.admin, "GET", path, dict(made.headers)).status == 403


def test_a_key_is_held_to_its_policy(gateway, api):
    key = gateway.tidegate("keys", "create", "--name", "ann")
    client = gateway.client(key["id"], key["secretAccessKey"])
    assert any(item["id"] == api for item in client.get_rest_apis(limit=500)["items"])
    with pytest.raises(ClientError) as refused:
        client.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}", tags={"a": "b"})
    error = refused.value.response
    encoded = f"arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Frestapis%2F{api}"
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDeniedException", 403)
    assert error["Error"]["Message"] == (
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: apigateway:PUT on resource: "
        f"arn:aws:apigateway:{REGION}::/tags/{encoded} "
        "because no identity-based policy allows the apigateway:PUT action"
    )
    gateway.tidegate("keys", "policy", key["id"], "--policy", "admin")
    client.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}", tags={"a": "b"})
    gateway.tidegate("keys", "disable", key["id"])
    with pytest.raises(ClientError) as refused:
        client.get_rest_apis()
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
    gateway.tidegate("keys", "delete", key["id"])
