//! Usage on the wire.

use serde_json::{Map, Value, json};

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;
use crate::app::usage::{GetUsage, Usage};

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let missing: Vec<String> = ["startDate", "endDate"]
        .into_iter()
        .filter(|name| call.query(name).is_none())
        .map(|name| {
            format!("Value null at '{name}' failed to satisfy constraint: Member must not be null")
        })
        .collect();
    if !missing.is_empty() {
        return Err(RestError::Validation(missing));
    }
    let input = GetUsage {
        usage_plan_id: call.path("usageplanId"),
        key_id: call.filter("keyId"),
        start_date: call.query("startDate").unwrap_or_default(),
        end_date: call.query("endDate").unwrap_or_default(),
    };
    Ok(Reply::json(call.status(), &shape(app.get_usage(&input, &call.paging()?).await?)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (plan, key) = (call.path("usageplanId"), call.path("keyId"));
    let usage = app.update_usage(plan, key, &call.patch()?).await?;
    Ok(Reply::json(call.status(), &shape(usage)))
}

/// The list's member is `values` and not `item`.
fn shape(usage: Usage) -> Value {
    let values: Map<String, Value> =
        usage.items.into_iter().map(|(key, days)| (key.to_string(), json!(days))).collect();
    let mut shape = json!({
        "usagePlanId": usage.usage_plan_id,
        "startDate": usage.start_date.to_string(),
        "endDate": usage.end_date.to_string(),
        "values": values,
    });
    if let Some(position) = usage.position {
        shape["position"] = Value::String(position);
    }
    shape
}
