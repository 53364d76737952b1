"""Private upstreams by VPC link, as scripts make them: a link with targets, an integration through it, and changes at once."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway import ACCOUNT, REGION, eventually, root_of

ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/orders/1"


class Target(ThreadingHTTPServer):
    """A service that answers with its name and the Host it was called by."""

    def __init__(self, name):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"{name} {self.headers['Host']}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def targets():
    made = [Target("a"), Target("b")]
    yield made
    for target in made:
        target.stop()


def test_an_integration_goes_to_the_targets_of_its_link(gateway, client, api, targets):
    a, b = targets
    link = client.create_vpc_link(
        name="orders", targetArns=[ARN], tags={"tidegate:targets": f"{a.address} {b.address}"}
    )["id"]
    method = {"restApiId": api, "resourceId": root_of(client, api), "httpMethod": "GET"}
    client.put_method(**method, authorizationType="NONE")
    through = {"connectionType": "VPC_LINK", "connectionId": "${stageVariables.link}"}
    client.put_integration(
        **method, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://orders.internal/", **through
    )
    client.create_deployment(restApiId=api, stageName="prod", variables={"link": link})

    def names(count=4):
        answers = [gateway.call(api, "prod", "/") for _ in range(count)]
        assert {answer.status for answer in answers} == {200}, [answer.body for answer in answers]
        found = [answer.body.decode().split() for answer in answers]
        assert {host for _, host in found} == {"orders.internal"}
        return {name for name, _ in found}

    eventually(lambda: names(1))
    assert names() == {"a", "b"}
    b.stop()
    assert names(8) == {"a"}, "no request fails because a target is gone"

    # A test call takes the same way, with variables of its own.
    tested = client.test_invoke_method(**method, stageVariables={"link": link})
    assert (tested["status"], tested["body"]) == (200, "a orders.internal"), tested["log"]

    arn = f"arn:aws:apigateway:{REGION}::/vpclinks/{link}"
    other = Target("c")
    client.tag_resource(resourceArn=arn, tags={"tidegate:targets": other.address})

    def moved():
        assert names() == {"c"}

    eventually(moved)
    client.untag_resource(resourceArn=arn, tagKeys=["tidegate:targets"])

    def nowhere():
        answer = gateway.call(api, "prod", "/")
        assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')

    eventually(nowhere)
    other.stop()
    url = f"http://{api}.execute-api.localhost/prod/"
    explained = str(gateway.tidegate("explain", "GET", url))
    assert f"VPC link {link} does not exist or has no targets" in explained
    with pytest.raises(client.exceptions.BadRequestException, match="referenced in"):
        client.delete_vpc_link(vpcLinkId=link)


@pytest.mark.parametrize("value", ["10.0.0.1", "http://10.0.0.1:80", "a:80 b", "a:0", "a:70000"])
def test_targets_that_are_none_are_refused(client, value):
    with pytest.raises(client.exceptions.BadRequestException, match="tidegate:targets: '.*' is no target"):
        client.create_vpc_link(name="bad", targetArns=[ARN], tags={"tidegate:targets": value})
    link = client.create_vpc_link(name="good", targetArns=[ARN])["id"]
    arn = f"arn:aws:apigateway:{REGION}::/vpclinks/{link}"
    with pytest.raises(client.exceptions.BadRequestException, match="write host:port"):
        client.tag_resource(resourceArn=arn, tags={"tidegate:targets": value})
    assert client.get_vpc_link(vpcLinkId=link)["tags"] == {}
    client.delete_vpc_link(vpcLinkId=link)
