"""Lists in pages, tags, and the account."""

from gateway import REGION, add_mock, root_of


def test_lists_come_in_pages(client, api):
    made = [client.create_rest_api(name=f"page-{n}")["id"] for n in range(7)]
    try:
        pages = list(client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 3}))
        assert all(len(page["items"]) <= 3 for page in pages) and len(pages) >= 3
        seen = [item["id"] for page in pages for item in page["items"]]
        assert len(seen) == len(set(seen)) and set(made) <= set(seen)
        # The last page has no position; it would make paginators go on for ever.
        assert "position" not in client.get_rest_apis(limit=500)
    finally:
        for one in made:
            client.delete_rest_api(restApiId=one)

    root = root_of(client, api)
    for n in range(9):
        client.create_resource(restApiId=api, parentId=root, pathPart=f"r{n}")
    first = client.get_resources(restApiId=api, limit=4)
    assert len(first["items"]) == 4 and first["position"]
    paths = [
        item["path"]
        for page in client.get_paginator("get_resources").paginate(restApiId=api, PaginationConfig={"PageSize": 4})
        for item in page["items"]
    ]
    assert paths == ["/", *(f"/r{n}" for n in range(9))]

    add_mock(client, api, root, "m", "{}")
    deployments = {client.create_deployment(restApiId=api)["id"] for _ in range(5)}
    listed = [
        item["id"]
        for page in client.get_paginator("get_deployments").paginate(restApiId=api, PaginationConfig={"PageSize": 2})
        for item in page["items"]
    ]
    assert len(listed) == 5 and set(listed) == deployments


def test_embedded_methods(client, api):
    root = root_of(client, api)
    add_mock(client, api, root, "m", "{}")
    [_, plain] = client.get_resources(restApiId=api)["items"]
    assert plain["resourceMethods"] == {"GET": {}}
    [_, full] = client.get_resources(restApiId=api, embed=["methods"])["items"]
    assert full["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"


def test_tags(client):
    made = client.create_rest_api(name="tagged", tags={"team": "a", "cost": "1"})
    api = made["id"]
    try:
        assert made["tags"] == {"team": "a", "cost": "1"}
        arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}"
        client.tag_resource(resourceArn=arn, tags={"team": "b", "new": "2"})
        assert client.get_tags(resourceArn=arn)["tags"] == {"team": "b", "cost": "1", "new": "2"}
        client.untag_resource(resourceArn=arn, tagKeys=["cost", "new"])
        assert client.get_rest_api(restApiId=api)["tags"] == {"team": "b"}
    finally:
        client.delete_rest_api(restApiId=api)


def test_a_tag_chooses_the_id(gateway, client):
    api = client.create_rest_api(name="chosen", tags={"_custom_id_": "myownid"})["id"]
    assert api == "myownid"
    client.delete_rest_api(restApiId=api)


def test_the_account(client):
    account = client.get_account()
    assert account["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0}
    assert account["features"] == ["UsagePlans"]
    role = "arn:aws:iam::000000000000:role/logs"
    changed = client.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    assert changed["cloudwatchRoleArn"] == role
