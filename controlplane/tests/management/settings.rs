//! What an API has beyond AWS, by its own calls and by patches, and what it changes for others.

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{Service, assert_refused, call, deployment, pets, replace, service, stage};

fn cors(origin: &str) -> v1::ApiSettings {
    v1::ApiSettings {
        cors: Some(v1::Cors {
            allow_origins: vec![origin.to_owned()],
            allow_credentials: true,
            max_age_seconds: Some(60),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn patch(
    service: &mut Service,
    api: &str,
    op: &str,
    member: &str,
    value: Option<&str>,
) -> Result<v1::ApiSettings, tonic::Status> {
    let step = v1::PatchOperation {
        op: op.to_owned(),
        path: format!("/tidegate/{member}"),
        value: value.map(str::to_owned),
        from: None,
    };
    let request =
        v1::UpdateRestApiRequest { rest_api_id: api.to_owned(), patch_operations: vec![step] };
    call!(service.update_rest_api(request)).map(|api| api.settings.unwrap_or_default())
}

#[tokio::test]
async fn settings_are_put_shown_patched_and_taken_back() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let address = v1::RestApiAddress { rest_api_id: api.clone() };
    let none = v1::ApiSettings::default();
    assert_eq!(call!(service.get_api_settings(address.clone())).unwrap(), none);
    let wanted = v1::ApiSettings {
        endpoints: vec![
            v1::Pair { name: "*".into(), value: "http://127.0.0.1:2".into() },
            v1::Pair { name: "sqs".into(), value: "http://127.0.0.1:1".into() },
        ],
        limits: Some(v1::ApiLimits {
            profile: "open".into(),
            payload_bytes: Some(20_000_000),
            timeout_ms: Some(60_000),
        }),
        response_validation: "log".into(),
        ..cors("https://app.example")
    };
    let put = |settings: v1::ApiSettings| v1::PutApiSettingsRequest {
        rest_api_id: api.clone(),
        settings: Some(settings),
    };
    assert_eq!(call!(service.put_api_settings(put(wanted.clone()))).unwrap(), wanted);
    assert_eq!(call!(service.get_api_settings(address.clone())).unwrap(), wanted);

    // One member after the other, as unmodified SDKs can.
    let got = patch(&mut service, &api, "remove", "endpoints", None).await.unwrap();
    assert_eq!(got, v1::ApiSettings { endpoints: vec![], ..wanted.clone() });
    let value = r#"{"allowOrigins": ["*"], "allowMethods": ["GET"]}"#;
    let got =
        patch(&mut service, &api, "replace", "cors", Some(value)).await.unwrap().cors.unwrap();
    assert_eq!((got.allow_origins, got.allow_credentials), (vec!["*".to_owned()], false));
    for member in ["cors", "limits", "responseValidation", "cors"] {
        patch(&mut service, &api, "remove", member, None).await.unwrap();
    }
    let shown = call!(service.get_rest_api(address.clone())).unwrap();
    assert_eq!(shown.settings, None, "nothing is left of nothing");
    let unknown = v1::RestApiAddress { rest_api_id: "nope".into() };
    let unknown = call!(service.get_api_settings(unknown));
    assert_refused(unknown, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_every_way_in() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    for (member, value, want) in [
        ("cors", "{", "cors: EOF while parsing an object at line 1 column 1"),
        ("cors", r#"{"allowOrigin": ["*"]}"#, "unknown field `allowOrigin`, expected one of"),
        ("cors", r#"{"allowOrigins": ["x"]}"#, "cors.allowOrigins: 'x' is no origin"),
        (
            "endpoints",
            r#"{"sqs": "localhost"}"#,
            "endpoints.sqs: 'localhost' is no http or https URL",
        ),
        ("limits", r#"{"profile": "none"}"#, "unknown variant `none`, expected `aws` or `open`"),
        ("limits", r#"{"timeoutMillis": 60000}"#, "more than AWS's 29000; profile 'open' lifts"),
        ("limits", r#"{"profile":"open","timeoutMillis":900001}"#, "not within 29000..=900000"),
        (
            "limits",
            r#"{"payloadBytes": 10485761}"#,
            "more than AWS's 10485760; profile 'open' lifts",
        ),
        ("responseValidation", r#"{"mode": "on"}"#, "unknown variant `on`, expected one of"),
    ] {
        let status = patch(&mut service, &api, "replace", member, Some(value)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{member} {value}");
        let text = status.message();
        assert!(text.starts_with("Invalid settings specified: ") && text.contains(want), "{text}");
    }
    for (op, member, want) in [
        ("replace", "nope", "Invalid patch path /tidegate/nope"),
        ("move", "cors", "Invalid patch path /tidegate/cors"),
    ] {
        let status = patch(&mut service, &api, op, member, Some("{}")).await.unwrap_err();
        assert_eq!(status.message(), want);
    }
    let request = v1::PutApiSettingsRequest { rest_api_id: api.clone(), settings: Some(cors("*")) };
    let status = call!(service.put_api_settings(request)).unwrap_err();
    assert!(status.message().contains("allowCredentials cannot be true"), "{}", status.message());
    let request = v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id: resource,
        http_method: "GET".into(),
        patch_operations: replace("/tidegate/responseValidation", "sometimes"),
    };
    let refused = call!(service.update_method(request));
    assert_refused(refused, Code::InvalidArgument, "BadRequestException");
    let document = br#"{"openapi":"3.0.1","info":{"title":"t"},"paths":{},"x-tidegate-settings":{"cors":{"allowOrigins":[]}}}"#;
    let request = v1::ImportRestApiRequest { document: document.to_vec(), ..Default::default() };
    let status = call!(service.import_rest_api(request)).unwrap_err();
    assert!(status.message().contains("cors.allowOrigins must name an origin"), "{status}");
}

#[tokio::test]
async fn time_limits_beyond_awss_need_a_setting_that_says_so() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    let put = |timeout_ms: u32, mode: &str| v1::PutIntegrationRequest {
        rest_api_id: api.clone(),
        resource_id: resource.clone(),
        http_method: "GET".into(),
        integration: Some(v1::RestIntegration {
            r#type: "HTTP_PROXY".into(),
            http_method: "GET".into(),
            uri: "http://upstream.test/".into(),
            timeout_ms,
            response_transfer_mode: mode.into(),
            ..Default::default()
        }),
    };
    let aws = "Timeout should be between 50 ms and 29000 ms";
    let streamed = "Timeout should be between 50 ms and 900000 ms";
    for (timeout, mode, want) in [
        (29_001, "", Some(aws)),
        (49, "", Some(aws)),
        (29_000, "", None),
        (900_000, "STREAM", None),
        (900_001, "STREAM", Some(streamed)),
    ] {
        let told =
            call!(service.put_integration(put(timeout, mode))).map_err(|s| s.message().to_owned());
        assert_eq!(told.err().as_deref(), want, "{timeout} {mode}");
    }
    let limits = r#"{"profile":"open","timeoutMillis":60000}"#;
    patch(&mut service, &api, "add", "limits", Some(limits)).await.unwrap();
    call!(service.put_integration(put(60_000, ""))).unwrap();
    let told = call!(service.put_integration(put(60_001, ""))).unwrap_err();
    assert_eq!(told.message(), "Timeout should be between 50 ms and 60000 ms");
    call!(service.create_deployment(deployment(&api, "prod"))).unwrap();

    // The setting goes; what needs it is named.
    patch(&mut service, &api, "remove", "limits", None).await.unwrap();
    let told = call!(service.create_deployment(deployment(&api, "prod"))).unwrap_err();
    assert!(told.message().contains("/pets/{id}") && told.message().contains(aws), "{told}");
    let request = v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id: resource.clone(),
        http_method: "GET".into(),
        patch_operations: replace("/timeoutInMillis", "soon"),
    };
    assert_eq!(call!(service.update_integration(request)).unwrap_err().message(), aws);
}

#[tokio::test]
async fn undeployed_settings_are_told_as_changes() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&api, "prod"))).unwrap();
    patch(&mut service, &api, "replace", "cors", Some(r#"{"allowOrigins":["*"]}"#)).await.unwrap();
    let request = v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id: resource,
        http_method: "GET".into(),
        patch_operations: replace("/tidegate/responseValidation", "enforce"),
    };
    assert_eq!(
        call!(service.update_method(request.clone())).unwrap().response_validation,
        "enforce"
    );
    let changes = call!(service.list_undeployed_changes(stage(&api, "prod"))).unwrap().changes;
    let told: Vec<String> = changes
        .iter()
        .flat_map(|change| {
            change
                .members
                .iter()
                .map(move |m| format!("{} {}: {}", change.subject, m.member, m.new()))
        })
        .collect();
    let want = [
        r#"API tidegate: {"cors":{"allowCredentials":false,"allowOrigins":["*"]}}"#,
        r#"GET /pets/{id} responseValidation: "enforce""#,
    ];
    assert_eq!(told, want);
    let remove = v1::PatchOperation {
        op: "remove".into(),
        path: "/tidegate/responseValidation".into(),
        ..Default::default()
    };
    let request = v1::UpdateMethodRequest { patch_operations: vec![remove], ..request };
    assert_eq!(call!(service.update_method(request)).unwrap().response_validation, "");
}

#[tokio::test]
async fn a_gateway_response_that_aws_does_not_have_is_shown_where_it_was_changed() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let address = v1::RestApiAddress { rest_api_id: api.clone() };
    let kinds = |all: v1::GetGatewayResponsesResponse| {
        all.items.into_iter().filter(|one| one.response_type == "BAD_RESPONSE_BODY").count()
    };
    let all = call!(service.get_gateway_responses(address.clone())).unwrap();
    assert_eq!((all.items.len(), kinds(all)), (21, 0));
    let request = v1::PutGatewayResponseRequest {
        rest_api_id: api.clone(),
        response_type: "BAD_RESPONSE_BODY".into(),
        response: None,
    };
    assert_eq!(call!(service.put_gateway_response(request)).unwrap().status_code, Some(502));
    assert_eq!(kinds(call!(service.get_gateway_responses(address)).unwrap()), 1);
}
