"""What is written is read back, field by field: every input member of boto3's model that creates something is sent, and
comes back in the answer and in what is read later, or is listed with the reason why not."""

import json
import uuid

import pytest
from botocore import xform_name

from gateway import ACCOUNT, REGION, root_of
from model import OPERATIONS

ROLE = "arn:aws:iam::000000000000:role/r"
FUNCTION = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f/invocations"
)
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_pool"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c"

# Members that do not come back under their own name, and why.
ELSEWHERE = {
    "CreateRestApi": {"cloneFrom": "a source, not a member", "policy": "escaped once more"},
    "CreateResource": {},
    "PutIntegration": {"integrationHttpMethod": "comes back as httpMethod"},
    "CreateDeployment": {
        "stageName": "shapes the stage",
        "stageDescription": "shapes the stage",
        "cacheClusterEnabled": "shapes the stage",
        "cacheClusterSize": "shapes the stage",
        "variables": "shapes the stage",
        "canarySettings": "shapes the stage",
        "tracingEnabled": "shapes the stage",
    },
    "CreateApiKey": {"generateDistinctId": "without effect on AWS", "stageKeys": "comes back as text"},
    "CreateUsagePlanKey": {"keyId": "comes back as id", "keyType": "comes back as type"},
    "CreateDomainName": {
        "certificateBody": "private",
        "certificatePrivateKey": "private",
        "certificateChain": "private",
        "policy": "of private domains",
        "certificateName": "of uploaded certificates",
        "regionalCertificateName": "of uploaded certificates",
        "certificateArn": "of edge domains",
        "mutualTlsAuthentication": "gains members",
    },
    "CreateDomainNameAccessAssociation": {},
    "CreateDocumentationVersion": {"documentationVersion": "comes back as version", "stageName": "shapes the stage"},
    "CreateAuthorizer": {"jwtConfiguration": "gains members"},
}


def same(sent, found):
    """Whether `found` says what was `sent`; objects may have gained members."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return all(same(value, found.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(found, list):
        return len(sent) == len(found) and all(map(same, sent, found))
    return sent == found


def create(client, operation, read=None, at=None, **sent):
    """Creates something with every member its model has, and compares what comes back; returns the answer."""
    model = OPERATIONS[operation].input_shape
    at_place = {n for n, m in model.members.items() if m.serialization.get("location") in ("uri", "querystring")}
    wanted = set(model.members) - at_place
    skipped = set(ELSEWHERE.get(operation, {}))
    assert wanted - set(sent) <= skipped, f"{operation}: not sent: {wanted - set(sent) - skipped}"
    call = getattr(client, xform_name(operation))
    answer = call(**(at or {}), **sent)
    for shown in [answer] + ([read(answer)] if read else []):
        for name in set(sent) - skipped:
            assert same(sent[name], shown.get(name)), f"{operation}.{name}: sent {sent[name]!r}, found {shown.get(name)!r}"
    return answer


def test_rest_api(client):
    policy = {"Version": "2012-10-17", "Statement": []}
    sent = {
        "name": "n",
        "description": "d",
        "version": "v",
        "binaryMediaTypes": ["image/png", "*/*"],
        "minimumCompressionSize": 100,
        "apiKeySource": "AUTHORIZER",
        "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "dualstack", "vpcEndpointIds": ["vpce-1"]},
        "policy": json.dumps(policy),
        "tags": {"k": "v"},
        "disableExecuteApiEndpoint": True,
        "securityPolicy": "TLS_1_2",
        "endpointAccessMode": "BASIC",
    }
    made = create(client, "CreateRestApi", lambda made: client.get_rest_api(restApiId=made["id"]), **sent)
    assert json.loads(json.loads('"' + made["policy"] + '"')) == policy
    clone = client.create_rest_api(name="c", cloneFrom=made["id"])
    assert len(client.get_models(restApiId=clone["id"])["items"]) == 2
    client.delete_rest_api(restApiId=clone["id"])
    client.delete_rest_api(restApiId=made["id"])


def test_parts_of_an_api(client, api):
    at = {"restApiId": api}
    parent = root_of(client, api)
    resource = create(
        client,
        "CreateResource",
        lambda made: client.get_resource(**at, resourceId=made["id"]),
        at={**at, "parentId": parent},
        pathPart="{id}",
    )
    model = create(
        client,
        "CreateModel",
        lambda made: client.get_model(**at, modelName="Pet"),
        at=at,
        name="Pet",
        description="d",
        schema='{"type": "object", "properties": {"a": {"type": "string"}}}',
        contentType="application/json",
    )
    validator = create(
        client,
        "CreateRequestValidator",
        lambda made: client.get_request_validator(**at, requestValidatorId=made["id"]),
        at=at,
        name="all",
        validateRequestBody=True,
        validateRequestParameters=True,
    )
    method = {**at, "resourceId": resource["id"], "httpMethod": "POST"}
    create(
        client,
        "PutMethod",
        lambda _: client.get_method(**method),
        at=method,
        authorizationType="CUSTOM",
        authorizerId=authorizer(client, api)["id"],
        apiKeyRequired=True,
        operationName="op",
        requestParameters={"method.request.header.X": True, "method.request.path.id": False},
        requestModels={"application/json": model["name"]},
        requestValidatorId=validator["id"],
        authorizationScopes=["a/b"],
    )
    status = {**method, "statusCode": "200"}
    create(
        client,
        "PutMethodResponse",
        lambda _: client.get_method_response(**status),
        at=status,
        responseParameters={"method.response.header.X": True},
        responseModels={"application/json": "Empty"},
    )
    integration = create(
        client,
        "PutIntegration",
        lambda _: client.get_integration(**method),
        at=method,
        type="HTTP",
        integrationHttpMethod="PUT",
        **{
            "uri": "http://upstream.test/{id}",
            "connectionType": "VPC_LINK",
            "connectionId": vpc_link(client)["id"],
            "credentials": ROLE,
            "requestParameters": {"integration.request.path.id": "method.request.path.id"},
            "requestTemplates": {"application/json": "$input.body"},
            "passthroughBehavior": "NEVER",
            "cacheNamespace": "c",
            "cacheKeyParameters": ["method.request.path.id"],
            "contentHandling": "CONVERT_TO_TEXT",
            "timeoutInMillis": 1000,
            "tlsConfig": {"insecureSkipVerification": True},
            "responseTransferMode": "BUFFERED",
            "integrationTarget": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/net/n/1/2",
        },
    )
    assert integration["httpMethod"] == "PUT"
    create(
        client,
        "PutIntegrationResponse",
        lambda _: client.get_integration_response(**status),
        at=status,
        selectionPattern="2..",
        responseParameters={"method.response.header.X": "integration.response.header.Y"},
        responseTemplates={"application/json": "$input.json('$')"},
        contentHandling="CONVERT_TO_BINARY",
    )
    create(
        client,
        "PutGatewayResponse",
        lambda _: client.get_gateway_response(**at, responseType="DEFAULT_4XX"),
        at={**at, "responseType": "DEFAULT_4XX"},
        statusCode="418",
        responseParameters={"gatewayresponse.header.X": "'v'"},
        responseTemplates={"application/json": "{}"},
    )


def vpc_link(client):
    return client.create_vpc_link(
        name="l", targetArns=[f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/n/1"]
    )


def authorizer(client, api, **changed):
    sent = {
        "name": f"a{uuid.uuid4().hex[:8]}",
        "type": "REQUEST",
        "authType": "custom",
        "authorizerUri": FUNCTION,
        "authorizerCredentials": ROLE,
        "identitySource": "method.request.header.Authorization, method.request.querystring.q",
        "authorizerResultTtlInSeconds": 60,
    } | changed
    made = client.create_authorizer(restApiId=api, **sent)
    for shown in made, client.get_authorizer(restApiId=api, authorizerId=made["id"]):
        assert same(sent, shown)
    return made


def test_authorizers(client, api):
    authorizer(client, api)
    authorizer(client, api, type="TOKEN", identitySource="method.request.header.Token", identityValidationExpression="a.*")
    client.create_authorizer(
        restApiId=api, name="pool", type="COGNITO_USER_POOLS", providerARNs=[POOL], identitySource="method.request.header.A"
    )
    issuer = {
        "issuer": "https://issuer.test/",
        "audiences": ["a"],
        "additionalClaims": [{"claimName": "c", "format": "SINGLE_STRING", "required": True, "expectedValues": ["v"]}],
    }
    configuration = {"issuers": [issuer], "defaultAlgorithms": ["RS256", "ES512"]}
    made = client.create_authorizer(
        restApiId=api, name="jwt", type="JWT", identitySource="method.request.header.Authorization", jwtConfiguration=configuration
    )
    assert same(configuration, made["jwtConfiguration"])
    assert {a["name"] for a in client.get_authorizers(restApiId=api)["items"]} >= {"pool", "jwt"}


def deployed(client, api):
    method = {"restApiId": api, "resourceId": root_of(client, api), "httpMethod": "GET"}
    client.put_method(**method, authorizationType="NONE")
    client.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    return client.create_deployment(restApiId=api)["id"]


def test_deployments_and_stages(client, api):
    at = {"restApiId": api}
    first = deployed(client, api)
    create(
        client,
        "CreateDeployment",
        lambda made: client.get_deployment(**at, deploymentId=made["id"]),
        at=at,
        description="d",
        stageName="made",
        stageDescription="sd",
        cacheClusterEnabled=True,
        cacheClusterSize="0.5",
        variables={"a": "b"},
        tracingEnabled=True,
    )
    stage = client.get_stage(**at, stageName="made")
    sent = {"description": "sd", "cacheClusterEnabled": True, "cacheClusterSize": "0.5", "variables": {"a": "b"}, "tracingEnabled": True}
    assert same(sent, stage)
    client.create_documentation_version(**at, documentationVersion="v0")
    create(
        client,
        "CreateStage",
        lambda made: client.get_stage(**at, stageName="s"),
        at=at,
        stageName="s",
        deploymentId=first,
        description="d",
        cacheClusterEnabled=True,
        cacheClusterSize="1.6",
        variables={"v": "1"},
        documentationVersion="v0",
        canarySettings={"percentTraffic": 5.0, "deploymentId": first, "stageVariableOverrides": {"v": "2"}, "useStageCache": True},
        tracingEnabled=True,
        tags={"k": "v"},
    )


def test_documentation(client, api):
    at = {"restApiId": api}
    create(
        client,
        "CreateDocumentationPart",
        lambda made: client.get_documentation_part(**at, documentationPartId=made["id"]),
        at=at,
        location={"type": "METHOD", "path": "/a", "method": "GET"},
        properties='{"description": "x"}',
    )
    made = client.create_documentation_version(**at, documentationVersion="v1", description="d")
    assert (made["version"], made["description"]) == ("v1", "d")


def test_keys_and_plans(client, api):
    deployment = deployed(client, api)
    client.create_stage(restApiId=api, stageName="s", deploymentId=deployment)
    value = uuid.uuid4().hex
    key = create(
        client,
        "CreateApiKey",
        lambda made: client.get_api_key(apiKey=made["id"], includeValue=True),
        name="k",
        description="d",
        enabled=True,
        value=value,
        customerId="c",
        tags={"k": "v"},
        stageKeys=[{"restApiId": api, "stageName": "s"}],
    )
    assert key["stageKeys"] == [f"{api}/s"]
    plan = create(
        client,
        "CreateUsagePlan",
        lambda made: client.get_usage_plan(usagePlanId=made["id"]),
        name="p",
        description="d",
        apiStages=[{"apiId": api, "stage": "s", "throttle": {"/pets/GET": {"rateLimit": 1.5, "burstLimit": 2}}}],
        throttle={"rateLimit": 10.0, "burstLimit": 20},
        quota={"limit": 100, "offset": 1, "period": "WEEK"},
        tags={"k": "v"},
    )
    member = create(
        client,
        "CreateUsagePlanKey",
        at={"usagePlanId": plan["id"]},
        keyId=key["id"],
        keyType="API_KEY",
    )
    assert (member["id"], member["type"], member["value"], member["name"]) == (key["id"], "API_KEY", value, "k")
    shown = client.get_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
    assert shown["value"] == value
    stage = f"{api}:s"
    client.update_usage_plan(usagePlanId=plan["id"], patchOperations=[{"op": "remove", "path": "/apiStages", "value": stage}])
    client.delete_usage_plan(usagePlanId=plan["id"])
    client.delete_api_key(apiKey=key["id"])


def test_domains_links_and_certificates(client, api):
    deployment = deployed(client, api)
    client.create_stage(restApiId=api, stageName="s", deploymentId=deployment)
    domain = f"{uuid.uuid4().hex[:8]}.example.test"
    create(
        client,
        "CreateDomainName",
        lambda made: client.get_domain_name(domainName=domain),
        domainName=domain,
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "dualstack"},
        tags={"k": "v"},
        securityPolicy="SecurityPolicy_TLS13_1_3_2025_09",
        endpointAccessMode="BASIC",
        ownershipVerificationCertificateArn=CERTIFICATE,
        routingMode="BASE_PATH_MAPPING_ONLY",
    )
    create(
        client,
        "CreateBasePathMapping",
        lambda _: client.get_base_path_mapping(domainName=domain, basePath="v1"),
        at={"domainName": domain},
        basePath="v1",
        restApiId=api,
        stage="s",
    )
    client.delete_base_path_mapping(domainName=domain, basePath="v1")
    client.delete_domain_name(domainName=domain)
    private = client.create_domain_name(
        domainName=f"private.{domain}",
        certificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["PRIVATE"]},
        policy='{"Version": "2012-10-17", "Statement": []}',
    )
    association = create(
        client,
        "CreateDomainNameAccessAssociation",
        domainNameArn=private["domainNameArn"],
        accessAssociationSourceType="VPCE",
        accessAssociationSource="vpce-1a2b",
        tags={"k": "v"},
    )
    client.delete_domain_name_access_association(
        domainNameAccessAssociationArn=association["domainNameAccessAssociationArn"]
    )
    client.delete_domain_name(domainName=f"private.{domain}", domainNameId=private["domainNameId"])
    create(
        client,
        "CreateVpcLink",
        lambda made: client.get_vpc_link(vpcLinkId=made["id"]),
        name="n",
        description="d",
        targetArns=[f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/n/1"],
        tags={"k": "v"},
    )
    create(
        client,
        "GenerateClientCertificate",
        lambda made: client.get_client_certificate(clientCertificateId=made["clientCertificateId"]),
        description="d",
        tags={"k": "v"},
    )


TAGGABLE = ["restapis", "stages", "apikeys", "usageplans", "domainnames", "vpclinks", "clientcertificates"]


@pytest.mark.parametrize("kind", TAGGABLE)
def test_tags_show_in_the_resource(client, api, kind):
    domain = f"{uuid.uuid4().hex[:8]}.example.test"
    path, read = {
        "restapis": lambda: (f"restapis/{api}", lambda: client.get_rest_api(restApiId=api)),
        "stages": lambda: (
            f"restapis/{api}/stages/s",
            lambda made=client.create_stage(restApiId=api, stageName="s", deploymentId=deployed(client, api)): client.get_stage(
                restApiId=api, stageName="s"
            ),
        ),
        "apikeys": lambda: by_id(client.create_api_key(), "apikeys", lambda i: client.get_api_key(apiKey=i)),
        "usageplans": lambda: by_id(
            client.create_usage_plan(name="p"), "usageplans", lambda i: client.get_usage_plan(usagePlanId=i)
        ),
        "domainnames": lambda: (
            f"domainnames/{domain}",
            lambda made=client.create_domain_name(domainName=domain, certificateArn=CERTIFICATE): client.get_domain_name(
                domainName=domain
            ),
        ),
        "vpclinks": lambda: by_id(vpc_link(client), "vpclinks", lambda i: client.get_vpc_link(vpcLinkId=i)),
        "clientcertificates": lambda: by_id(
            client.generate_client_certificate(),
            "clientcertificates",
            lambda i: client.get_client_certificate(clientCertificateId=i),
            "clientCertificateId",
        ),
    }[kind]()
    arn = f"arn:aws:apigateway:{REGION}::/{path}"
    client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    client.tag_resource(resourceArn=arn, tags={"b": "3"})
    assert client.get_tags(resourceArn=arn)["tags"] == {"a": "1", "b": "3"} == read()["tags"]
    client.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
    assert client.get_tags(resourceArn=arn)["tags"] == {"b": "3"} == read()["tags"]


def by_id(made, kind, read, name="id"):
    return f"{kind}/{made[name]}", lambda: read(made[name])
