//! Usage plans, the API keys in them, and what was used of them.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, optional, paging, patch};
use super::error::Refused;
use crate::app::usage::GetUsage;

pub(super) async fn create_usage_plan(
    service: &Management,
    request: v1::CreateUsagePlanRequest,
) -> Result<v1::UsagePlan, Refused> {
    let plan = request.usage_plan.ok_or_else(|| Refused::missing("usage_plan"))?;
    let input = convert::create_usage_plan(plan)?;
    Ok(convert::usage_plan(service.app.create_usage_plan(input).await?))
}

pub(super) async fn get_usage_plan(
    service: &Management,
    request: v1::UsagePlanAddress,
) -> Result<v1::UsagePlan, Refused> {
    Ok(convert::usage_plan(service.app.get_usage_plan(&request.usage_plan_id).await?))
}

pub(super) async fn get_usage_plans(
    service: &Management,
    request: v1::GetUsagePlansRequest,
) -> Result<v1::GetUsagePlansResponse, Refused> {
    let key = optional(request.key_id);
    let page = service.app.get_usage_plans(&paging(request.paging), key.as_deref()).await?;
    Ok(v1::GetUsagePlansResponse {
        items: page.items.into_iter().map(convert::usage_plan).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_usage_plan(
    service: &Management,
    request: v1::UpdateUsagePlanRequest,
) -> Result<v1::UsagePlan, Refused> {
    let steps = patch(request.patch_operations)?;
    let changed = service.app.update_usage_plan(&request.usage_plan_id, &steps).await?;
    Ok(convert::usage_plan(changed))
}

pub(super) async fn delete_usage_plan(
    service: &Management,
    request: v1::UsagePlanAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_usage_plan(&request.usage_plan_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn create_usage_plan_key(
    service: &Management,
    request: v1::CreateUsagePlanKeyRequest,
) -> Result<v1::UsagePlanKey, Refused> {
    let (plan, key) = (&request.usage_plan_id, &request.key_id);
    let kind = optional(request.key_type);
    let kind = kind.as_deref().unwrap_or("API_KEY");
    Ok(convert::usage_plan_key(service.app.create_usage_plan_key(plan, key, kind).await?))
}

pub(super) async fn get_usage_plan_key(
    service: &Management,
    request: v1::UsagePlanKeyAddress,
) -> Result<v1::UsagePlanKey, Refused> {
    let (plan, key) = (&request.usage_plan_id, &request.key_id);
    Ok(convert::usage_plan_key(service.app.get_usage_plan_key(plan, key).await?))
}

pub(super) async fn get_usage_plan_keys(
    service: &Management,
    request: v1::GetUsagePlanKeysRequest,
) -> Result<v1::GetUsagePlanKeysResponse, Refused> {
    let (plan, name) = (&request.usage_plan_id, optional(request.name));
    let paging = paging(request.paging);
    let page = service.app.get_usage_plan_keys(plan, &paging, name.as_deref()).await?;
    Ok(v1::GetUsagePlanKeysResponse {
        items: page.items.into_iter().map(convert::usage_plan_key).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn delete_usage_plan_key(
    service: &Management,
    request: v1::UsagePlanKeyAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_usage_plan_key(&request.usage_plan_id, &request.key_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn get_usage(
    service: &Management,
    request: v1::GetUsageRequest,
) -> Result<v1::Usage, Refused> {
    let key = optional(request.key_id);
    let input = GetUsage {
        usage_plan_id: &request.usage_plan_id,
        key_id: key.as_deref(),
        start_date: &request.start_date,
        end_date: &request.end_date,
    };
    Ok(convert::usage(service.app.get_usage(&input, &paging(request.paging)).await?))
}

pub(super) async fn update_usage(
    service: &Management,
    request: v1::UpdateUsageRequest,
) -> Result<v1::Usage, Refused> {
    let steps = patch(request.patch_operations)?;
    let (plan, key) = (&request.usage_plan_id, &request.key_id);
    Ok(convert::usage(service.app.update_usage(plan, key, &steps).await?))
}
