//! Base path mappings: which API answers below a path of a custom domain. Changes take effect at once.
//!
//! A mapping is part of its domain's row. A second row says where domains name an API, so that an API or a stage that is still
//! mapped can be kept without reading every domain; both are written in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use super::domain_names::DomainNameAddress;
use super::patch::{PatchOp, PatchOperation};
use super::transaction::Transaction;
use super::{App, AppError, Page, Paging};
use crate::model::{
    ApiId, BasePathMapping, DomainNameRecord, MappingsOfApi, RestApi, StageName, WireName as _,
};
use crate::store::keys::{self, Part};
use crate::store::{ChangeKind, Expect};

/// What CreateBasePathMapping is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is BasePathMapping's of its name")]
pub struct CreateBasePathMapping {
    /// Absent, empty and `(none)` are the domain's root.
    pub base_path: Option<String>,
    pub rest_api_id: String,
    /// Absent, empty and `(none)` leave the stage to callers.
    pub stage: Option<String>,
}

impl App {
    /// CreateBasePathMapping.
    pub async fn create_base_path_mapping(
        &self,
        address: DomainNameAddress<'_>,
        input: &CreateBasePathMapping,
    ) -> Result<BasePathMapping, AppError> {
        let base_path = base_path(input.base_path.as_deref())?;
        let target = Target { api: &input.rest_api_id, stage: input.stage.as_deref() };
        let row = address.row()?;
        for mut rows in self.transactions() {
            let before = domain_name(&mut rows, &row).await?;
            let mut mappings = before.mappings.clone();
            if mappings.contains_key(&base_path) {
                return Err(AppError::BasePathExists);
            }
            let mapping = target.find(&mut rows, &before, base_path.clone()).await?;
            mappings.insert(base_path.clone(), mapping.clone());
            if replace(rows, row.clone(), before, mappings).await? {
                return Ok(mapping);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetBasePathMapping.
    pub async fn get_base_path_mapping(
        &self,
        address: DomainNameAddress<'_>,
        base_path: &str,
    ) -> Result<BasePathMapping, AppError> {
        let mut record = self.domain_name_record(address).await?;
        record.mappings.remove(spelled(base_path)).ok_or(AppError::InvalidBasePathMapping)
    }

    /// GetBasePathMappings, in the order of their base paths.
    pub async fn get_base_path_mappings(
        &self,
        address: DomainNameAddress<'_>,
        paging: &Paging,
    ) -> Result<Page<BasePathMapping>, AppError> {
        paging.page(self.domain_name_record(address).await?.mappings)
    }

    /// UpdateBasePathMapping: all steps or none.
    pub async fn update_base_path_mapping(
        &self,
        address: DomainNameAddress<'_>,
        base_path: &str,
        steps: &[PatchOperation],
    ) -> Result<BasePathMapping, AppError> {
        let row = address.row()?;
        for mut rows in self.transactions() {
            let before = domain_name(&mut rows, &row).await?;
            let mut mappings = before.mappings.clone();
            let old = mappings.remove(spelled(base_path));
            let mut changed = Changed::of(&old.ok_or(AppError::InvalidBasePathMapping)?);
            for step in steps {
                changed.apply(step)?;
            }
            if mappings.contains_key(&changed.base_path) {
                return Err(AppError::BasePathExists);
            }
            let target = Target { api: &changed.api, stage: changed.stage.as_deref() };
            let mapping = target.find(&mut rows, &before, changed.base_path).await?;
            mappings.insert(mapping.base_path.clone(), mapping.clone());
            if replace(rows, row.clone(), before, mappings).await? {
                return Ok(mapping);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// DeleteBasePathMapping.
    pub async fn delete_base_path_mapping(
        &self,
        address: DomainNameAddress<'_>,
        base_path: &str,
    ) -> Result<(), AppError> {
        let row = address.row()?;
        for mut rows in self.transactions() {
            let before = domain_name(&mut rows, &row).await?;
            let mut mappings = before.mappings.clone();
            mappings.remove(spelled(base_path)).ok_or(AppError::InvalidBasePathMapping)?;
            if replace(rows, row.clone(), before, mappings).await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// The domains that name an API or, if it is given, one of its stages; with what must hold for that to be still so.
    pub(super) async fn domains_that_map(
        &self,
        api: &str,
        stage: Option<&str>,
    ) -> Result<(Vec<String>, Expect), AppError> {
        let key = keys::domain_use(api);
        let Some(row) = self.store.get(&key).await? else {
            return Ok((Vec::new(), Expect::Absent(key)));
        };
        let uses: MappingsOfApi = super::workspace::decode(&row)?;
        let names = |mapped: &Option<StageName>| {
            stage.is_none_or(|stage| mapped.as_ref().is_some_and(|name| name.as_str() == stage))
        };
        let domains = uses.into_iter().filter(|(_, paths)| paths.values().any(names));
        Ok((domains.map(|(domain, _)| domain).collect(), Expect::At(key, row.rev)))
    }
}

async fn domain_name(rows: &mut Transaction<'_>, row: &str) -> Result<DomainNameRecord, AppError> {
    rows.get(row).await?.ok_or(AppError::InvalidDomainName)
}

/// Commits a domain's new mappings; false when another writer was faster.
async fn replace(
    mut rows: Transaction<'_>,
    row: String,
    before: DomainNameRecord,
    mappings: BTreeMap<String, BasePathMapping>,
) -> Result<bool, AppError> {
    note_uses(&mut rows, &before, &mappings).await?;
    rows.put(row, &DomainNameRecord { mappings, ..before }, ChangeKind::Domain);
    rows.commit().await
}

/// What a mapping leads to, as the caller spells it.
struct Target<'a> {
    api: &'a str,
    stage: Option<&'a str>,
}

impl Target<'_> {
    /// The mapping to it; API and stage must still be there when the transaction commits.
    async fn find(
        &self,
        rows: &mut Transaction<'_>,
        record: &DomainNameRecord,
        base_path: String,
    ) -> Result<BasePathMapping, AppError> {
        let api: Option<RestApi> = rows.get(&keys::api(self.api)).await?;
        let api = api.ok_or(AppError::InvalidMappedApi)?;
        if api.endpoint_configuration.is_private() != record.domain_name.is_private() {
            return Err(AppError::MappedAcrossPrivacy);
        }
        let stage = match self.stage.filter(|stage| !is_none(stage)) {
            Some(name) => {
                let name = StageName::parse(name).map_err(|_| AppError::InvalidMappedStage)?;
                if !rows.has(&keys::part(self.api, Part::Stage, name.as_str())).await? {
                    return Err(AppError::InvalidMappedStage);
                }
                Some(name)
            }
            None => None,
        };
        Ok(BasePathMapping { base_path, rest_api_id: api.id, stage })
    }
}

/// A mapping on its way through the steps of an update.
struct Changed {
    base_path: String,
    api: String,
    stage: Option<String>,
}

impl Changed {
    fn of(mapping: &BasePathMapping) -> Self {
        Self {
            base_path: mapping.base_path.clone(),
            api: mapping.rest_api_id.to_string(),
            stage: mapping.stage.as_ref().map(ToString::to_string),
        }
    }

    /// One step. The path of the API is spelled with a small `a`. Source: `admin-api` section 6.1.
    fn apply(&mut self, step: &PatchOperation) -> Result<(), AppError> {
        let (path, op) = (step.path().to_owned(), step.op.name());
        if step.op != PatchOp::Replace {
            return Err(AppError::PatchOpUnsupported { path, op });
        }
        match &*path {
            "/basePath" => self.base_path = base_path(step.value.as_deref())?,
            "/restapiId" => self.api = step.value()?.to_owned(),
            "/stage" => self.stage = step.nullable(),
            _ => {
                let among = "/basePath, /restapiId, /stage";
                return Err(AppError::PatchPathAmong { path, op, among });
            }
        }
        Ok(())
    }
}

/// Notes with each API that a domain names, or named, where it does now.
pub(super) async fn note_uses(
    rows: &mut Transaction<'_>,
    before: &DomainNameRecord,
    after: &BTreeMap<String, BasePathMapping>,
) -> Result<(), AppError> {
    let domain = before.domain_name.key();
    let mappings = before.mappings.values().chain(after.values());
    let apis: BTreeSet<&ApiId> = mappings.map(|mapping| &mapping.rest_api_id).collect();
    for api in apis {
        let paths = |mappings: &BTreeMap<String, BasePathMapping>| -> BTreeMap<_, _> {
            let of_api = mappings.values().filter(|mapping| mapping.rest_api_id == *api);
            of_api.map(|mapping| (mapping.base_path.clone(), mapping.stage.clone())).collect()
        };
        let now = paths(after);
        if now == paths(&before.mappings) {
            continue;
        }
        let key = keys::domain_use(api.as_str());
        let mut uses: MappingsOfApi = rows.get(&key).await?.unwrap_or_default();
        if now.is_empty() {
            uses.remove(&domain);
        } else {
            uses.insert(domain.clone(), now);
        }
        if uses.is_empty() {
            rows.delete(key, ChangeKind::Domain);
        } else {
            rows.put(key, &uses, ChangeKind::Domain);
        }
    }
    Ok(())
}

/// A base path as it is stored.
///
/// Source: API Gateway Developer Guide, "Use API mappings to connect API stages to a custom domain name" for the characters
/// and the length.
fn base_path(given: Option<&str>) -> Result<String, AppError> {
    let path = spelled(given.unwrap_or_default());
    if path == BasePathMapping::ROOT {
        return Ok(path.to_owned());
    }
    if path.contains('/') {
        return Err(AppError::BasePathWithSlash);
    }
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&b);
    if path.len() > 300 || !path.bytes().all(sound) {
        return Err(AppError::InvalidBasePath);
    }
    Ok(path.to_owned())
}

/// The empty base path has one spelling.
fn spelled(base_path: &str) -> &str {
    if is_none(base_path) { BasePathMapping::ROOT } else { base_path }
}

fn is_none(text: &str) -> bool {
    matches!(text, "" | BasePathMapping::ROOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::domain_names::CreateDomainName;
    use crate::app::rest_apis::CreateRestApi;

    #[test]
    fn base_paths() {
        let told = |given: Option<&str>| base_path(given).map_err(|refused| refused.to_string());
        for (given, want) in [
            (None, "(none)"),
            (Some(""), "(none)"),
            (Some("(none)"), "(none)"),
            (Some("v1"), "v1"),
            (Some("$-_.+!*'()"), "$-_.+!*'()"),
        ] {
            assert_eq!(told(given).as_deref(), Ok(want));
        }
        for slash in ["/", "/a", "a/", "a/b"] {
            assert_eq!(told(Some(slash)), Err(AppError::BasePathWithSlash.to_string()), "{slash}");
        }
        for bad in ["a b", "é", "a%20", "a\u{0}", &"a".repeat(301)] {
            assert_eq!(told(Some(bad)), Err(AppError::InvalidBasePath.to_string()), "{bad}");
        }
    }
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_is_faster_no_mapping_is_left_without_its_api_or_stage() {
        let (app, _directory) = crate::app::tests::app(crate::app::Settings::default());
        let app = std::sync::Arc::new(app);
        let input = CreateDomainName {
            domain_name: "a.test".into(),
            certificate_arn: Some("arn:aws:acm:us-east-1:0:certificate/a".into()),
            ..Default::default()
        };
        app.create_domain_name(input).await.unwrap();
        let domain = DomainNameAddress { name: "a.test", id: None };
        for round in 0..40 {
            let input = CreateRestApi { name: "n".into(), ..Default::default() };
            let api = app.create_rest_api(input).await.unwrap().id.to_string();
            let (mapper, of) = (app.clone(), api.clone());
            let mapping = tokio::spawn(async move {
                let input = CreateBasePathMapping { rest_api_id: of, ..Default::default() };
                mapper.create_base_path_mapping(domain, &input).await
            });
            let deleted = app.delete_rest_api(&api).await;
            let mapped = mapping.await.unwrap();
            let there = app.get_base_path_mapping(domain, "").await.is_ok();
            assert_eq!(mapped.is_ok(), there, "{round}: {mapped:?}");
            assert_ne!(deleted.is_ok(), there, "{round}: {deleted:?}");
            if there {
                app.delete_base_path_mapping(domain, "").await.unwrap();
                app.delete_rest_api(&api).await.unwrap();
            }
            let uses = app.row::<MappingsOfApi>(&keys::domain_use(&api)).await.unwrap();
            assert_eq!(uses, None);
        }
    }
}
