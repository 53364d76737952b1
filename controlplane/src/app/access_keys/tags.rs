//! The tags of what a call is about, for policies that ask for `aws:ResourceTag/...`.

use serde::Deserialize;

use crate::app::{App, AppError, workspace};
use crate::model::StringMap;

/// The top-level member rows keep tags in.
#[derive(Deserialize)]
struct Tagged {
    tags: Option<StringMap>,
}

impl App {
    /// The tags of what the path of a resource's ARN names. Parts of an API have the API's, and a stage's own win over them.
    /// Nothing is there: no tags. Source: Developer Guide, "Using tags to control access to API Gateway resources".
    pub async fn resource_tags(&self, path: &str) -> Result<StringMap, AppError> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let row = match parts[..] {
            ["restapis", api, ref rest @ ..] => {
                let Ok(workspace) = self.workspace(api).await else { return Ok(StringMap::new()) };
                let mut tags = workspace.rest_api.tags.clone().unwrap_or_default();
                if let ["stages", name, ..] = rest
                    && let Ok(record) = workspace.stage(name)
                {
                    tags.extend(record.stage.tags.clone().unwrap_or_default());
                }
                return Ok(tags);
            }
            ["apikeys", id, ..] => format!("api-key/{id}"),
            ["usageplans", id, ..] => format!("usage-plan/{id}"),
            ["domainnames", name, ..] => format!("domain/{name}"),
            ["vpclinks", id, ..] => format!("vpc-link/{id}"),
            ["clientcertificates", id, ..] => format!("client-certificate/{id}"),
            _ => return Ok(StringMap::new()),
        };
        let Some(row) = self.store.get(&row).await? else { return Ok(StringMap::new()) };
        let tagged: Tagged = workspace::decode(&row)?;
        Ok(tagged.tags.unwrap_or_default())
    }
}
