"""One `tidegate up` and one upstream for all tests; each test makes APIs of its own."""

import json
import pathlib
import sys

import boto3
import pytest

from gateway import BIN, REGION, ROLE, Program, Tidegate, Upstream


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


@pytest.fixture(scope="session")
def service(moto):
    """Clients of the services."""
    return lambda name: boto3.client(
        name, endpoint_url=moto.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


@pytest.fixture(scope="session")
def beside_aws(moto, service, tmp_path_factory):
    """A gateway that finds AWS's services at moto and has two keys there: its own, which may do nothing, and that of a role."""
    iam = service("iam")
    iam.create_user(UserName="gateway")
    own = iam.create_access_key(UserName="gateway")["AccessKey"]
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="api", AssumeRolePolicyDocument=json.dumps(trust))
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="api", PolicyName="all", PolicyDocument=json.dumps(policy))
    held = service("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    directory = tmp_path_factory.mktemp("aws")
    keys = {"accessKeyId": held["AccessKeyId"], "secretAccessKey": held["SecretAccessKey"], "sessionToken": held["SessionToken"]}
    (directory / "roles.json").write_text(json.dumps({ROLE: keys}))
    environment = {
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": own["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["SecretAccessKey"],
        "TIDEGATE_AWS_ROLES": str(directory / "roles.json"),
    }
    running = Tidegate(directory / "data", environment=environment)
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
