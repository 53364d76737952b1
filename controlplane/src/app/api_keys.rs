//! API keys: create, show, change, delete, import.
//!
//! A key's row has all that is known of it, its value under seal. Beside it stands a row named by the value's hash: it keeps
//! values unique and finds a key without opening any. No operation but a filtered list looks at other keys.

mod csv;
mod import;

use std::collections::BTreeSet;

use rand::Rng as _;
use rand::distr::Alphanumeric;
use serde::Serialize;

use super::patch::{PatchOp, PatchOperation};
use super::transaction::Transaction;
use super::workspace::decode;
use super::{App, AppError, Page, Paging, now, tags, usage_plan_keys};
use crate::model::{
    ApiId, ApiKey, ApiKeyId, ApiKeyRecord, ContentHash, StageName, StringMap, WireName as _,
};
use crate::store::keys::{self, Part, count};
use crate::store::{ChangeKind, StoreError};

pub use import::ImportedApiKeys;

/// What CreateApiKey is told.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "each member is ApiKey's of its name")]
pub struct CreateApiKey {
    pub name: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    /// Absent or empty: one is drawn.
    pub value: Option<String>,
    /// `{api}/{stage}` each.
    pub stage_keys: Vec<String>,
    pub customer_id: Option<String>,
    pub tags: Option<StringMap>,
}

/// An API key, with its value where a caller asked for it. Never printed, so that no log holds a value.
#[derive(Clone, PartialEq, Serialize)]
pub struct ShownApiKey {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// What callers send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Which API keys GetApiKeys shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// How their names begin, in this case.
    pub name: Option<String>,
    /// Exactly whose they are.
    pub customer_id: Option<String>,
}

impl ApiKeyFilter {
    fn matches(&self, key: &ApiKey) -> bool {
        let name = key.name.as_deref().unwrap_or_default();
        self.name.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && self.customer_id.as_ref().is_none_or(|id| key.customer_id.as_ref() == Some(id))
    }
}

impl App {
    /// CreateApiKey.
    ///
    /// The key's id is always its own: `generateDistinctId: false`, which is deprecated, would make the value the id, and
    /// with it readable in addresses, logs and the store.
    pub async fn create_api_key(&self, input: CreateApiKey) -> Result<ShownApiKey, AppError> {
        let value = match input.value.filter(|value| !value.is_empty()) {
            Some(value) => {
                check_value(&value, SHORTEST_VALUE)?;
                value
            }
            None => draw_value(),
        };
        let described = Described {
            name: input.name.filter(|name| !name.is_empty()),
            description: input.description.filter(|text| !text.is_empty()),
            enabled: input.enabled,
        };
        described.check()?;
        let tags = input.tags.filter(|tags| !tags.is_empty());
        tags.iter().try_for_each(tags::check)?;
        for mut rows in self.transactions() {
            let mut record = self.new_api_key(&described, &value);
            record.key.customer_id = input.customer_id.clone().filter(|id| !id.is_empty());
            record.key.tags.clone_from(&tags);
            for stage in &input.stage_keys {
                self.add_stage_key(&mut rows, &mut record.key, stage).await?;
            }
            if rows.has(&keys::api_key_value(record.value_hash)).await? {
                return Err(AppError::ApiKeyExists);
            }
            self.insert_api_key(&mut rows, &record).await?;
            if rows.commit().await? {
                return Ok(ShownApiKey { key: record.key, value: Some(value) });
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetApiKey.
    pub async fn get_api_key(&self, id: &str, with_value: bool) -> Result<ShownApiKey, AppError> {
        let row = self.store.get(&keys::api_key(id)).await?.ok_or(AppError::InvalidApiKey)?;
        self.show_api_key(decode(&row)?, with_value)
    }

    /// GetApiKeys, in the order of their ids. A filter may have to look at every key.
    pub async fn get_api_keys(
        &self,
        paging: &Paging,
        filter: &ApiKeyFilter,
        with_values: bool,
    ) -> Result<Page<ShownApiKey>, AppError> {
        let wanted = paging.size() + 1;
        let chunk = if *filter == ApiKeyFilter::default() { wanted } else { CHUNK };
        let mut after = paging.after()?.map(|id| keys::api_key(&id));
        let mut found: Vec<ApiKeyRecord> = Vec::new();
        while found.len() < wanted {
            let rows = self.store.scan(keys::API_KEYS, after.as_deref(), chunk).await?;
            for row in &rows {
                found.extend(
                    Some(decode::<ApiKeyRecord>(row)?).filter(|it| filter.matches(&it.key)),
                );
            }
            match rows.into_iter().next_back() {
                Some(last) => after = Some(last.key),
                None => break,
            }
        }
        let page = paging.cut(found.into_iter().map(|it| (it.key.id.to_string(), it)));
        let shown = page.items.into_iter().map(|it| self.show_api_key(it, with_values));
        Ok(Page { items: shown.collect::<Result<_, _>>()?, position: page.position })
    }

    /// UpdateApiKey. Values never change.
    pub async fn update_api_key(
        &self,
        id: &str,
        steps: &[PatchOperation],
    ) -> Result<ShownApiKey, AppError> {
        for mut rows in self.transactions() {
            let place = keys::api_key(id);
            let before: ApiKeyRecord = rows.get(&place).await?.ok_or(AppError::InvalidApiKey)?;
            let mut record = before.clone();
            for step in steps {
                self.apply_to_api_key(&mut rows, &mut record.key, step).await?;
            }
            if record != before {
                record.key.last_updated_date = now();
                rows.put(place, &record, ChangeKind::ApiKey);
            }
            if rows.commit().await? {
                return Ok(ShownApiKey { key: record.key, value: None });
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// DeleteApiKey: also takes it out of its usage plans, with what it used of them.
    pub async fn delete_api_key(&self, id: &str) -> Result<(), AppError> {
        for mut rows in self.transactions() {
            let place = keys::api_key(id);
            let mut record: ApiKeyRecord =
                rows.get(&place).await?.ok_or(AppError::InvalidApiKey)?;
            for plan in std::mem::take(&mut record.usage_plans) {
                usage_plan_keys::leave(&mut rows, plan.as_str(), id);
            }
            rows.unindex(keys::api_key_value(record.value_hash));
            rows.delete(place, ChangeKind::ApiKey);
            rows.count(count::API_KEYS.to_owned(), -1);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// A key that is not stored yet.
    fn new_api_key(&self, described: &Described, value: &str) -> ApiKeyRecord {
        let id = ApiKeyId::draw(&mut rand::rng());
        let sealed_value = self.vault.seal(&keys::api_key(id.as_str()), value.as_bytes());
        let mut key = ApiKey {
            id,
            name: None,
            customer_id: None,
            description: None,
            enabled: false,
            created_date: now(),
            last_updated_date: now(),
            stage_keys: Vec::new(),
            tags: None,
        };
        described.describe(&mut key);
        let value_hash = ContentHash::of(value.as_bytes());
        ApiKeyRecord { key, sealed_value, value_hash, usage_plans: BTreeSet::new() }
    }

    /// Stores a key whose value was seen to be free.
    async fn insert_api_key(
        &self,
        rows: &mut Transaction<'_>,
        record: &ApiKeyRecord,
    ) -> Result<(), AppError> {
        let place = keys::api_key(record.key.id.as_str());
        if rows.has(&place).await? {
            // One in 3,656,158,440,062,976 for each key there is.
            return Err(AppError::ConcurrentModification);
        }
        rows.put(place, record, ChangeKind::ApiKey);
        rows.index(keys::api_key_value(record.value_hash), &record.key.id);
        let full = AppError::TooManyOf { what: "API keys", of: "account" };
        rows.count_up(count::API_KEYS.to_owned(), self.settings.limits.api_keys, full);
        Ok(())
    }

    fn show_api_key(
        &self,
        record: ApiKeyRecord,
        with_value: bool,
    ) -> Result<ShownApiKey, AppError> {
        let value = with_value.then(|| self.api_key_value(&record)).transpose()?;
        Ok(ShownApiKey { key: record.key, value })
    }

    /// What callers send.
    pub(super) fn api_key_value(&self, record: &ApiKeyRecord) -> Result<String, AppError> {
        let place = keys::api_key(record.key.id.as_str());
        let opened = self.vault.open_sealed(&place, &record.sealed_value).map_err(|cause| {
            tracing::error!(%cause, "the value of an API key cannot be read");
            StoreError::Damaged(place.clone())
        })?;
        String::from_utf8(opened).map_err(|_| StoreError::Damaged(place).into())
    }

    /// One step of UpdateApiKey. The path is checked before the op, as recorded of this family of texts.
    async fn apply_to_api_key(
        &self,
        rows: &mut Transaction<'_>,
        key: &mut ApiKey,
        step: &PatchOperation,
    ) -> Result<(), AppError> {
        let (path, op) = (step.path(), step.op.name());
        let mut described = Described::of(key);
        match (path, step.op) {
            ("/name", PatchOp::Replace) => described.name = step.nullable(),
            ("/description", PatchOp::Replace) => described.description = step.nullable(),
            ("/enabled", PatchOp::Replace) => described.enabled = step.flag(),
            ("/customerId", PatchOp::Replace) => key.customer_id = step.nullable(),
            ("/stages", PatchOp::Add) => self.add_stage_key(rows, key, step.value()?).await?,
            ("/stages", PatchOp::Remove) => {
                let value = step.value()?;
                key.stage_keys.retain(|known| known != value);
            }
            ("/name" | "/description" | "/enabled" | "/customerId" | "/stages", _) => {
                return Err(AppError::PatchOpUnsupported { path: path.to_owned(), op });
            }
            _ => {
                let among = "/description, /enabled, /name, /customerId";
                return Err(AppError::PatchPathAmong { path: path.to_owned(), op, among });
            }
        }
        described.check()?;
        described.describe(key);
        Ok(())
    }

    /// Adds `{api}/{stage}` to what a key was for, once. The stage must be there.
    async fn add_stage_key(
        &self,
        rows: &mut Transaction<'_>,
        key: &mut ApiKey,
        value: &str,
    ) -> Result<(), AppError> {
        let malformed = || AppError::InvalidStageKey { value: value.to_owned() };
        let (api, stage) = value.split_once('/').ok_or_else(malformed)?;
        let api = ApiId::parse(api).map_err(|_| self.unknown_api(api))?;
        let stage = StageName::parse(stage).map_err(|_| AppError::InvalidStage)?;
        if !rows.has(&keys::api(api.as_str())).await? {
            return Err(self.unknown_api(api.as_str()));
        }
        if !rows.has(&keys::part(api.as_str(), Part::Stage, stage.as_str())).await? {
            return Err(AppError::InvalidStage);
        }
        if !key.stage_keys.iter().any(|known| known == value) {
            key.stage_keys.push(value.to_owned());
        }
        Ok(())
    }
}

/// What people say of a key, however they say it.
#[derive(Debug, Clone, Default)]
struct Described {
    name: Option<String>,
    description: Option<String>,
    enabled: bool,
}

impl Described {
    fn of(key: &ApiKey) -> Self {
        Self { name: key.name.clone(), description: key.description.clone(), enabled: key.enabled }
    }

    /// Limits of texts, as recorded.
    fn check(&self) -> Result<(), AppError> {
        let longer = |text: &Option<String>, most| {
            text.as_ref().is_some_and(|text| text.chars().count() > most)
        };
        if longer(&self.name, 1_024) {
            return Err(AppError::InvalidApiKeyName);
        }
        if longer(&self.description, 125_000) {
            return Err(AppError::InvalidApiKeyDescription);
        }
        Ok(())
    }

    fn describe(&self, key: &mut ApiKey) {
        key.name.clone_from(&self.name);
        key.description.clone_from(&self.description);
        key.enabled = self.enabled;
    }
}

/// Whether a value can be a key's. A header must be able to carry it, or nobody could ever use it.
fn check_value(value: &str, least: usize) -> Result<(), AppError> {
    match value.chars().count() {
        length if length < least => return Err(AppError::ApiKeyValueTooShort { least }),
        length if length > LONGEST_VALUE => return Err(AppError::ApiKeyValueTooLong),
        _ => {}
    }
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(AppError::ApiKeyValueCharacters)
    }
}

/// A value as AWS makes them: 40 letters and digits, some 238 bits.
fn draw_value() -> String {
    rand::rng().sample_iter(Alphanumeric).take(40).map(char::from).collect()
}

/// Characters of a value that CreateApiKey takes.
const SHORTEST_VALUE: usize = 20;

/// Characters of a value.
const LONGEST_VALUE: usize = 128;

/// Rows a filter looks at in one go.
pub(super) const CHUNK: usize = 500;
