//! API keys, usage plans, the keys in them, and usage.

use std::collections::BTreeMap;

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, deployment, map, pets, replace, service};

#[tokio::test]
async fn api_keys() {
    let mut service = service().await;
    let (rest_api_id, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&rest_api_id, "prod"))).unwrap();
    let key = v1::ApiKey {
        name: "shop".to_owned(),
        value: "management-value-0123456789".to_owned(),
        stage_keys: vec![format!("{rest_api_id}/prod")],
        tags: map(&[("team", "shops")]),
        ..Default::default()
    };
    let request = v1::CreateApiKeyRequest { api_key: Some(key.clone()) };
    let made = call!(service.create_api_key(request.clone())).unwrap();
    assert!(made.created_date > 0 && made.last_updated_date > 0 && !made.enabled);
    let wanted = v1::ApiKey {
        id: made.id.clone(),
        created_date: made.created_date,
        last_updated_date: made.last_updated_date,
        ..key
    };
    assert_eq!(made, wanted);
    let twice = call!(service.create_api_key(request));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let drawn = call!(service.create_api_key(v1::CreateApiKeyRequest { api_key: None })).unwrap();
    assert_eq!(drawn.value.len(), 40);

    let get = |include_value| v1::GetApiKeyRequest { api_key_id: made.id.clone(), include_value };
    assert_eq!(call!(service.get_api_key(get(false))).unwrap().value, "");
    assert_eq!(call!(service.get_api_key(get(true))).unwrap().value, made.value);
    let request = v1::GetApiKeysRequest { name: "sh".to_owned(), ..Default::default() };
    let page = call!(service.get_api_keys(request)).unwrap();
    assert_eq!((page.items.len(), page.items[0].value.as_str()), (1, ""));
    let request = v1::UpdateApiKeyRequest {
        api_key_id: made.id.clone(),
        patch_operations: replace("/enabled", "true"),
    };
    assert!(call!(service.update_api_key(request)).unwrap().enabled);

    let request = v1::ImportApiKeysRequest {
        file: b"Key,Name\nimported-value-0123456789-abcdef,i\nshort,s".to_vec(),
        fail_on_warnings: false,
    };
    let done = call!(service.import_api_keys(request.clone())).unwrap();
    assert_eq!((done.ids.len(), done.warnings.len()), (1, 1));
    let request = v1::ImportApiKeysRequest { fail_on_warnings: true, ..request };
    let refused = call!(service.import_api_keys(request));
    assert_refused(refused, Code::InvalidArgument, "BadRequestException");

    let address = v1::ApiKeyAddress { api_key_id: made.id.clone() };
    call!(service.delete_api_key(address.clone())).unwrap();
    assert_refused(call!(service.delete_api_key(address)), Code::NotFound, "NotFoundException");
    assert_refused(call!(service.get_api_key(get(true))), Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn usage_plans_and_usage() {
    let mut service = service().await;
    let (rest_api_id, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&rest_api_id, "prod"))).unwrap();
    let slow = v1::UsageThrottle { burst_limit: Some(1), rate_limit: Some(0.5) };
    let plan = v1::UsagePlan {
        name: "gold".to_owned(),
        api_stages: vec![v1::UsagePlanStage {
            rest_api_id: rest_api_id.clone(),
            stage_name: "prod".to_owned(),
            throttle: BTreeMap::from([("/pets/{id}/GET".to_owned(), slow)]),
        }],
        throttle: Some(v1::UsageThrottle { burst_limit: None, rate_limit: Some(10.0) }),
        quota: Some(v1::UsageQuota { limit: 100, offset: 0, period: "DAY".to_owned() }),
        tags: map(&[("team", "shops")]),
        ..Default::default()
    };
    let request = v1::CreateUsagePlanRequest { usage_plan: Some(plan.clone()) };
    let made = call!(service.create_usage_plan(request)).unwrap();
    let usage_plan_id = made.id.clone();
    assert_eq!(made, v1::UsagePlan { id: usage_plan_id.clone(), ..plan });
    let address = v1::UsagePlanAddress { usage_plan_id: usage_plan_id.clone() };
    assert_eq!(call!(service.get_usage_plan(address.clone())).unwrap(), made);
    let none = call!(service.create_usage_plan(v1::CreateUsagePlanRequest { usage_plan: None }));
    assert_refused(none, Code::InvalidArgument, "ValidationException");
    let request = v1::UpdateUsagePlanRequest {
        usage_plan_id: usage_plan_id.clone(),
        patch_operations: replace("/name", "silver"),
    };
    assert_eq!(call!(service.update_usage_plan(request)).unwrap().name, "silver");

    let key = call!(service.create_api_key(v1::CreateApiKeyRequest::default())).unwrap();
    let key_id = key.id.clone();
    let join = v1::CreateUsagePlanKeyRequest {
        usage_plan_id: usage_plan_id.clone(),
        key_id: key_id.clone(),
        key_type: String::new(),
    };
    let joined = call!(service.create_usage_plan_key(join.clone())).unwrap();
    assert_eq!((joined.r#type.as_str(), &joined.value), ("API_KEY", &key.value));
    let twice = call!(service.create_usage_plan_key(join));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let member =
        v1::UsagePlanKeyAddress { usage_plan_id: usage_plan_id.clone(), key_id: key_id.clone() };
    assert_eq!(call!(service.get_usage_plan_key(member.clone())).unwrap(), joined);
    let request =
        v1::GetUsagePlanKeysRequest { usage_plan_id: usage_plan_id.clone(), ..Default::default() };
    assert_eq!(call!(service.get_usage_plan_keys(request)).unwrap().items, [joined]);
    let request = v1::GetUsagePlansRequest { paging: None, key_id: key_id.clone() };
    assert_eq!(call!(service.get_usage_plans(request)).unwrap().items.len(), 1);

    let request = v1::GetUsageRequest {
        usage_plan_id: usage_plan_id.clone(),
        start_date: "2024-02-28".to_owned(),
        end_date: "2024-02-29".to_owned(),
        ..Default::default()
    };
    let usage = call!(service.get_usage(request)).unwrap();
    let unused = v1::DayUsage { used: 0, remaining: 100 };
    assert_eq!(usage.items, [v1::KeyUsage { key_id: key_id.clone(), days: vec![unused; 2] }]);
    let request = v1::UpdateUsageRequest {
        usage_plan_id: usage_plan_id.clone(),
        key_id,
        patch_operations: replace("/remaining", "7"),
    };
    let usage = call!(service.update_usage(request)).unwrap();
    assert_eq!(usage.start_date, usage.end_date);
    assert_eq!(usage.items[0].days, [v1::DayUsage { used: 0, remaining: 7 }]);

    call!(service.delete_usage_plan_key(member.clone())).unwrap();
    let twice = call!(service.delete_usage_plan_key(member));
    assert_refused(twice, Code::NotFound, "NotFoundException");
    let covering = call!(service.delete_usage_plan(address.clone()));
    assert_refused(covering, Code::InvalidArgument, "BadRequestException");
    call!(service.delete_rest_api(v1::RestApiAddress { rest_api_id })).unwrap();
    assert!(call!(service.get_usage_plan(address.clone())).unwrap().api_stages.is_empty());
    call!(service.delete_usage_plan(address)).unwrap();
}
