"""One `tidegate up` and one upstream for all tests; each test makes APIs of its own."""

import pytest

from gateway import Tidegate, Upstream


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    running = Tidegate(tmp_path_factory.mktemp("tidegate") / "data")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def upstream():
    running = Upstream()
    yield running
    running.stop()


@pytest.fixture
def client(gateway):
    return gateway.client()


@pytest.fixture
def api(client):
    """An empty API, deleted after the test."""
    made = client.create_rest_api(name="test")["id"]
    yield made
    try:
        client.delete_rest_api(restApiId=made)
    except client.exceptions.NotFoundException:
        pass
