"""The engine's table of AWS services, held to the service models of botocore: what signatures call them, and their JSON protocol."""

import re

import botocore.session

from gateway import REPOSITORY

TABLE = REPOSITORY / "dataplane/engine/src/integration/services.rs"
ROW = re.compile(r'^    \("([^"]*)", "([^"]*)", "([^"]*)", "([^"]*)"\),$', re.MULTILINE)

# Services that SDKs reach by another name than URIs have.
OTHER_NAMES = {
    "appsync-api": ("appsync", "", ""),
    "data.iot": ("iotdata", "", ""),
    "data.iotevents": ("ioteventsdata", "", ""),
}
# It speaks both protocols, which its model no longer says; API Gateway's users know it by the query protocol.
BY_QUERY = {"sqs"}
# Two services of one name, whose actions a URI cannot tell apart.
AMBIGUOUS = {"kinesisanalytics"}


def models():
    """By the name in URIs: name in signatures, prefix of `X-Amz-Target`, version; empty where there is nothing peculiar."""
    loader = botocore.session.get_session().get_component("data_loader")
    rows = dict(OTHER_NAMES)
    for service in loader.list_available_services("service-2"):
        known = loader.load_service_model(service, "service-2")["metadata"]
        name = known["endpointPrefix"]
        signing = known.get("signingName", name)
        protocols = known.get("protocols", [known["protocol"]])
        # Who still speaks the query protocol is known by it.
        by_json = "json" in protocols and "query" not in protocols and name not in BY_QUERY
        target = known.get("targetPrefix", "") if by_json else ""
        row = ("" if signing == name.rsplit(".", 1)[-1] else signing, target, known["jsonVersion"] if target else "")
        if any(row) and name not in AMBIGUOUS:
            rows[name] = row
    return rows


def test_the_table_is_what_the_sdks_know():
    table = {name: tuple(row) for name, *row in ROW.findall(TABLE.read_text())}
    wanted = models()
    lines = [f'    ("{name}", "{row[0]}", "{row[1]}", "{row[2]}"),' for name, row in sorted(wanted.items())]
    differing = sorted(name for name in table.keys() | wanted.keys() if table.get(name) != wanted.get(name))
    assert not differing, f"{differing} differ; the rows should be\n" + "\n".join(lines)
