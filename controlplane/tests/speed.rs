//! How many durable admin operations a second, and how long large documents take: run by hand, on a quiet machine, in a
//! release build.
//!
//! `cargo test --release -p tidegate-control --test speed -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::time::Instant;

use tidegate_control::app::deployments::CreateDeployment;
use tidegate_control::app::exports::GetExport;
use tidegate_control::app::integrations::PutIntegration;
use tidegate_control::app::methods::PutMethod;
use tidegate_control::app::rest_apis::CreateRestApi;
use tidegate_control::model::IntegrationType;

/// `callers` tasks, each making resources with a method and a mock integration, on an API of its own or a shared one.
async fn measure(callers: usize, shared: bool, rounds: usize) -> f64 {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let app = Arc::new(support::app(directory.path()));
    let mut apis = Vec::new();
    for _ in 0..if shared { 1 } else { callers } {
        let input = CreateRestApi { name: "n".to_owned(), ..CreateRestApi::default() };
        apis.push(app.create_rest_api(input).await.unwrap());
    }
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (app, api) = (app.clone(), apis[caller % apis.len()].clone());
        tasks.spawn(async move {
            let id = api.id.as_str();
            for round in 0..rounds {
                let part = format!("r{caller}-{round}");
                let resource =
                    app.create_resource(id, api.root_resource_id.as_str(), &part).await.unwrap();
                let input =
                    PutMethod { authorization_type: "NONE".to_owned(), ..PutMethod::default() };
                app.put_method(id, resource.id.as_str(), "GET", input).await.unwrap();
                let mock = PutIntegration::new(IntegrationType::Mock);
                app.put_integration(id, resource.id.as_str(), "GET", mock).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    (callers * rounds * 3) as f64 / began.elapsed().as_secs_f64()
}

#[test]
#[ignore = "measures; run by hand"]
fn durable_operations_a_second() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for (callers, shared, rounds) in
            [(1, true, 1_000), (16, true, 200), (16, false, 200), (64, false, 100)]
        {
            let rate = measure(callers, shared, rounds).await;
            let apis = if shared { 1 } else { callers };
            println!("{callers} callers, {apis} APIs: {rate:.0} operations/s");
        }
    });
}

/// A document of a thousand operations with bodies, parameters and integrations, and as many models.
fn document(operations: usize) -> String {
    let one = |index: usize| {
        let body = serde_json::json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/M{index}")}}});
        serde_json::json!({"post": {
            "operationId": format!("operation{index}"),
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "page", "in": "query", "schema": {"type": "integer"}}
            ],
            "requestBody": {"content": body},
            "responses": {"200": {"description": "ok", "content": body}, "404": {"description": "no"}},
            "x-amazon-apigateway-integration": {
                "type": "http", "httpMethod": "POST", "uri": format!("http://upstream.test/{index}/{{id}}"),
                "requestParameters": {"integration.request.path.id": "method.request.path.id"},
                "responses": {"default": {"statusCode": "200"}, "404": {"statusCode": "404"}}
            }
        }})
    };
    let paths: serde_json::Map<_, _> =
        (0..operations).map(|index| (format!("/r{index}/{{id}}"), one(index))).collect();
    let schema = |index: usize| {
        let next = format!("#/components/schemas/M{}", (index + 1) % operations);
        serde_json::json!({"type": "object", "properties": {
            "id": {"type": "integer", "minimum": 0}, "name": {"type": "string", "maxLength": 64}, "next": {"$ref": next}
        }, "required": ["id"]})
    };
    let schemas: serde_json::Map<_, _> =
        (0..operations).map(|index| (format!("M{index}"), schema(index))).collect();
    serde_json::json!({
        "openapi": "3.0.1", "info": {"title": "large", "version": "1"},
        "paths": paths, "components": {"schemas": schemas}
    })
    .to_string()
}

#[test]
#[ignore = "measures; run by hand"]
fn documents_of_a_thousand_operations() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let app = support::app(directory.path());
        let document = document(1_000);
        for _ in 0..3 {
            let began = Instant::now();
            let (api, warnings) = app.import_rest_api(document.as_bytes(), &[]).await.unwrap();
            let imported = began.elapsed();
            assert!(warnings.is_empty());
            let began = Instant::now();
            let stage = CreateDeployment { stage_name: Some("s".to_owned()), ..Default::default() };
            app.create_deployment(api.id.as_str(), stage).await.unwrap();
            let deployed = began.elapsed();
            let began = Instant::now();
            let asked = GetExport { export_type: "oas30".to_owned(), ..Default::default() };
            let export = app.get_export(api.id.as_str(), "s", &asked).await.unwrap();
            println!(
                "{} KB: imported in {imported:?}, deployed in {deployed:?}, {} KB exported in {:?}",
                document.len() / 1_024,
                export.body.len() / 1_024,
                began.elapsed()
            );
            assert!(imported.as_secs_f64() < 1.0, "{imported:?}");
        }
    });
}
