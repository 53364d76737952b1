//! What there is: the read-only part of Lambda's API that tools ask before they invoke, and the host's health.
//!
//! Source: Lambda API Reference, `FunctionConfiguration`, `ListFunctions`, `GetFunction`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use http::Response;
use serde_json::{Value, json};

use super::{Shared, answer, find, new_id};
use crate::function::Function;

/// `ListFunctions`, all on one page.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let functions = shared.host.functions();
    let all: Vec<Value> = functions.iter().map(|function| describe(&shared, function)).collect();
    answer::json(&new_id(), &json!({ "Functions": all, "NextMarker": null }))
}

/// `GetFunctionConfiguration`.
pub(super) async fn configuration(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    match find(&shared, &name, query.as_deref()) {
        Ok((function, _)) => answer::json(&new_id(), &describe(&shared, &function)),
        Err(error) => answer::refuse(&new_id(), &error),
    }
}

/// `GetFunction`. The code is on this machine, not at an address.
pub(super) async fn function(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    match find(&shared, &name, query.as_deref()) {
        Ok((function, _)) => {
            let configuration = describe(&shared, &function);
            let concurrency = function.declaration().concurrency;
            answer::json(
                &new_id(),
                &json!({
                    "Configuration": configuration,
                    "Concurrency": { "ReservedConcurrentExecutions": concurrency },
                }),
            )
        }
        Err(error) => answer::refuse(&new_id(), &error),
    }
}

/// Counts, for people and tests.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let functions = shared.host.functions();
    let counts = functions.iter().map(|function| {
        let (idle, busy) = function.counts();
        (function.declaration().name.clone(), json!({ "idle": idle, "busy": busy }))
    });
    let functions: serde_json::Map<String, Value> = counts.collect();
    answer::json(&new_id(), &json!({ "functions": functions, "events": shared.queue.len() }))
}

fn describe(shared: &Shared, function: &Function) -> Value {
    let declaration = function.declaration();
    let surroundings = shared.host.surroundings();
    let (region, account, name) = (&surroundings.region, &surroundings.account, &declaration.name);
    json!({
        "FunctionName": name,
        "FunctionArn": format!("arn:aws:lambda:{region}:{account}:function:{name}"),
        "Runtime": declaration.runtime(),
        "Handler": declaration.handler,
        "Timeout": declaration.timeout.as_secs_f64().ceil() as u64,
        "MemorySize": declaration.memory_mb,
        "Environment": { "Variables": declaration.environment },
        "Version": "$LATEST",
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}
