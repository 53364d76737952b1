//! Usage plans on the wire.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::usage_plans::{ApiStageInput, CreateUsagePlan, QuotaInput, ThrottleInput};
use crate::model::UsagePlan;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateUsagePlan {
        name: members.required("name")?,
        description: members.text("description")?,
        api_stages: api_stages(&mut members)?,
        throttle: match members.object("throttle")? {
            Some(nested) => throttle(nested)?,
            None => ThrottleInput::default(),
        },
        quota: quota(&mut members)?,
        tags: members.map("tags")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_usage_plan(input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let plan = app.get_usage_plan(call.path("usageplanId")).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&plan)))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_usage_plans(&call.paging()?, call.filter("keyId")).await?;
    Ok(Reply::list(call.status(), page, |plan| shape_with_tags(&plan)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let plan = app.update_usage_plan(call.path("usageplanId"), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&plan)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_usage_plan(call.path("usageplanId")).await?;
    Ok(Reply::empty(call.status()))
}

fn api_stages(members: &mut Members) -> Result<Vec<ApiStageInput>, RestError> {
    let mut stages = Vec::new();
    for mut stage in members.objects("apiStages")? {
        let mut throttles = BTreeMap::new();
        for (method, nested) in stage.named_objects("throttle")? {
            throttles.insert(method, throttle(nested)?);
        }
        stages.push(ApiStageInput {
            api_id: stage.text("apiId")?.unwrap_or_default(),
            stage: stage.text("stage")?.unwrap_or_default(),
            throttle: throttles,
        });
    }
    Ok(stages)
}

fn throttle(mut members: Members) -> Result<ThrottleInput, RestError> {
    Ok(ThrottleInput {
        burst_limit: members.integer("burstLimit")?,
        rate_limit: members.number("rateLimit")?,
    })
}

fn quota(members: &mut Members) -> Result<QuotaInput, RestError> {
    let Some(mut nested) = members.object("quota")? else { return Ok(QuotaInput::default()) };
    let quota = QuotaInput {
        limit: nested.integer("limit")?,
        offset: nested.integer("offset")?,
        period: nested.one_of("period")?,
    };
    members.absorb(nested);
    Ok(quota)
}

/// All answers but that of the creation show tags where there are none.
fn shape_with_tags(plan: &UsagePlan) -> Value {
    let mut shape = value(plan);
    if plan.tags.is_none() {
        shape["tags"] = json!({});
    }
    shape
}
