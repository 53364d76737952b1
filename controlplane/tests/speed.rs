//! How many durable admin operations a second: run by hand, on a quiet machine, in a release build.
//!
//! `cargo test --release -p tidegate-control --test speed -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::time::Instant;

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
