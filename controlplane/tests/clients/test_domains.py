"""Custom domains, VPC links and client certificates, as scripts and Terraform's provider use them."""

import datetime
import ssl

import pytest

from gateway import ACCOUNT, REGION, add_mock, eventually, request, root_of

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"


def served(gateway, host, path):
    answer = request(gateway.gateway, "GET", path, {"Host": host})
    return answer.status, answer.body


def test_callers_reach_an_api_by_its_domain(gateway, client, api):
    add_mock(client, api, root_of(client, api), "m", "hello")
    client.create_deployment(restApiId=api, stageName="prod")
    made = client.create_domain_name(
        domainName="shop.example.com",
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]},
        tags={"team": "shop"},
    )
    assert made["domainNameStatus"] == "AVAILABLE" and made["regionalDomainName"].startswith("d-")
    at = {"domainName": "shop.example.com"}
    client.create_base_path_mapping(**at, basePath="v1", restApiId=api, stage="prod")
    eventually_served(gateway, "/v1/m", (200, b"hello"))
    assert served(gateway, "shop.example.com", "/m")[0] == 403

    # Terraform's provider sends an empty base path for the root, and `(none)` from then on.
    steps = [{"op": "replace", "path": "/basePath", "value": ""}]
    moved = client.update_base_path_mapping(**at, basePath="v1", patchOperations=steps)
    assert moved["basePath"] == "(none)"
    eventually_served(gateway, "/m", (200, b"hello"))
    assert client.get_base_path_mapping(**at, basePath="(none)")["stage"] == "prod"
    with pytest.raises(client.exceptions.BadRequestException, match="shop.example.com"):
        client.delete_stage(restApiId=api, stageName="prod")
    client.delete_domain_name(**at)
    eventually_served(gateway, "/m", None)


def eventually_served(gateway, path, want):
    def check():
        found = served(gateway, "shop.example.com", path)
        assert found == want if want else found[0] == 403

    eventually(check)


def test_private_domains_are_known_by_name_and_id(client):
    private = {"domainName": "p.example.com", "certificateArn": CERTIFICATE, "endpointConfiguration": {"types": ["PRIVATE"]}}
    one, two = client.create_domain_name(**private), client.create_domain_name(**private)
    assert one["domainNameId"] != two["domainNameId"]
    association = client.create_domain_name_access_association(
        domainNameArn=one["domainNameArn"], accessAssociationSourceType="VPCE", accessAssociationSource="vpce-1a2b"
    )["domainNameAccessAssociationArn"]
    client.tag_resource(resourceArn=association, tags={"a": "b"})
    assert client.get_tags(resourceArn=association)["tags"] == {"a": "b"}
    client.tag_resource(resourceArn=one["domainNameArn"], tags={"c": "d"})
    shown = client.get_domain_name(domainName="p.example.com", domainNameId=one["domainNameId"])
    assert shown["tags"] == {"c": "d"}
    client.reject_domain_name_access_association(
        domainNameAccessAssociationArn=association, domainNameArn=one["domainNameArn"]
    )
    for domain in (one, two):
        client.delete_domain_name(domainName="p.example.com", domainNameId=domain["domainNameId"])
    assert client.get_domain_names()["items"] == []


def test_vpc_links_and_client_certificates(client):
    target = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/n/1"
    link = client.create_vpc_link(name="n", targetArns=[target])
    assert link["status"] == "PENDING"
    assert client.get_vpc_link(vpcLinkId=link["id"])["status"] == "AVAILABLE"
    client.delete_vpc_link(vpcLinkId=link["id"])

    made = client.generate_client_certificate(description="d")
    valid = made["expirationDate"] - made["createdDate"]
    assert valid == datetime.timedelta(days=365)
    # OpenSSL reads it.
    ssl.create_default_context(cadata=made["pemEncodedCertificate"])
    client.delete_client_certificate(clientCertificateId=made["clientCertificateId"])
