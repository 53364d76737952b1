//! APIs, their resources and methods, deployments, stages, documents; reflection and health.

use std::collections::BTreeMap;

use tidegate_control::grpc::management::REQUEST_ID;
use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, deployment, map, pets, replace, service, stage};

#[tokio::test]
async fn apis_and_resources() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    let address = v1::RestApiAddress { rest_api_id: api.clone() };
    let shown = call!(service.get_rest_api(address.clone())).unwrap();
    assert_eq!((shown.name.as_str(), shown.api_key_source.as_str()), ("pets", "HEADER"));
    assert_eq!(shown.endpoint_configuration.unwrap().r#type, "EDGE");
    let request = v1::UpdateRestApiRequest {
        rest_api_id: api.clone(),
        patch_operations: replace("/name", "animals"),
    };
    assert_eq!(call!(service.update_rest_api(request)).unwrap().name, "animals");
    let listed = call!(service.get_rest_apis(v1::GetRestApisRequest::default())).unwrap();
    assert_eq!((listed.items.len(), listed.position.as_str()), (1, ""));

    let paging = Some(v1::Paging { position: String::new(), limit: 2 });
    let request = v1::GetResourcesRequest { rest_api_id: api.clone(), paging };
    let page = call!(service.get_resources(request)).unwrap();
    assert_eq!(page.items.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["/", "/pets"]);
    let paging = Some(v1::Paging { position: page.position, limit: 2 });
    let request = v1::GetResourcesRequest { rest_api_id: api.clone(), paging };
    let page = call!(service.get_resources(request)).unwrap();
    assert_eq!((page.items[0].path.as_str(), page.position.as_str()), ("/pets/{id}", ""));
    assert_eq!(page.items[0].methods[0].http_method, "GET");

    let request = v1::UpdateResourceRequest {
        rest_api_id: api.clone(),
        resource_id: resource.clone(),
        patch_operations: replace("/pathPart", "{pet}"),
    };
    assert_eq!(call!(service.update_resource(request)).unwrap().path, "/pets/{pet}");
    let one = v1::ResourceAddress { rest_api_id: api.clone(), resource_id: resource };
    assert_eq!(call!(service.get_resource(one.clone())).unwrap().path_part, "{pet}");
    call!(service.delete_resource(one.clone())).unwrap();
    assert_refused(call!(service.get_resource(one)), Code::NotFound, "NotFoundException");
    call!(service.delete_rest_api(address.clone())).unwrap();
    assert_refused(call!(service.get_rest_api(address)), Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn methods_integrations_and_responses() {
    let mut service = service().await;
    let (rest_api_id, resource_id) = pets(&mut service).await;
    let http_method = "GET".to_owned();
    let method = v1::MethodAddress {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
    };
    let response = v1::ResponseAddress {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
        status_code: 200,
    };
    let update = |steps| v1::UpdateMethodRequest {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
        patch_operations: steps,
    };
    let update_response = |steps| v1::UpdateResponseRequest {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
        status_code: 200,
        patch_operations: steps,
    };
    let changed = call!(service.update_method(update(replace("/apiKeyRequired", "true")))).unwrap();
    assert!(changed.api_key_required);
    let changed = call!(service.update_integration(update(replace("/timeoutInMillis", "500"))));
    assert_eq!(changed.unwrap().timeout_ms, 500);
    assert_eq!(call!(service.get_integration(method.clone())).unwrap().timeout_ms, 500);

    let header = "method.response.header.X-A".to_owned();
    let put = v1::PutMethodResponseRequest {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
        status_code: 200,
        response: Some(v1::RestMethodResponse {
            response_parameters: BTreeMap::from([(header.clone(), false)]),
            response_models: map(&[("application/json", "Empty")]),
            ..Default::default()
        }),
    };
    call!(service.put_method_response(put.clone())).unwrap();
    let twice = call!(service.put_method_response(put));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let changed = replace("/responseModels/application~1json", "Error");
    let changed = call!(service.update_method_response(update_response(changed))).unwrap();
    assert_eq!(changed.response_models["application/json"], "Error");
    let shown = call!(service.get_method_response(response.clone())).unwrap();
    assert_eq!(shown.response_parameters, BTreeMap::from([(header.clone(), false)]));

    let put = v1::PutIntegrationResponseRequest {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: http_method.clone(),
        status_code: 200,
        response: Some(v1::RestIntegrationResponse {
            response_parameters: map(&[(&header, "'a'")]),
            response_templates: map(&[("application/json", "")]),
            ..Default::default()
        }),
    };
    call!(service.put_integration_response(put)).unwrap();
    let changed = replace("/selectionPattern", "2..");
    let changed = call!(service.update_integration_response(update_response(changed))).unwrap();
    assert_eq!(changed.selection_pattern, "2..");
    let shown = call!(service.get_integration_response(response.clone())).unwrap();
    assert_eq!(shown.response_templates, map(&[("application/json", "")]));
    let shown = call!(service.get_method(method.clone())).unwrap();
    assert_eq!(shown.responses[0].status_code, 200);
    assert_eq!(shown.integration.unwrap().responses[0].selection_pattern, "2..");

    call!(service.delete_integration_response(response.clone())).unwrap();
    call!(service.delete_method_response(response)).unwrap();
    call!(service.delete_integration(method.clone())).unwrap();
    call!(service.delete_method(method.clone())).unwrap();
    assert_refused(call!(service.get_method(method)), Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn deployments_stages_and_the_way_back() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    let first = call!(service.create_deployment(deployment(&api, "prod"))).unwrap().id;
    let changes = call!(service.list_undeployed_changes(stage(&api, "prod"))).unwrap();
    assert_eq!((changes.deployment_id.as_str(), changes.changes.len()), (first.as_str(), 0));

    let request = v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id: resource.clone(),
        http_method: "GET".to_owned(),
        patch_operations: replace("/uri", "http://elsewhere.test/{id}"),
    };
    call!(service.update_integration(request)).unwrap();
    let changes = call!(service.list_undeployed_changes(stage(&api, "prod"))).unwrap().changes;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].subject.as_str(), changes[0].difference()),
        ("GET /pets/{id}", v1::Difference::Changed)
    );
    assert_eq!(changes[0].members[0].member, "methodIntegration.uri");
    assert_eq!(changes[0].members[0].new.as_deref(), Some("\"http://elsewhere.test/{id}\""));

    let rollback = |to: &str| v1::RollbackRequest {
        rest_api_id: api.clone(),
        stage_name: "prod".to_owned(),
        deployment_id: to.to_owned(),
    };
    let none = call!(service.rollback(rollback("")));
    assert_refused(none, Code::InvalidArgument, "BadRequestException");
    let second = call!(service.create_deployment(deployment(&api, "prod"))).unwrap().id;
    let history =
        call!(service.list_deployment_history(v1::RestApiAddress { rest_api_id: api.clone() }));
    let history = history.unwrap().deployments;
    let shown = history
        .iter()
        .map(|used| (used.deployment.as_ref().unwrap().id.as_str(), used.stages.len()));
    assert_eq!(shown.collect::<Vec<_>>(), [(second.as_str(), 1), (first.as_str(), 0)]);
    let back = call!(service.rollback(rollback(""))).unwrap();
    assert_eq!(
        (back.stage.unwrap().deployment_id, back.replaced_deployment_id),
        (first.clone(), second.clone())
    );
    let forth = call!(service.rollback(rollback(&second))).unwrap();
    assert_eq!(forth.replaced_deployment_id, first);

    let one = v1::DeploymentAddress { rest_api_id: api.clone(), deployment_id: first.clone() };
    let request = v1::UpdateDeploymentRequest {
        rest_api_id: api.clone(),
        deployment_id: first.clone(),
        patch_operations: replace("/description", "the first"),
    };
    assert_eq!(call!(service.update_deployment(request)).unwrap().description, "the first");
    let request = v1::GetDeploymentRequest {
        rest_api_id: api.clone(),
        deployment_id: first,
        with_summary: true,
    };
    let shown = call!(service.get_deployment(request)).unwrap();
    assert_eq!(
        (shown.description.as_str(), shown.summary[0].path.as_str()),
        ("the first", "/pets/{id}")
    );
    let request = v1::GetDeploymentsRequest { rest_api_id: api.clone(), paging: None };
    assert_eq!(call!(service.get_deployments(request)).unwrap().items.len(), 2);
    call!(service.delete_deployment(one)).unwrap();
    let used = v1::DeploymentAddress { rest_api_id: api.clone(), deployment_id: second.clone() };
    assert_refused(
        call!(service.delete_deployment(used)),
        Code::InvalidArgument,
        "BadRequestException",
    );

    let made = v1::Stage {
        stage_name: "test".to_owned(),
        deployment_id: second.clone(),
        variables: map(&[("host", "a")]),
        canary: Some(v1::StageCanary { percent_traffic: 12.5, ..Default::default() }),
        ..Default::default()
    };
    let request = v1::CreateStageRequest { rest_api_id: api.clone(), stage: Some(made) };
    assert_eq!(
        call!(service.create_stage(request.clone())).unwrap().canary.unwrap().deployment_id,
        second
    );
    assert_refused(call!(service.create_stage(request)), Code::AlreadyExists, "ConflictException");
    let request = v1::UpdateStageRequest {
        rest_api_id: api.clone(),
        stage_name: "test".to_owned(),
        patch_operations: replace("/*/*/metrics/enabled", "true"),
    };
    assert!(call!(service.update_stage(request)).unwrap().method_settings["*/*"].metrics_enabled);
    call!(service.flush_stage_cache(stage(&api, "test"))).unwrap();
    call!(service.flush_stage_authorizers_cache(stage(&api, "test"))).unwrap();
    assert_eq!(
        call!(service.get_stage(stage(&api, "test"))).unwrap().variables,
        map(&[("host", "a")])
    );
    let request = v1::GetStagesRequest { rest_api_id: api.clone(), deployment_id: String::new() };
    assert_eq!(call!(service.get_stages(request)).unwrap().items.len(), 2);
    call!(service.delete_stage(stage(&api, "test"))).unwrap();
    assert_refused(
        call!(service.get_stage(stage(&api, "test"))),
        Code::NotFound,
        "NotFoundException",
    );
}

#[tokio::test]
async fn documents_are_imported_put_and_applied() {
    let mut service = service().await;
    let document = |title: &str, path: &str| {
        format!(
            r#"{{"openapi":"3.0.1","info":{{"title":"{title}","version":"1"}},"paths":{{"{path}":{{"get":{{"responses":{{}},
            "x-amazon-apigateway-integration":{{"type":"http_proxy","httpMethod":"GET","uri":"http://upstream.test/"}}}}}}}}}}"#
        )
        .into_bytes()
    };
    let request =
        v1::ImportRestApiRequest { document: document("one", "/a"), ..Default::default() };
    let api = call!(service.import_rest_api(request)).unwrap().rest_api.unwrap();
    let request = v1::PutRestApiRequest {
        rest_api_id: api.id.clone(),
        mode: "merge".to_owned(),
        document: document("one", "/b"),
        ..Default::default()
    };
    call!(service.put_rest_api(request.clone())).unwrap();
    let bad = v1::PutRestApiRequest { mode: "append".to_owned(), ..request };
    assert_refused(call!(service.put_rest_api(bad)), Code::InvalidArgument, "ValidationException");
    let request = v1::GetResourcesRequest { rest_api_id: api.id.clone(), paging: None };
    assert_eq!(call!(service.get_resources(request)).unwrap().items.len(), 3);

    let apply = |title: &str, name: &str| v1::ApplyDocumentRequest {
        document: document(title, "/a"),
        name: name.to_owned(),
    };
    let applied = call!(service.apply_document(apply("one", ""))).unwrap();
    assert_eq!((applied.created, applied.rest_api.unwrap().id), (false, api.id.clone()));
    let other = call!(service.apply_document(apply("one", "two"))).unwrap();
    assert!(other.created);
    let other = other.rest_api.unwrap();
    assert_eq!(other.name, "two");
    let again = call!(service.apply_document(apply("one", "two"))).unwrap();
    assert_eq!((again.created, again.rest_api.unwrap().id), (false, other.id.clone()));
    let request = v1::UpdateRestApiRequest {
        rest_api_id: other.id,
        patch_operations: replace("/name", "one"),
    };
    call!(service.update_rest_api(request)).unwrap();
    let several = call!(service.apply_document(apply("one", "")));
    assert_refused(several, Code::AlreadyExists, "ConflictException");
    let nonsense = v1::ApplyDocumentRequest { document: b"]".to_vec(), name: String::new() };
    assert_refused(
        call!(service.apply_document(nonsense)),
        Code::InvalidArgument,
        "BadRequestException",
    );
}

#[tokio::test]
async fn requests_are_explained() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&api, "prod"))).unwrap();
    let ask = |url: String| v1::ExplainRequest {
        request: Some(v1::HttpRequest {
            method: "GET".to_owned(),
            url,
            headers: vec![v1::Pair { name: "X-Trace".to_owned(), value: "on".to_owned() }],
            body: Vec::new(),
        }),
    };
    let names =
        |told: &v1::Explained| told.phases.iter().map(|p| p.name.clone()).collect::<Vec<_>>();

    let told = call!(
        service.explain(ask(format!("http://{api}.execute-api.localhost:4780/prod/pets/7?q=1")))
    )
    .unwrap();
    assert_eq!(names(&told), ["address", "stage", "route", "integration", "respond"]);
    let upstream = told.upstream.unwrap();
    assert_eq!(
        (upstream.method.as_str(), upstream.url.as_str()),
        ("GET", "http://upstream.test/animals/7?q=1")
    );
    let has = |name: &str, value: &str| {
        upstream.headers.iter().any(|h| h.name == name && h.value == value)
    };
    assert!(has("Host", "upstream.test") && has("X-Trace", "on"), "{:?}", upstream.headers);
    assert!(told.answer.is_none());

    let told =
        call!(service.explain(ask(format!("http://127.0.0.1/_aws/execute-api/{api}/prod/pet"))))
            .unwrap();
    let route = told.phases.iter().find(|phase| phase.name == "route").unwrap();
    assert!(route.decision.contains("no match for /pet"), "{}", route.decision);
    let answer = told.answer.unwrap();
    assert_eq!(answer.status, 403);
    assert!(String::from_utf8(answer.body).unwrap().contains("Missing Authentication Token"));

    let told =
        call!(service.explain(ask("http://nobody.execute-api.localhost/prod".to_owned()))).unwrap();
    assert_eq!(told.answer.unwrap().status, 403);
    assert_refused(
        call!(service.explain(ask("/prod".to_owned()))),
        Code::InvalidArgument,
        "BadRequestException",
    );
    let nothing = call!(service.explain(v1::ExplainRequest::default()));
    assert_refused(nothing, Code::InvalidArgument, "ValidationException");
}

#[tokio::test]
async fn tags_account_and_nodes() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let resource_arn = format!("arn:aws:apigateway:us-east-1::/restapis/{api}");
    let tags = map(&[("team", "zoo"), ("tier", "1")]);
    let request = v1::TagResourceRequest { resource_arn: resource_arn.clone(), tags };
    call!(service.tag_resource(request)).unwrap();
    let request = v1::UntagResourceRequest {
        resource_arn: resource_arn.clone(),
        tag_keys: vec!["tier".to_owned()],
    };
    call!(service.untag_resource(request)).unwrap();
    let request = v1::GetTagsRequest { resource_arn };
    assert_eq!(call!(service.get_tags(request)).unwrap().tags, map(&[("team", "zoo")]));

    let account = call!(service.get_account(v1::GetAccountRequest {})).unwrap();
    assert_eq!(account.throttle_burst_limit, 5_000);
    let patch_operations = replace("/cloudwatchRoleArn", "arn:aws:iam::000000000000:role/logs");
    let request = v1::UpdateAccountRequest { patch_operations };
    assert!(call!(service.update_account(request)).unwrap().cloudwatch_role_arn.ends_with("logs"));

    let listed = call!(service.list_nodes(v1::ListNodesRequest {})).unwrap();
    assert!(listed.nodes.is_empty() && listed.head.unwrap().sequence > 0);
    let reply = service.rpc.get_account(v1::GetAccountRequest {}).await.unwrap();
    assert_eq!(reply.metadata().get(REQUEST_ID).unwrap().len(), 36);
    let bad = v1::PatchOperation { op: "increase".to_owned(), ..Default::default() };
    let bad = v1::UpdateAccountRequest { patch_operations: vec![bad] };
    assert_refused(
        call!(service.update_account(bad)),
        Code::InvalidArgument,
        "ValidationException",
    );
}

#[tokio::test]
async fn reflection_and_health_know_the_service() {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let service = service().await;
    let mut health = HealthClient::new(service.channel.clone());
    for name in ["", "tidegate.v1.Management"] {
        let answer = health.check(HealthCheckRequest { service: name.to_owned() }).await;
        let status = answer.map(|answer| answer.into_inner().status());
        assert_eq!(status.unwrap(), ServingStatus::Serving, "{name:?}");
    }
    let mut reflection = ServerReflectionClient::new(service.channel.clone());
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        reflection.server_reflection_info(tokio_stream::iter([list])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for name in ["tidegate.v1.Management", "tidegate.v1.Sync", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {names:?}");
    }
}
