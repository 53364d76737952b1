//! VPC links on the wire.

use serde_json::{Value, json};

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::vpc_links::CreateVpcLink;
use crate::model::VpcLink;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateVpcLink {
        name: members.required("name")?,
        description: members.text("description")?,
        target_arns: members.required_texts("targetArns")?,
        tags: members.map("tags")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_vpc_link(input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let link = app.get_vpc_link(call.path("vpclink_id")).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&link)))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_vpc_links(&call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |link| shape_with_tags(&link)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let link = app.update_vpc_link(call.path("vpclink_id"), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&link)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_vpc_link(call.path("vpclink_id")).await?;
    Ok(Reply::empty(call.status()))
}

/// As all calls but CreateVpcLink answer: `tags` is always there. Source: `admin-api` section 2.
fn shape_with_tags(link: &VpcLink) -> Value {
    let mut shape = value(link);
    if link.tags.is_none() {
        shape["tags"] = json!({});
    }
    shape
}
