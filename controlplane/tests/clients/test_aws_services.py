"""Integrations of type AWS with the services people put behind an API, as the developer guide's tutorials write them.

moto plays the services; what a request did is asked of it with boto3.
"""

import json

import pytest

from gateway import AWS_ACCOUNT as ACCOUNT
from gateway import REGION, ROLE, verifying

FORM = "'application/x-www-form-urlencoded'"


class Deployed:
    """One method on `/things/{id}` in front of a service."""

    def __init__(self, tidegate, uri, method="POST", verb="POST", templates=None, parameters=None, responses=None, role=ROLE):
        self.tidegate, client = tidegate, tidegate.client()
        self.api = client.create_rest_api(name="service")["id"]
        root = client.get_resources(restApiId=self.api)["items"][0]["id"]
        things = client.create_resource(restApiId=self.api, parentId=root, pathPart="things")["id"]
        thing = client.create_resource(restApiId=self.api, parentId=things, pathPart="{id}")["id"]
        at = {"restApiId": self.api, "resourceId": thing, "httpMethod": verb}
        sources = {value: False for value in (parameters or {}).values() if value.startswith("method.") and "body" not in value}
        client.put_method(**at, authorizationType="NONE", requestParameters=sources)
        client.put_integration(
            **at,
            type="AWS",
            integrationHttpMethod=method,
            uri=f"arn:aws:apigateway:{REGION}:{uri}",
            credentials=role,
            requestTemplates=templates or {},
            requestParameters=parameters or {},
        )
        for status, pattern, template, headers in responses or [("200", None, None, {}), ("400", "4\\d{2}", None, {})]:
            client.put_method_response(**at, statusCode=status, responseParameters={name: False for name in headers})
            client.put_integration_response(
                **at,
                statusCode=status,
                **({"selectionPattern": pattern} if pattern else {}),
                responseTemplates={"application/json": template} if template is not None else {},
                responseParameters=headers,
            )
        client.create_deployment(restApiId=self.api, stageName="prod")
        self.client, self.at = client, at
        tidegate.await_stage(self.api, "prod")

    def call(self, path, method="POST", **options):
        return self.tidegate.call(self.api, "prod", path, method, **options)

    def send(self, document, path="/things/7", method="POST"):
        return self.call(path, method, headers={"Content-Type": "application/json"}, body=json.dumps(document))


def messages(sqs, queue):
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [(m["Body"], {k: v["StringValue"] for k, v in m.get("MessageAttributes", {}).items()}) for m in got.get("Messages", [])]


def test_sqs_by_path(beside_aws, service):
    sqs = service("sqs")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    template = (
        "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
        "&MessageAttribute.1.Name=id&MessageAttribute.1.Value.DataType=String"
        "&MessageAttribute.1.Value.StringValue=$input.params('id')"
    )
    api = Deployed(
        beside_aws,
        f"sqs:path/{ACCOUNT}/orders",
        templates={"application/json": template},
        parameters={"integration.request.header.Content-Type": FORM},
        responses=[("200", None, '{"sent": true}', {})],
    )
    answer = api.send({"dish": "fish & chips", "price": "5 £"})
    assert (answer.status, answer.json) == (200, {"sent": True})
    [(body, attributes)] = messages(sqs, queue)
    assert json.loads(body) == {"dish": "fish & chips", "price": "5 £"}
    assert attributes == {"id": "7"}
    # The undeployed method, by the control plane itself.
    tested = api.client.test_invoke_method(**api.at, pathWithQueryString="/things/8", body='{"dish": "soup"}')
    assert (tested["status"], tested["body"]) == (200, '{"sent": true}'), tested["log"]
    assert messages(sqs, queue) == [('{"dish": "soup"}', {"id": "8"})]


def test_sqs_json_protocol(beside_aws, service):
    sqs = service("sqs")
    queue = sqs.create_queue(QueueName="json-orders")["QueueUrl"]
    template = '{"QueueUrl": "%s", "MessageBody": "$util.escapeJavaScript($input.body)"}' % queue
    api = Deployed(
        beside_aws,
        "sqs:path/",
        templates={"application/json": template},
        parameters={
            "integration.request.header.Content-Type": "'application/x-amz-json-1.0'",
            "integration.request.header.X-Amz-Target": "'AmazonSQS.SendMessage'",
        },
    )
    answer = api.send({"dish": "soup"})
    assert answer.status == 200 and answer.json["MessageId"], answer.body
    assert messages(sqs, queue) == [('{"dish": "soup"}', {})]



def test_dynamodb(beside_aws, service):
    dynamodb = service("dynamodb")
    dynamodb.create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = """
#set($body = $input.path('$'))
{
  "TableName": "things",
  "Item": {
    "id": {"S": "$input.params('id')"},
    "name": {"S": "$body.name"},
    "tags": {"L": [#foreach($tag in $body.tags){"S": "$tag"}#if($foreach.hasNext),#end#end]}
  }
}"""
    api = Deployed(beside_aws, "dynamodb:action/PutItem", templates={"application/json": put})
    answer = api.send({"name": "Rex", "tags": ["dog", "old"]})
    assert (answer.status, answer.json) == (200, {})
    item = dynamodb.get_item(TableName="things", Key={"id": {"S": "7"}})["Item"]
    assert item == {"id": {"S": "7"}, "name": {"S": "Rex"}, "tags": {"L": [{"S": "dog"}, {"S": "old"}]}}

    get = '{"TableName": "things", "Key": {"id": {"S": "$input.params(\'id\')"}}}'
    shown = """#set($item = $input.path('$.Item'))
#if($item == "")#set($context.responseOverride.status = 404){"message": "no such thing"}
#else{"id": "$item.id.S", "name": "$item.name.S"}#end"""
    api = Deployed(
        beside_aws, "dynamodb:action/GetItem", verb="GET", templates={"application/json": get}, responses=[("200", None, shown, {})]
    )
    answer = api.call("/things/7", "GET")
    assert (answer.status, answer.json) == (200, {"id": "7", "name": "Rex"})
    answer = api.call("/things/8", "GET")
    assert (answer.status, answer.json) == (404, {"message": "no such thing"})


def test_dynamodb_error(beside_aws, service):
    """An error of the service is selected by its status, and its body can be mapped."""
    mapped = '{"error": "$input.path(\'$.message\')"}'
    api = Deployed(
        beside_aws,
        "dynamodb:action/GetItem",
        templates={"application/json": '{"TableName": "nowhere", "Key": {"id": {"S": "1"}}}'},
        responses=[("200", None, None, {}), ("400", "4\\d{2}", mapped, {})],
    )
    answer = api.send({})
    assert answer.status == 400 and "not found" in answer.json["error"], answer.body


def test_step_functions(beside_aws, service):
    states = service("stepfunctions")
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(name="machine", definition=json.dumps(definition), roleArn=ROLE)["stateMachineArn"]
    template = '{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": "%s"}' % machine
    api = Deployed(
        beside_aws,
        "states:action/StartExecution",
        templates={"application/json": template},
        responses=[("202", None, '{"execution": $input.json("$.executionArn")}', {})],
    )
    answer = api.send({"order": 'a "quoted" one'})
    assert answer.status == 202, answer.body
    execution = states.describe_execution(executionArn=answer.json["execution"])
    assert execution["stateMachineArn"] == machine
    assert json.loads(execution["input"]) == {"order": 'a "quoted" one'}


def test_sns(beside_aws, service):
    topic = service("sns").create_topic(Name="news")["TopicArn"]
    sqs = service("sqs")
    queue = sqs.create_queue(QueueName="readers")["QueueUrl"]
    service("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:readers",
        Attributes={"RawMessageDelivery": "true"},
    )
    api = Deployed(
        beside_aws,
        "sns:action/Publish",
        parameters={
            "integration.request.querystring.TopicArn": f"'{topic}'",
            "integration.request.querystring.Message": "method.request.body.text",
            "integration.request.header.Content-Type": FORM,
        },
    )
    answer = api.send({"text": "all is well & good"})
    assert answer.status == 200, answer.body
    assert [body for body, _ in messages(sqs, queue)] == ["all is well & good"]


def test_s3(beside_aws, service):
    s3 = service("s3")
    s3.create_bucket(Bucket="shelf")
    parameters = {
        "integration.request.path.bucket": "'shelf'",
        "integration.request.path.key": "method.request.path.id",
        "integration.request.header.Content-Type": "method.request.header.Content-Type",
    }
    put = Deployed(beside_aws, "s3:path/{bucket}/{key}", method="PUT", verb="PUT", parameters=parameters)
    text = "Grüße, plain as they are\n".encode()
    answer = put.call("/things/a%2Fb%20c.txt", "PUT", headers={"Content-Type": "text/plain"}, body=text)
    assert answer.status == 200, answer.body
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="shelf")["Contents"]]
    assert listed == ["a/b c.txt"]
    kept = s3.get_object(Bucket="shelf", Key=listed[0])
    assert (kept["Body"].read(), kept["ContentType"]) == (text, "text/plain")

    # Names of headers are matched in their case, and this is moto's.
    headers = {"method.response.header.Content-Type": "integration.response.header.content-type"}
    responses = [("200", None, None, headers), ("404", "404", None, {})]
    del parameters["integration.request.header.Content-Type"]
    get = Deployed(beside_aws, "s3:path/{bucket}/{key}", method="GET", verb="GET", parameters=parameters, responses=responses)
    answer = get.call("/things/a%2Fb%20c.txt", "GET")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, text, "text/plain")
    answer = get.call("/things/none", "GET")
    assert answer.status == 404 and b"NoSuchKey" in answer.body


def test_eventbridge(beside_aws, service):
    events, sqs = service("events"), service("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    events.create_event_bus(Name="shop")
    events.put_rule(Name="all", EventBusName="shop", EventPattern='{"source": ["shop.orders"]}')
    events.put_targets(Rule="all", EventBusName="shop", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"}])
    template = """{"Entries": [{
      "Source": "shop.orders", "DetailType": "order", "EventBusName": "shop",
      "Detail": "$util.escapeJavaScript($input.json('$'))"
    }]}"""
    api = Deployed(
        beside_aws,
        "events:action/PutEvents",
        templates={"application/json": template},
        parameters={
            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
        },
    )
    answer = api.send({"order": 5})
    assert (answer.status, answer.json["FailedEntryCount"]) == (200, 0), answer.body
    [(body, _)] = messages(sqs, queue)
    assert json.loads(body)["detail"] == {"order": 5}


def test_kinesis(beside_aws, service):
    kinesis = service("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    template = """{
      "StreamName": "clicks",
      "Data": "$util.base64Encode($input.json('$.data'))",
      "PartitionKey": "$input.path('$.key')"
    }"""
    api = Deployed(beside_aws, "kinesis:action/PutRecord", templates={"application/json": template})
    answer = api.send({"key": "k", "data": {"page": "/home"}})
    assert answer.status == 200 and answer.json["SequenceNumber"], answer.body
    shard = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    [record] = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert (json.loads(record["Data"]), record["PartitionKey"]) == ({"page": "/home"}, "k")


def test_firehose(beside_aws, service):
    s3 = service("s3")
    s3.create_bucket(Bucket="lake")
    destination = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"}
    service("firehose").create_delivery_stream(DeliveryStreamName="lake", ExtendedS3DestinationConfiguration=destination)
    template = '{"DeliveryStreamName": "lake", "Record": {"Data": "$util.base64Encode($input.json(\'$\'))"}}'
    api = Deployed(beside_aws, "firehose:action/PutRecord", templates={"application/json": template})
    answer = api.send({"page": "/home"})
    assert answer.status == 200 and answer.json["RecordId"], answer.body
    [item] = s3.list_objects_v2(Bucket="lake")["Contents"]
    assert json.loads(s3.get_object(Bucket="lake", Key=item["Key"])["Body"].read()) == {"page": "/home"}


NOTE = {"integration.request.querystring.note": "'a b&c=d/e~'"}
SIGNED = (
    (f"sqs:path/{ACCOUNT}/signed", "POST", "Action=SendMessage&MessageBody=$util.urlEncode($input.body)", FORM, NOTE),
    ("dynamodb:action/ListTables", "POST", "{}", "'application/x-amz-json-1.0'", {}),
    ("s3:path/signed/a%20b/c*(1).txt", "PUT", "$input.body", "'text/plain'", NOTE),
)


@pytest.mark.parametrize("uri, method, template, content, query", SIGNED)
def test_signatures_hold(beside_aws, service, moto, uri, method, template, content, query):
    """Calls are signed with the role's keys; with the gateway's own, which may do nothing, where the role's are not known."""
    service("sqs").create_queue(QueueName="signed")
    service("s3").create_bucket(Bucket="signed")
    options = {
        "method": method,
        "templates": {"application/json": template},
        "parameters": {"integration.request.header.Content-Type": content, **query},
    }
    of_the_role = Deployed(beside_aws, uri, **options)
    of_another = Deployed(beside_aws, uri, **options, role=f"arn:aws:iam::{ACCOUNT}:role/unknown")
    with verifying(moto):
        taken, refused = of_the_role.send({"dish": "fish"}), of_another.send({"dish": "fish"})
    assert taken.status == 200, taken.body
    assert b"is not authorized to perform" in refused.body or b"AccessDenied" in refused.body, refused.body
