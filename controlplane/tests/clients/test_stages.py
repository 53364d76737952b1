"""What takes effect at once: stages, their variables, canaries and rollback."""

import collections

import pytest

from gateway import add_mock, add_proxy, eventually, root_of, set_text


@pytest.fixture
def two(gateway, client, api):
    """A stage `prod` that serves the second of two deployments."""
    resource = add_mock(client, api, root_of(client, api), "hello", "one")
    first = client.create_deployment(restApiId=api, stageName="prod")["id"]
    set_text(client, api, resource, "two")
    second = client.create_deployment(restApiId=api, stageName="prod")["id"]
    eventually(lambda: says(gateway, api, b"two"))
    return collections.namedtuple("Two", "first second resource")(first, second, resource)


def says(gateway, api, text):
    assert gateway.call(api, "prod", "/hello").body == text


def patch(client, api, *operations):
    names = ("op", "path", "value")
    return client.update_stage(
        restApiId=api, stageName="prod", patchOperations=[dict(zip(names, one)) for one in operations]
    )


def test_rollback_takes_effect_within_a_second(gateway, client, api, two):
    stage = patch(client, api, ("replace", "/deploymentId", two.first))
    assert stage["deploymentId"] == two.first
    eventually(lambda: says(gateway, api, b"one"), within=1)
    patch(client, api, ("replace", "/deploymentId", two.second))
    eventually(lambda: says(gateway, api, b"two"), within=1)


def test_variables_choose_the_upstream_within_a_second(gateway, upstream, client, api):
    root = root_of(client, api)
    add_proxy(client, api, root, "go", "http://${stageVariables.upstream}/${stageVariables.version}/go")
    client.create_deployment(
        restApiId=api, stageName="prod", variables={"upstream": upstream.address, "version": "v1"}
    )

    def goes_to(path):
        answer = gateway.call(api, "prod", "/go")
        assert (answer.status, answer.json.get("path")) == (200, path)

    eventually(lambda: goes_to("/v1/go"))
    stage = patch(client, api, ("replace", "/variables/version", "v2"))
    assert stage["variables"]["version"] == "v2"
    eventually(lambda: goes_to("/v2/go"), within=1)

    # A variable that makes no URL breaks its methods, not the stage; mending it is enough.
    patch(client, api, ("replace", "/variables/upstream", "nowhere:nowhere"))

    def is_misconfigured():
        answer = gateway.call(api, "prod", "/go")
        assert (answer.status, answer.json.get("message")) == (500, "Internal server error")

    eventually(is_misconfigured, within=1)
    patch(client, api, ("replace", "/variables/upstream", upstream.address))
    eventually(lambda: goes_to("/v2/go"), within=1)


def share(gateway, api, count=200):
    """How often each text is answered."""
    return collections.Counter(gateway.call(api, "prod", "/hello").body for _ in range(count))


def test_a_canary_takes_its_share_is_promoted_and_goes(gateway, client, api, two):
    set_text(client, api, two.resource, "canary")
    third = client.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 40.0})["id"]
    stage = client.get_stage(restApiId=api, stageName="prod")
    assert stage["deploymentId"] == two.second
    assert stage["canarySettings"] == {"deploymentId": third, "percentTraffic": 40.0, "useStageCache": False}

    def is_split():
        seen = share(gateway, api)
        # 200 draws at 40 %: mean 80, standard deviation 7; six of them are allowed.
        assert 38 <= seen[b"canary"] <= 122 and seen[b"canary"] + seen[b"two"] == 200, seen

    def is_whole():
        # One answer does not tell: two of five were the canary's before.
        assert share(gateway, api, 50) == {b"canary": 50}

    eventually(is_split)
    patch(client, api, ("replace", "/canarySettings/percentTraffic", "100"))
    eventually(is_whole, within=1)
    patch(client, api, ("replace", "/canarySettings/percentTraffic", "0"))
    eventually(lambda: says(gateway, api, b"two"), within=1)
    assert share(gateway, api, 50) == {b"two": 50}

    # Promotion, in the steps of AWS's console.
    stage = client.update_stage(
        restApiId=api,
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"},
            {"op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId"},
        ],
    )
    assert stage["deploymentId"] == third
    stage = patch(client, api, ("remove", "/canarySettings"))
    assert "canarySettings" not in stage
    eventually(lambda: says(gateway, api, b"canary"), within=1)
    assert share(gateway, api, 50) == {b"canary": 50}


def test_a_deployment_to_a_stage_with_a_canary_becomes_the_canary(gateway, client, api, two):
    client.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 0.0})
    set_text(client, api, two.resource, "three")
    fourth = client.create_deployment(restApiId=api, stageName="prod")["id"]
    stage = client.get_stage(restApiId=api, stageName="prod")
    assert (stage["deploymentId"], stage["canarySettings"]["deploymentId"]) == (two.second, fourth)
    patch(client, api, ("replace", "/canarySettings/percentTraffic", "100"))
    eventually(lambda: says(gateway, api, b"three"), within=1)


def test_overrides_hold_for_the_canary_only(gateway, upstream, client, api):
    root = root_of(client, api)
    add_proxy(client, api, root, "go", f"{upstream.url}/${{stageVariables.side}}")
    client.create_deployment(restApiId=api, stageName="prod", variables={"side": "base"})
    client.create_deployment(
        restApiId=api,
        stageName="prod",
        canarySettings={"percentTraffic": 50.0, "stageVariableOverrides": {"side": "canary"}},
    )

    def both():
        seen = {gateway.call(api, "prod", "/go").json.get("path") for _ in range(40)}
        assert seen == {"/base", "/canary"}

    eventually(both)


def test_a_stage_is_made_listed_and_deleted(gateway, client, api, two):
    stage = client.create_stage(
        restApiId=api, stageName="test", deploymentId=two.first, description="older", tags={"team": "a"}
    )
    assert (stage["stageName"], stage["cacheClusterStatus"], stage["methodSettings"]) == ("test", "NOT_AVAILABLE", {})
    assert [s["stageName"] for s in client.get_stages(restApiId=api)["item"]] == ["prod", "test"]
    of_first = client.get_stages(restApiId=api, deploymentId=two.first)["item"]
    assert [s["stageName"] for s in of_first] == ["test"]

    def answers(status):
        assert gateway.call(api, "test", "/hello").status == status

    eventually(lambda: answers(200))
    client.delete_stage(restApiId=api, stageName="test")
    eventually(lambda: answers(403))
    # Nothing points at it any more.
    client.delete_deployment(restApiId=api, deploymentId=two.first)
    says(gateway, api, b"two")


def test_the_default_endpoint_can_be_turned_off(gateway, client, api, two):
    client.update_rest_api(
        restApiId=api, patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]
    )
    # AWS: with the next deployment at the latest; the gateway does it with the next change of a stage.
    client.create_deployment(restApiId=api, stageName="prod")

    def is_off():
        assert gateway.call(api, "prod", "/hello").status == 403
        assert gateway.call_by_path(api, "prod", "/hello").status == 403

    eventually(is_off)
