"""Makes a public document one that API Gateway takes: what AWS refuses and only an author can decide is decided here.

A resource has one variable name (`/a/{x}` and `/a/{y}/b` are one place), a method has one parameter of a name, and a method
needs an integration to be deployed and a response to be described.
"""

import copy
from urllib.parse import unquote

VERBS = {"get", "put", "post", "delete", "options", "head", "patch"}


def prepared(document):
    document = copy.deepcopy(document)
    names = {}
    paths = {}
    for path, item in document["paths"].items():
        if path.startswith("x-"):
            continue
        path, renamed = one_name_per_place(path, names)
        item = resolved(document, item)
        shared = parameters(document, item.pop("parameters", []), renamed)
        target = paths.setdefault(path, {})
        for verb, operation in item.items():
            if verb in VERBS and verb not in target:
                target[verb] = operated(document, operation, shared, renamed)
    document["paths"] = paths
    return document


def one_name_per_place(path, names):
    """The path with the first name each variable had at its place, and which names that changed."""
    at, renamed = "", {}
    for part in path.split("/")[1:]:
        if part.startswith("{") and part.endswith("}"):
            name = names.setdefault(at, part)
            if name != part:
                renamed[part[1:-1]] = name[1:-1]
            part = name
        at += "/" + part
    return at, renamed


def resolved(document, value):
    while "$ref" in value:
        found = document
        for part in unquote(value["$ref"][2:]).split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name) if isinstance(found, list) else name]
        value = found
    return dict(value)


def parameters(document, declared, renamed):
    found = []
    for parameter in declared:
        parameter = resolved(document, parameter)
        if parameter["in"] == "path":
            parameter["name"] = renamed.get(parameter["name"], parameter["name"])
        found.append(parameter)
    return found


def operated(document, operation, shared, renamed):
    operation = dict(operation)
    kept = {}
    own = parameters(document, operation.get("parameters", []), renamed)
    for place in ("path", "body", "query", "header"):
        for parameter in [*own, *shared]:
            if parameter["in"] == place:
                kept.setdefault(parameter["name"], parameter)
    operation["parameters"] = list(kept.values())
    responses = operation.setdefault("responses", {})
    if not any(status.isdigit() for status in responses):
        operation["responses"] = {**responses, "200": {"description": "200 response"}}
    operation["x-amazon-apigateway-integration"] = {"type": "mock", "responses": {"default": {"statusCode": "200"}}}
    return operation
