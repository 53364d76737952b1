"""The service model that boto3 itself works from, and calls made from it by hand."""

import json
import re

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway import REGION, request

SERVICE = botocore.session.get_session().get_service_model("apigateway")
OPERATIONS = {name: SERVICE.operation_model(name) for name in SERVICE.operation_names}


def members(operation, location):
    """Input members at a location: `uri`, `querystring`, `header`, or `body` for those without one."""
    shape = OPERATIONS[operation].input_shape
    for name, member in (shape.members if shape else {}).items():
        found = member.serialization.get("location", "body")
        if found == location and shape.serialization.get("payload") != name:
            yield member.serialization.get("name", name), member


def has_json_body(operation):
    shape = OPERATIONS[operation].input_shape
    return shape is not None and "payload" not in shape.serialization and any(members(operation, "body"))


def target(operation, parameters=None):
    """The operation's address with its path parameters filled in; unknown ids where none are given."""
    given = {"http_method": "GET", "status_code": "200", "response_type": "DEFAULT_4XX"} | (parameters or {})
    uri = OPERATIONS[operation].http["requestUri"]
    return re.sub(r"\{(\w+)\+?\}", lambda name: given.get(name.group(1), "abc123"), uri)


def send(gateway, operation, body=b"", parameters=None):
    """A signed call whose body is sent as it is."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    method, path = OPERATIONS[operation].http["method"], target(operation, parameters)
    made = AWSRequest(method, f"{gateway.admin}{path}", data=body)
    SigV4Auth(Credentials("test", "test"), "apigateway", REGION).add_auth(made)
    return request(gateway.admin, method, path, dict(made.headers), body)


def revision(gateway):
    """The store's newest revision: what did not raise it wrote nothing."""
    return request(gateway.admin, "GET", "/_tidegate/health").json["revision"]
