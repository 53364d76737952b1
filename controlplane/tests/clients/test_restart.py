"""What was told is kept: a gateway that was stopped serves the same when it starts again."""

from gateway import Tidegate, add_mock, eventually, root_of, set_text


def test_everything_is_there_after_a_restart(tmp_path):
    gateway = Tidegate(tmp_path / "data")
    try:
        client = gateway.client()
        api = client.create_rest_api(name="kept")["id"]
        resource = add_mock(client, api, root_of(client, api), "hello", "one")
        client.create_deployment(restApiId=api, stageName="prod")
        set_text(client, api, resource, "undeployed")
    finally:
        gateway.stop()

    gateway = Tidegate(tmp_path / "data")
    try:

        def says(text):
            assert gateway.call(api, "prod", "/hello").body == text

        eventually(lambda: says(b"one"), within=1)
        client = gateway.client()
        assert [one["name"] for one in client.get_rest_apis()["items"]] == ["kept"]
        client.create_deployment(restApiId=api, stageName="prod")
        eventually(lambda: says(b"undeployed"))
    finally:
        gateway.stop()
