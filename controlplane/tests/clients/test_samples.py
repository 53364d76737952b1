"""Whole APIs as users bring them: documents that AWS exports and its guides print, imported, deployed and called."""

import base64
import json
import pathlib

import pytest
import yaml

SAMPLES = pathlib.Path(__file__).parents[1] / "data/samples"


def sample(name):
    return (SAMPLES / f"{name}.yaml").read_bytes()


class Imported:
    """A document's API behind a stage."""

    def __init__(self, tidegate, document, variables=None):
        self.tidegate, self.client = tidegate, tidegate.client()
        self.api = self.client.import_rest_api(body=document, failOnWarnings=True)["id"]
        self.client.create_deployment(restApiId=self.api, stageName="prod", variables=variables or {})
        tidegate.await_stage(self.api, "prod")

    def export(self, form):
        """The API as a document, which is an API again."""
        asked = {"exportType": form, "parameters": {"extensions": "apigateway"}, "accepts": "application/yaml"}
        return self.client.get_export(restApiId=self.api, stageName="prod", **asked)["body"].read()

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(body) if isinstance(body, dict) else body
        return self.tidegate.call(self.api, "prod", path, method, headers, body)


def test_s3_proxy(beside_aws, service):
    api = Imported(beside_aws, sample("s3-proxy"))
    assert api("PUT", "/photos").status == 200
    listed = api("GET", "/")
    assert listed.headers["Content-Type"] == "application/xml" and listed.headers["Timestamp"]
    assert b"<Name>photos</Name>" in listed.body

    text = '{"a": "text"}'
    assert api("PUT", "/photos/note.json", text, Content_Type="application/json").status == 200
    # A binary media type passes through as it is.
    image = bytes(range(256))
    assert api("PUT", "/photos/dot.png", image, Content_Type="image/png").status == 200
    s3 = service("s3")
    assert s3.get_object(Bucket="photos", Key="dot.png")["Body"].read() == image
    assert s3.get_object(Bucket="photos", Key="note.json")["ContentType"] == "application/json"

    keys = api("GET", "/photos").body
    assert b"<Key>dot.png</Key>" in keys and b"<Key>note.json</Key>" in keys
    got = api("GET", "/photos/note.json")
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, text.encode(), "application/json")
    assert api("GET", "/photos/dot.png", Accept="image/png").body == image
    head = api("HEAD", "/photos/note.json")
    assert (head.status, head.body) == (200, b"")
    missing = api("GET", "/photos/none")
    assert missing.status == 400 and b"<Code>NoSuchKey</Code>" in missing.body
    for item in ("note.json", "dot.png"):
        assert api("DELETE", f"/photos/{item}").status == 200
    assert api("DELETE", "/photos").status == 200
    assert b"photos" not in api("GET", "/").body


def test_kinesis_proxy(beside_aws):
    api = Imported(beside_aws, sample("kinesis-proxy"))
    js = {"Content_Type": "application/json"}
    assert api("POST", "/streams/tide", {"ShardCount": 1}, **js).status == 200
    assert "tide" in api("GET", "/streams").json["StreamNames"]
    described = api("GET", "/streams/tide").json["StreamDescription"]
    shard = described["Shards"][0]["ShardId"]
    assert len(described["Shards"]) == 1
    # Without a number of shards the template's own.
    assert api("POST", "/streams/wide", {}, **js).status == 200
    assert len(api("GET", "/streams/wide").json["StreamDescription"]["Shards"]) == 5

    assert "SequenceNumber" in api("PUT", "/streams/tide/record", {"Data": {"n": 1}, "PartitionKey": "a"}, **js).json
    records = [{"data": f"record {n} äö", "partition-key": f"key{n}"} for n in range(3)]
    put = api("PUT", "/streams/tide/records", {"records": records}, **js).json
    assert put["FailedRecordCount"] == 0 and len(put["Records"]) == 3
    refused = api("PUT", "/streams/tide/records", {"records": [{"data": "x"}]}, **js)
    assert (refused.status, refused.json) == (400, {"message": "Invalid request body"})

    missing = api("GET", "/streams/tide/sharditerator")
    assert (missing.status, missing.json) == (400, {"message": "Missing required request parameters: [shard-id]"})
    iterator = api("GET", f"/streams/tide/sharditerator?shard-id={shard}").json["ShardIterator"].strip()
    got = api("GET", "/streams/tide/records", Shard_Iterator=iterator).json["Records"]
    data = [base64.b64decode(record["Data"]).decode() for record in got]
    assert data == ['{"n":1}', "record 0 äö", "record 1 äö", "record 2 äö"]
    assert [record["PartitionKey"] for record in got] == ["a", "key0", "key1", "key2"]


@pytest.mark.parametrize("form", [None, "oas30", "swagger"])
def test_pet_shop(gateway, upstream, form):
    variables = {"shop": "TidePets", "upstream": upstream.address}
    shop = Imported(gateway, sample("pet-shop"), variables)
    if form:
        shop = Imported(gateway, shop.export(form), variables)

    front = shop("GET", "/")
    assert front.headers["Content-Type"] == "text/html"
    assert front.body == b"<html><body><h1>TidePets</h1></body></html>"

    pets = shop("GET", "/pets?type=dog&page=2&page=3&other=no")
    assert pets.json == {"page": "3", "kinds": ["dog"], "via": "TidePets"}
    assert pets.headers["Access-Control-Allow-Origin"] == "*"
    assert shop("GET", "/pets?page=1").json == {"page": "1", "kinds": [], "via": "TidePets"}
    missing = shop("GET", "/pets")
    assert (missing.status, missing.json) == (400, {"message": "Missing required request parameters: [page]"})

    new = shop("POST", "/pets", {"type": "fish", "price": 12.5}, Content_Type="application/json")
    assert new.headers["Access-Control-Allow-Origin"] == "*"
    assert json.loads(new.json["body"]) == {"kind": "fish", "cents": "12.5", "by": "127.0.0.1"}
    for wrong, why in [
        ({"type": "cow"}, '[instance value ("cow") not found in enum (possible values: ["dog","cat","fish","bird","gecko"])]'),
        ({"price": 1}, '[object has missing required properties (["type"])]'),
        ({"type": "cat", "price": 0}, "[numeric instance is lower than the required minimum (minimum: 1, found: 0)]"),
    ]:
        refused = shop("POST", "/pets", wrong, Content_Type="application/json")
        assert (refused.status, refused.json) == (422, {"problem": "Invalid request body", "why": why})
        assert refused.headers["Access-Control-Allow-Origin"] == "*"

    allowed = shop("OPTIONS", "/pets", Origin="https://a.example").headers
    assert allowed["Access-Control-Allow-Methods"] == "POST,GET,OPTIONS"
    assert shop("GET", "/pets/a%20b").json["path"] == "/pets/a%20b"
    assert yaml.safe_load(shop.export("oas30"))["info"]["title"] == "PetShop"
