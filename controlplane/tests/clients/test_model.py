"""Every operation of boto3's own service model is served, has a conformance case, and refuses what is not of its form."""

import json
import re

import pytest

from gateway import REPOSITORY
from model import OPERATIONS, has_json_body, members, revision, send

CASES = REPOSITORY / "controlplane/tests/conformance"
CATALOGUE = REPOSITORY / "controlplane/src/rest/operations.rs"

WITH_BODY = sorted(name for name in OPERATIONS if has_json_body(name))


def test_the_catalogue_is_the_model():
    found = re.findall(r'^    (\w+) ([A-Z]+) (\d+) "(.*)";$', CATALOGUE.read_text(), re.M)
    ours = {name: (method, int(status), re.sub(r"\{\+", "{", uri)) for name, method, status, uri in found}
    model = {
        name: (operation.http["method"], operation.http.get("responseCode", 200), operation.http["requestUri"])
        for name, operation in OPERATIONS.items()
    }
    assert ours == model


def test_every_operation_has_a_case_that_succeeds():
    addresses = []
    for name, operation in OPERATIONS.items():
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(path))
        if "arn" in path:
            pattern = re.sub(r"\[\^/\]\+$", ".+", pattern)
        addresses.append((operation.http["method"], re.compile(f"^{pattern}/?$"), query, name))
    seen = set()
    for file in sorted(CASES.glob("*.json")):
        for case in json.loads(file.read_text()):
            for step in case["steps"]:
                method, target = step["call"].split(" ", 1)
                path, _, query = target.partition("?")
                fits = [
                    (wanted, name)
                    for verb, pattern, wanted, name in addresses
                    if verb == method and pattern.match(path) and (not wanted or wanted in query)
                ]
                # An address that asks for a query wins over the one that does not.
                if fits and step["status"] < 300:
                    seen.add(max(fits)[1])
    gaps = (CASES / "gaps.txt").read_text()
    excused = set(re.findall(r"^(\w+):", gaps, re.M))
    started_from = {"CreateRestApi", "CreateResource", "PutMethod", "PutMethodResponse", "PutIntegration"}
    assert set(OPERATIONS) - seen - started_from == excused


def wrong(shape):
    """A value that is not of the shape's type, and not one that converts either."""
    return {"string": {"a": []}, "list": "text", "map": "text", "structure": "text"}.get(shape.type_name, {"a": []})


@pytest.mark.parametrize("operation", WITH_BODY)
def test_wrong_types_are_refused(gateway, operation):
    before = revision(gateway)
    for name, shape in members(operation, "body"):
        answer = send(gateway, operation, {name: wrong(shape)})
        refused = answer.status, answer.headers["x-amzn-ErrorType"]
        assert refused == (400, "SerializationException"), (name, answer.body)
        assert answer.json["message"]
    for name, shape in members(operation, "body"):
        if shape.type_name == "string" and not getattr(shape, "enum", None):
            answer = send(gateway, operation, {name: True})
            assert answer.json["message"] == "class java.lang.Boolean can not be converted to an String", name
    assert revision(gateway) == before


def required_members(operation):
    shape = OPERATIONS[operation].input_shape
    required = {shape.members[name].serialization.get("name", name) for name in shape.required_members}
    return [name for name, _ in members(operation, "body") if name in required]


@pytest.mark.parametrize("operation", list(filter(required_members, WITH_BODY)))
def test_missing_members_are_told_all_at_once(gateway, operation):
    required = required_members(operation)
    before = revision(gateway)
    answer = send(gateway, operation, {})
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException"), answer.body
    message = answer.json["message"]
    count = len(required)
    assert message.startswith(f"{count} validation error{'s' if count > 1 else ''} detected: "), message
    for name in required:
        place = f"{operation[0].lower()}{operation[1:]}Input.{name}"
        assert f"Value null at '{place}' failed to satisfy constraint: Member must not be null" in message
    assert revision(gateway) == before


@pytest.mark.parametrize("operation", WITH_BODY)
def test_unknown_names_are_refused(gateway, operation):
    before = revision(gateway)
    for name, shape in members(operation, "body"):
        if not getattr(shape, "enum", None):
            continue
        answer = send(gateway, operation, {name: "no such name"})
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException"), answer.body
        wanted = ", ".join(shape.enum)
        message = answer.json["message"]
        assert f"Value 'no such name' at '{operation[0].lower()}{operation[1:]}Input.{name}'" in message
        listed = re.search(r"Input\.%s' failed .*?enum value set: \[(.*?)\]" % name, message).group(1)
        assert sorted(listed.split(", ")) == sorted(wanted.split(", ")), message
    assert revision(gateway) == before


BROKEN = {
    "half": b'{"name": "a"',
    "nothing but a quote": b'"',
    "a list": b"[]",
    "text": b'"text"',
    "a number": b"1",
    "latin-1": b'{"name": "\xe9"}',
    "control characters": b'{"name": "\x00"}',
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "two values": b"{}{}",
    "XML": b"<a/>",
}


@pytest.mark.parametrize("operation", WITH_BODY)
def test_bodies_that_are_no_object_are_refused(gateway, operation):
    before = revision(gateway)
    for what, body in BROKEN.items():
        answer = send(gateway, operation, body)
        refused = answer.status, answer.headers["x-amzn-ErrorType"]
        assert refused == (400, "SerializationException"), (what, answer.body)
    assert revision(gateway) == before


def test_a_patch_is_checked_step_by_step(gateway):
    for operation in sorted(name for name in OPERATIONS if "patchOperations" in dict(members(name, "body"))):
        steps = [{"op": "replace", "path": "/a"}, {"op": "swap", "path": "/b"}, {"op": "swap", "path": "/c"}]
        answer = send(gateway, operation, {"patchOperations": steps})
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException"), operation
        place = f"{operation[0].lower()}{operation[1:]}Input.patchOperations"
        for index in (2, 3):
            assert f"Value 'swap' at '{place}.{index}.member.op'" in answer.json["message"], operation


def test_nothing_is_answered_with_a_server_error(gateway):
    """Whatever stands in the path, a call is answered as a caller's mistake."""
    odd = ["%00", "%FF", "a" * 5000, "..%2F..", "%2e%2e", "' OR 1=1", "${jndi:x}", "%F0%9F%92%A9", "-1", "0"]
    for operation, model in sorted(OPERATIONS.items()):
        names = re.findall(r"\{(\w+)\+?\}", model.http["requestUri"])
        for text in odd if names else []:
            answer = send(gateway, operation, {} if has_json_body(operation) else b"", dict.fromkeys(names, text.replace(" ", "%20")))
            assert answer.status < 500, (operation, text, answer.body)
