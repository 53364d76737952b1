"""A SOAP service behind a JSON API: spyne, as people install it, checks envelopes against its own schema.

The guide `docs/guides/soap.md` has the way to do it; here is what can go wrong on it.
"""

import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from gateway import eventually, root_of

pytest.importorskip("spyne", reason="spyne runs on Python 3.11 and older")

from spyne import Application, Array, ComplexModel, Fault, Integer, ServiceBase, Unicode, rpc  # noqa: E402
from spyne.protocol.soap import Soap11  # noqa: E402
from spyne.server.wsgi import WsgiApplication  # noqa: E402


class Line(ComplexModel):
    __namespace__ = "urn:shop"
    article = Unicode
    count = Integer


class Shop(ServiceBase):
    @rpc(Array(Line), Unicode, _returns=Array(Line))
    def double(ctx, lines, note):
        """The lines with twice the count, and a line for the note."""
        if not lines:
            raise Fault("Client.Empty", "no <lines>")
        if note == "break":
            raise RuntimeError("it broke")
        return [Line(article=line.article, count=2 * line.count) for line in lines] + [Line(article=note, count=0)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def shop():
    application = Application([Shop], "urn:shop", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
    server = make_server("127.0.0.1", 0, WsgiApplication(application), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


REQUEST = """
<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s="urn:shop"><e:Body>
#set($lines = [])
#foreach($line in $input.path('$.lines'))
#set($ignore = $lines.add({"s:article": $line.article, "s:count": $line.count}))
#end
$util.toXml({"s:lines": {"s:Line": $lines}, "s:note": $input.path('$.note')}, "s:double")
</e:Body></e:Envelope>
"""
READ = '#set($soap = $util.parseXml($input.body, {"prefixes": false, "attributes": false, "lists": ["Line"]}).Envelope.Body)'
ANSWER = READ + "$util.toJson($soap.doubleResponse.doubleResult.Line)"
FAULT = (
    READ + '#if($soap.Fault.faultcode.endsWith("Client.Empty"))#set($context.responseOverride.status = 422)#end'
    '$util.toJson({"code": $soap.Fault.faultcode, "message": $soap.Fault.faultstring})'
)


@pytest.fixture(scope="module")
def call(gateway, shop):
    client = gateway.client()
    made = client.create_rest_api(name="soap")["id"]
    for path, answer in (("shop", ANSWER), ("broken", "$util.parseXml('<a>\n <b></a>')")):
        resource = client.create_resource(restApiId=made, parentId=root_of(client, made), pathPart=path)["id"]
        at = {"restApiId": made, "resourceId": resource, "httpMethod": "POST"}
        client.put_method(**at, authorizationType="NONE")
        client.put_integration(
            **at,
            type="HTTP",
            integrationHttpMethod="POST",
            uri=shop,
            requestParameters={
                "integration.request.header.Content-Type": "'text/xml; charset=utf-8'",
                "integration.request.header.SOAPAction": "'double'",
            },
            requestTemplates={"application/json": REQUEST},
        )
        for status, pattern, template in (("200", "", answer), ("502", r"5\d{2}", FAULT)):
            client.put_method_response(**at, statusCode=status)
            client.put_integration_response(
                **at, statusCode=status, selectionPattern=pattern, responseTemplates={"application/json": template}
            )
    client.create_deployment(restApiId=made, stageName="prod")

    def send(body, path="/shop"):
        return gateway.call(made, "prod", path, "POST", {"Content-Type": "application/json"}, json.dumps(body))

    def is_served():
        assert send({}).status != 403

    eventually(is_served)
    yield send
    client.delete_rest_api(restApiId=made)


NASTY = "<![CDATA[ & ]]> \"'\u00e9\U0001f600\r\n\t end "


def test_json_there_and_back(call):
    lines = [{"article": NASTY, "count": 2}, {"article": "b", "count": 3}]
    answer = call({"lines": lines, "note": "</s:note><s:note>"})
    assert answer.status == 200, answer.body
    want = [{"article": NASTY, "count": "4"}, {"article": "b", "count": "6"}, {"article": "</s:note><s:note>", "count": "0"}]
    assert answer.json == want


def test_faults_become_statuses(call):
    answer = call({"lines": [], "note": "x"})
    assert (answer.status, answer.json["message"]) == (422, "no <lines>")
    answer = call({"lines": [{"article": "a", "count": 1}], "note": "break"})
    assert answer.status == 502 and answer.json["code"].endswith("Server")
    # The service's own schema refuses it.
    answer = call({"lines": [{"article": "a", "count": "many"}], "note": ""})
    assert answer.status == 502 and "many" in answer.json["message"]


def test_what_cannot_be_written_or_read_fails_the_template(call):
    lines = [{"article": "a", "count": 1}]
    assert call({"lines": lines, "note": "\x01"}).status == 500
    answer = call({"lines": lines, "note": ""}, "/broken")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
