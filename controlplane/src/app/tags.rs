//! Tags on everything that has some, addressed by ARN. Source: `admin-api` section 17.

use serde_json::{Map, Value};

use super::{App, AppError, Item, arn};
use crate::model::{RestApi, StringMap};
use crate::store::{ChangeKind, StoreError, keys};

/// Something that can be tagged.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    RestApi(&'a str),
    Stage(&'a str, &'a str),
    /// A row beside APIs, with its tags in the member `tags`.
    Row(String, ChangeKind),
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
            }
        })
        .await
    }

    /// GetTags.
    pub async fn get_tags(&self, arn: &str) -> Result<StringMap, AppError> {
        let unknown = || AppError::InvalidTagResource { arn: arn.to_owned() };
        let tags = match self.target(arn).ok_or_else(unknown)? {
            Target::RestApi(api) => self.get_rest_api(api).await.map_err(|_| unknown())?.tags,
            Target::Stage(api, stage) => {
                self.get_stage(api, stage).await.map_err(|_| unknown())?.tags
            }
            Target::Row(key, _) => {
                let mut row: Map<String, Value> = self.row(&key).await?.ok_or_else(unknown)?;
                take_tags(&key, &mut row)?
            }
        };
        Ok(tags.unwrap_or_default())
    }

    async fn change_tags(
        &self,
        arn: &str,
        edit: impl Fn(&mut Option<StringMap>),
    ) -> Result<(), AppError> {
        let unknown = || AppError::InvalidTagResource { arn: arn.to_owned() };
        let edit = |tags: &mut Option<StringMap>| {
            edit(tags);
            if tags.as_ref().is_some_and(StringMap::is_empty) {
                *tags = None;
            }
            tags.iter().try_for_each(check)
        };
        match self.target(arn).ok_or_else(unknown)? {
            Target::RestApi(api) => {
                self.change(api, unknown, |workspace, draft| {
                    let mut changed = RestApi::clone(&workspace.rest_api);
                    edit(&mut changed.tags)?;
                    if changed != *workspace.rest_api {
                        draft.put(Item::RestApi(changed));
                    }
                    Ok(())
                })
                .await
            }
            Target::Stage(api, stage) => {
                let changed =
                    self.change_stage(api, stage, |_, record| edit(&mut record.stage.tags));
                changed.await.map_err(|error| match error {
                    AppError::InvalidStage | AppError::InvalidApi { .. } => unknown(),
                    other => other,
                })
            }
            Target::Row(key, kind) => {
                for mut rows in self.transactions() {
                    let found: Option<Map<String, Value>> = rows.get(&key).await?;
                    let mut row = found.ok_or_else(unknown)?;
                    let before = take_tags(&key, &mut row)?;
                    let mut tags = before.clone();
                    edit(&mut tags)?;
                    if kind == ChangeKind::VpcLink {
                        tags.iter().try_for_each(super::vpc_links::check_targets)?;
                    }
                    if tags != before {
                        if let Some(tags) = tags {
                            let tags = tags.into_iter().map(|(key, tag)| (key, Value::String(tag)));
                            row.insert(TAGS.to_owned(), Value::Object(tags.collect()));
                        }
                        rows.put(key.clone(), &row, kind);
                    }
                    if rows.commit().await? {
                        return Ok(());
                    }
                }
                Err(AppError::ConcurrentModification)
            }
        }
    }

    /// What an ARN of this installation names.
    fn target<'a>(&self, arn: &'a str) -> Option<Target<'a>> {
        let path = arn::path(&self.settings, arn)?;
        if let Some((domain, source)) = arn::split_access_association(path) {
            return Some(Target::Row(keys::domain_association(domain, source), ChangeKind::Domain));
        }
        Some(match path.split('/').collect::<Vec<_>>()[..] {
            ["restapis", api] => Target::RestApi(api),
            ["restapis", api, "stages", stage] => Target::Stage(api, stage),
            ["apikeys", id] => Target::Row(format!("api-key/{id}"), ChangeKind::ApiKey),
            ["usageplans", id] => Target::Row(format!("usage-plan/{id}"), ChangeKind::UsagePlan),
            ["domainnames", name] => Target::Row(keys::domain(name), ChangeKind::Domain),
            ["vpclinks", id] => Target::Row(keys::vpc_link(id), ChangeKind::VpcLink),
            ["clientcertificates", id] => {
                Target::Row(keys::client_certificate(id), ChangeKind::ClientCertificate)
            }
            _ => return None,
        })
    }
}

/// Takes the tags out of a row.
fn take_tags(key: &str, row: &mut Map<String, Value>) -> Result<Option<StringMap>, AppError> {
    let tags = row.remove(TAGS).map(serde_json::from_value).transpose();
    tags.map_err(|_| AppError::Store(StoreError::Damaged(key.to_owned())))
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

/// The member of a row that holds its tags.
const TAGS: &str = "tags";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::Settings;

    #[tokio::test]
    async fn rows_of_every_family_keep_their_tags_in_the_same_member() {
        let (app, _directory) = crate::app::tests::app(Settings::default());
        let tags = |pairs: &[(&str, &str)]| -> StringMap {
            pairs.iter().map(|(key, tag)| ((*key).to_owned(), (*tag).to_owned())).collect()
        };
        for (row, path, kind) in [
            ("api-key/abcdefghij", "apikeys/abcdefghij", ChangeKind::ApiKey),
            ("usage-plan/abcdef", "usageplans/abcdef", ChangeKind::UsagePlan),
        ] {
            let arn = format!("arn:aws:apigateway:us-east-1::/{path}");
            assert!(matches!(app.get_tags(&arn).await, Err(AppError::InvalidTagResource { .. })));
            let bare = json!({ "id": "x", "throttle": { "rateLimit": 0.1, "burstLimit": 7 } });
            let mut rows = app.transactions().next().unwrap();
            rows.put(row.to_owned(), &bare, kind);
            assert!(rows.commit().await.unwrap());
            assert_eq!(app.get_tags(&arn).await.unwrap(), StringMap::new());

            app.tag_resource(&arn, &tags(&[("a", "1"), ("b", "2")])).await.unwrap();
            app.tag_resource(&arn, &tags(&[("b", "3")])).await.unwrap();
            assert_eq!(app.get_tags(&arn).await.unwrap(), tags(&[("a", "1"), ("b", "3")]));
            let mut kept = bare.clone();
            kept["tags"] = json!({ "a": "1", "b": "3" });
            assert_eq!(app.row::<Value>(row).await.unwrap(), Some(kept));

            let head = app.store.head().await.unwrap();
            app.untag_resource(&arn, &["c".to_owned()]).await.unwrap();
            assert_eq!(app.store.head().await.unwrap(), head, "nothing changed, nothing is told");
            app.untag_resource(&arn, &["a".to_owned(), "b".to_owned()]).await.unwrap();
            assert_eq!(app.row::<Value>(row).await.unwrap(), Some(bare), "absent, not empty");
        }
    }
}
