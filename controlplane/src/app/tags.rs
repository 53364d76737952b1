//! Tags on APIs and stages, addressed by ARN.

use super::{App, AppError, Item};
use crate::model::{RestApi, StringMap};

/// Something that can be tagged.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    RestApi(&'a str),
    Stage(&'a str, &'a str),
}

impl App {
    /// TagResource: merges.
    pub async fn tag_resource(&self, arn: &str, tags: &StringMap) -> Result<(), AppError> {
        if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
            return Err(AppError::InvalidTag { reason: "keys must not start with aws:" });
        }
        self.change_tags(arn, |known| known.get_or_insert_default().extend(tags.clone())).await
    }

    /// UntagResource: unknown keys are no error.
    pub async fn untag_resource(&self, arn: &str, keys: &[String]) -> Result<(), AppError> {
        self.change_tags(arn, |known| {
            if let Some(tags) = known {
                tags.retain(|key, _| !keys.contains(key));
                if tags.is_empty() {
                    *known = None;
                }
            }
        })
        .await
    }

    /// GetTags.
    pub async fn get_tags(&self, arn: &str) -> Result<StringMap, AppError> {
        let unknown = |_| AppError::InvalidTagResource { arn: arn.to_owned() };
        let tags = match self.target(arn)? {
            Target::RestApi(api) => self.get_rest_api(api).await.map_err(unknown)?.tags,
            Target::Stage(api, stage) => self.get_stage(api, stage).await.map_err(unknown)?.tags,
        };
        Ok(tags.unwrap_or_default())
    }

    async fn change_tags(
        &self,
        arn: &str,
        edit: impl Fn(&mut Option<StringMap>),
    ) -> Result<(), AppError> {
        let unknown = || AppError::InvalidTagResource { arn: arn.to_owned() };
        match self.target(arn)? {
            Target::RestApi(api) => {
                self.change(api, unknown, |workspace, draft| {
                    let mut changed = RestApi::clone(&workspace.rest_api);
                    edit(&mut changed.tags);
                    changed.tags.iter().try_for_each(check)?;
                    if changed != *workspace.rest_api {
                        draft.put(Item::RestApi(changed));
                    }
                    Ok(())
                })
                .await
            }
            Target::Stage(api, stage) => {
                let changed = self.change_stage(api, stage, |_, record| {
                    edit(&mut record.stage.tags);
                    record.stage.tags.iter().try_for_each(check)
                });
                changed.await.map_err(|error| match error {
                    AppError::InvalidStage | AppError::InvalidApi { .. } => unknown(),
                    other => other,
                })
            }
        }
    }

    /// What an ARN of this installation's region names.
    fn target<'a>(&self, arn: &'a str) -> Result<Target<'a>, AppError> {
        let unknown = || AppError::InvalidTagResource { arn: arn.to_owned() };
        let mut parts = arn.splitn(6, ':');
        let head = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("arn"), Some(_), Some("apigateway"), Some(region), Some(_)) = head else {
            return Err(unknown());
        };
        let path = parts.next().and_then(|path| path.strip_prefix('/')).ok_or_else(unknown)?;
        if region != self.settings.region {
            return Err(unknown());
        }
        match path.split('/').collect::<Vec<_>>()[..] {
            ["restapis", api] => Ok(Target::RestApi(api)),
            ["restapis", api, "stages", stage] => Ok(Target::Stage(api, stage)),
            _ => Err(unknown()),
        }
    }
}

/// At most 50 tags, keys of 1 to 128 and values of at most 256 characters. Source: API Gateway Developer Guide,
/// "Tag restrictions".
pub(super) fn check(tags: &StringMap) -> Result<(), AppError> {
    let reason = if tags.len() > 50 {
        "a resource can have at most 50 tags"
    } else if tags.keys().any(|key| key.is_empty() || key.chars().count() > 128) {
        "keys must have 1 to 128 characters"
    } else if tags.values().any(|value| value.chars().count() > 256) {
        "values must have at most 256 characters"
    } else {
        return Ok(());
    };
    Err(AppError::InvalidTag { reason })
}
