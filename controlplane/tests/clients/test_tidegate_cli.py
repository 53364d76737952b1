"""The operator's command line, as programs use it: --output json."""

import json

from gateway import eventually
from test_imports import openapi3


def test_the_way_of_an_api(gateway, upstream, tmp_path):
    document = tmp_path / "api.json"
    document.write_text(json.dumps(openapi3(upstream, "by-operator", ["/hello"])))
    made = gateway.tidegate("import", str(document), "--stage", "prod")
    api, first = made["id"], made["deployment"]
    assert made["created"] and made["stage"] == "prod" and first

    def says(words, path="/hello"):
        assert gateway.call(api, "prod", path).body == words

    eventually(lambda: says(b"hello"))
    # Doing it again changes nothing.
    again = gateway.tidegate("import", str(document), "--stage", "prod")
    assert (again["id"], again["created"], again["deployment"]) == (api, False, None)

    assert [one["name"] for one in gateway.tidegate("apis") if one["id"] == api] == ["by-operator"]
    [stage] = gateway.tidegate("stages", api)
    assert (stage["stage"], stage["deployment"], stage["undeployedChanges"]) == ("prod", first, [])

    document.write_text(json.dumps(openapi3(upstream, "by-operator", ["/hello", "/bye"])))
    made = gateway.tidegate("import", str(document))
    assert made["id"] == api and made["deployment"] is None
    [stage] = gateway.tidegate("stages", "by-operator")
    assert [(one["difference"], one["subject"]) for one in stage["undeployedChanges"]] == [("added", "GET /bye")]
    assert gateway.call(api, "prod", "/bye").status == 403
    deployed = gateway.tidegate("deploy", api, "--stage", "prod", "--description", "with a farewell")
    # The command waits for the nodes, so it is served now.
    assert deployed["nodes"] == {"serving": 1, "connected": 1}
    says(b"bye", "/bye")

    back = gateway.tidegate("rollback", api, "--stage", "prod")
    assert (back["deployment"], back["replaced"]) == (first, deployed["deployment"])
    assert gateway.call(api, "prod", "/bye").status == 403

    listed = gateway.tidegate("deployments", api)
    assert [one["deployment"] for one in listed] == [deployed["deployment"], first]

    [node] = gateway.tidegate("nodes")
    assert node["connected"] and node["newest"] and node["refusals"] == []

    gateway.client().delete_rest_api(restApiId=api)


def test_a_request_is_explained_without_being_sent(gateway, upstream, tmp_path):
    document = tmp_path / "api.json"
    document.write_text(json.dumps(openapi3(upstream, "explained")))
    api = gateway.tidegate("import", str(document), "--stage", "prod")["id"]
    url = f"http://{api}.execute-api.localhost/prod/animals/7"
    told = gateway.tidegate("explain", "GET", url)
    phases = {phase["name"]: phase["decision"] for phase in told["phases"]}
    assert phases["route"] == "GET /animals/{id}"
    assert told["upstream"]["url"] == f"{upstream.url}/a/7"
    told = gateway.tidegate("explain", "GET", url.replace("animals", "animal"))
    assert told["answer"]["status"] == 403
    gateway.client().delete_rest_api(restApiId=api)


def test_mistakes_are_told_in_words(gateway, tmp_path):
    assert "nope" in gateway.tidegate("stages", "nope", code=1)
    missing = tmp_path / "missing.json"
    assert "missing.json" in gateway.tidegate("import", str(missing), code=1)
