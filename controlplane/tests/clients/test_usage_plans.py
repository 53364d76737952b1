"""API keys and usage plans as boto3 and Terraform drive them."""

from datetime import date, timedelta

from test_errors import refused

from gateway import add_mock, root_of


def test_a_plan_with_keys_from_nothing(client, api):
    add_mock(client, api, root_of(client, api), "pets", "{}")
    client.create_deployment(restApiId=api, stageName="prod")
    plan = client.create_usage_plan(
        name="gold",
        apiStages=[{"apiId": api, "stage": "prod", "throttle": {"//ANY": {"rateLimit": 1.0, "burstLimit": 2}}}],
        throttle={"rateLimit": 10.0, "burstLimit": 20},
        quota={"limit": 100, "period": "MONTH"},
    )
    # Terraform sets the product code, and method throttles, by raw paths.
    path = f"/apiStages/{api}:prod/throttle//pets/GET"
    changed = client.update_usage_plan(
        usagePlanId=plan["id"],
        patchOperations=[
            {"op": "add", "path": "/productCode", "value": "code"},
            {"op": "replace", "path": f"{path}/rateLimit", "value": "5"},
            {"op": "replace", "path": f"{path}/burstLimit", "value": "6"},
        ],
    )
    assert changed["productCode"] == "code"
    assert changed["apiStages"][0]["throttle"]["/pets/GET"] == {"rateLimit": 5.0, "burstLimit": 6}
    assert changed["tags"] == {}

    keys = [client.create_api_key(name=f"key-{n}", enabled=True) for n in range(30)]
    for key in keys:
        client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    pages = client.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan["id"])
    shown = {item["id"]: item["value"] for page in pages for item in page["items"]}
    assert shown == {key["id"]: key["value"] for key in keys}
    listed = client.get_paginator("get_api_keys").paginate(includeValues=True, nameQuery="key-")
    assert {item["value"] for page in listed for item in page["items"]} == set(shown.values())

    today = date.today()
    dates = {"startDate": str(today - timedelta(days=2)), "endDate": str(today)}
    pages = client.get_paginator("get_usage").paginate(usagePlanId=plan["id"], **dates)
    items = {key: days for page in pages for key, days in page["items"].items()}
    assert set(items) == set(shown) and all(len(days) == 3 for days in items.values())
    grant = [{"op": "replace", "path": "/remaining", "value": "7"}]
    usage = client.update_usage(usagePlanId=plan["id"], keyId=keys[0]["id"], patchOperations=grant)
    assert usage["items"] == {keys[0]["id"]: [[0, 7]]}

    name, status, message = refused(client.delete_usage_plan, usagePlanId=plan["id"])
    assert (name, status) == ("BadRequestException", 400)
    assert f"including {api}:prod" in message, message
    client.delete_stage(restApiId=api, stageName="prod")
    assert client.get_usage_plan(usagePlanId=plan["id"])["apiStages"] == []
    client.delete_usage_plan(usagePlanId=plan["id"])
    for key in keys:
        client.delete_api_key(apiKey=key["id"])
    assert client.get_api_keys(nameQuery="key-")["items"] == []


def test_a_file_of_keys(client):
    plan = client.create_usage_plan(name="imported")["id"]
    body = f'name,key,usageplanids\nfirst,apikey1234abcdefghij0123456789,"{plan}"\nsecond,short,\n'
    done = client.import_api_keys(body=body.encode(), format="csv", failOnWarnings=False)
    assert (len(done["ids"]), len(done["warnings"])) == (1, 1)
    assert client.get_usage_plans(keyId=done["ids"][0])["items"][0]["id"] == plan
    name, status, _ = refused(client.import_api_keys, body=body.encode(), format="csv", failOnWarnings=True)
    assert (name, status) == ("BadRequestException", 400)
    client.delete_api_key(apiKey=done["ids"][0])
    client.delete_usage_plan(usagePlanId=plan)
