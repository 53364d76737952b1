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
def people(service):
    """Users whom AWS and the gateway know: ann may do everything, guest may only call APIs, nobody may do nothing."""
    iam, everything = service("iam"), allowing("*")
    policies = {"ann": everything, "guest": allowing("execute-api:Invoke"), "nobody": None}
    users = {}
    for name, policy in policies.items():
        user = iam.create_user(UserName=name)["User"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        if policy == everything:
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
        users[name] = {
            "arn": user["Arn"],
            "accessKeyId": key["AccessKeyId"],
            "secretAccessKey": key["SecretAccessKey"],
            "userId": user["UserId"],
            **({"policy": policy} if policy else {}),
        }
    return users


def allowing(action):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


@pytest.fixture(scope="session")
def beside_aws(moto, service, people, tmp_path_factory):
    """A gateway that finds AWS's services at moto and has two keys there: its own, which may do nothing, and that of a role. It
    knows the people."""
    iam = service("iam")
    iam.create_user(UserName="gateway")
    own = iam.create_access_key(UserName="gateway")["AccessKey"]
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="api", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="api", PolicyName="all", PolicyDocument=json.dumps(allowing("*")))
    held = service("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    directory = tmp_path_factory.mktemp("aws")
    keys = {"accessKeyId": held["AccessKeyId"], "secretAccessKey": held["SecretAccessKey"], "sessionToken": held["SessionToken"]}
    (directory / "roles.json").write_text(json.dumps({ROLE: keys}))
    callers = {user["arn"]: {name: user[name] for name in user if name != "arn"} for user in people.values()}
    (directory / "callers.json").write_text(json.dumps(callers))
    environment = {
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": own["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["SecretAccessKey"],
        "TIDEGATE_AWS_ROLES": str(directory / "roles.json"),
        "TIDEGATE_AWS_CALLERS": str(directory / "callers.json"),
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
