"""One `tidegate up` and one upstream for all tests; each test makes APIs of its own."""

import pathlib
import sys

import pytest

from gateway import BIN, Program, Tidegate, Upstream


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


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    """The origin that `make run` starts."""
    log = tmp_path_factory.mktemp("origin") / "log"
    running = Program(log, r"ready upstream=\S+:(\d+)", BIN / "tidegate-load", "upstream")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    """AWS services, played by moto."""
    log = tmp_path_factory.mktemp("moto") / "log"
    server = pathlib.Path(sys.executable).with_name("moto_server")
    running = Program(log, r"Running on \S+:(\d+)", server, "-p", "0")
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
