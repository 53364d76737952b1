//! Resources on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;
use crate::model::{HttpMethod, Resource, ResourceId};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let part = members.required("pathPart")?;
    members.finish()?;
    let resource =
        app.create_resource(call.path("restapi_id"), call.path("parent_id"), &part).await?;
    Ok(Reply::json(call.status(), &resource))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let resource = app.get_resource(call.path("restapi_id"), call.path("resource_id")).await?;
    let shown = Shown { resource: resource.into(), embed: embeds_methods(call) };
    Ok(Reply::json(call.status(), &shown))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_resources(call.path("restapi_id"), &call.paging()?).await?;
    let embed = embeds_methods(call);
    Ok(Reply::list(call.status(), page, |resource| Shown { resource, embed }))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let patch = call.patch()?;
    let resource =
        app.update_resource(call.path("restapi_id"), call.path("resource_id"), &patch).await?;
    let shown = Shown { resource: resource.into(), embed: false };
    Ok(Reply::json(call.status(), &shown))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_resource(call.path("restapi_id"), call.path("resource_id")).await?;
    Ok(Reply::empty(call.status()))
}

fn embeds_methods(call: &Call<'_>) -> bool {
    call.embed().any(|word| word == "methods")
}

/// A resource as it is shown: methods whole where asked for, else each as `{}`.
///
/// Written out without a tree of JSON in between: a page may hold 500 resources.
struct Shown {
    resource: Arc<Resource>,
    embed: bool,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Hidden {}

        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Bare<'r> {
            id: &'r ResourceId,
            #[serde(skip_serializing_if = "Option::is_none")]
            parent_id: Option<&'r ResourceId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            path_part: Option<&'r str>,
            path: &'r str,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            resource_methods: BTreeMap<HttpMethod, Hidden>,
        }

        let resource = &*self.resource;
        if self.embed {
            return resource.serialize(serializer);
        }
        let bare = Bare {
            id: &resource.id,
            parent_id: resource.parent_id.as_ref(),
            path_part: resource.path_part.as_deref(),
            path: &resource.path,
            resource_methods: resource.resource_methods.keys().map(|v| (*v, Hidden {})).collect(),
        };
        bare.serialize(serializer)
    }
}
