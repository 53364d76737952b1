//! ImportApiKeys: a whole file of keys in one transaction, so that nothing is half written.

use super::csv::{self, Line};
use super::{ApiKeyId, ApiKeyRecord, App, AppError, now};
use crate::app::transaction::Transaction;
use crate::app::usage_plan_keys::usage_plan;
use crate::model::ContentHash;
use crate::store::{ChangeKind, StoreError, keys};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedApiKeys {
    /// Of the keys of the file, in its order.
    pub ids: Vec<ApiKeyId>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

impl App {
    /// ImportApiKeys.
    ///
    /// A key whose value is there already gets the file's name, description and enabled, and joins the plans the file names;
    /// those it is in it stays in. With `fail_on_warnings` a file that is not taken whole is not taken at all.
    pub async fn import_api_keys(
        &self,
        file: &[u8],
        fail_on_warnings: bool,
    ) -> Result<ImportedApiKeys, AppError> {
        let file = csv::read(file, self.settings.limits.api_keys_per_import)?;
        for mut rows in self.transactions() {
            let mut done = ImportedApiKeys { ids: Vec::new(), warnings: file.warnings.clone() };
            for line in &file.lines {
                self.import_line(&mut rows, line, &mut done).await?;
            }
            if fail_on_warnings && !done.warnings.is_empty() {
                return Err(AppError::ImportWarnings { warnings: done.warnings.join("; ") });
            }
            if rows.commit().await? {
                return Ok(done);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    async fn import_line(
        &self,
        rows: &mut Transaction<'_>,
        line: &Line,
        done: &mut ImportedApiKeys,
    ) -> Result<(), AppError> {
        if line.usage_plans.len() > self.settings.limits.usage_plans_per_key {
            let refused = AppError::TooManyOf { what: "usage plans", of: "API key" };
            done.warnings.push(format!("Line {}: {refused}", line.number));
            return Ok(());
        }
        let hash = ContentHash::of(line.value.as_bytes());
        let known: Option<ApiKeyId> = rows.get(&keys::api_key_value(hash)).await?;
        let mut record: ApiKeyRecord = match &known {
            Some(id) => {
                let place = keys::api_key(id.as_str());
                rows.get(&place).await?.ok_or(StoreError::Damaged(place))?
            }
            None => self.new_api_key(&line.described, &line.value),
        };
        line.described.describe(&mut record.key);
        record.key.last_updated_date = now();
        for id in &line.usage_plans {
            let joined = match usage_plan(rows, id).await {
                Ok(plan) if record.usage_plans.contains(&plan.plan.id) => Ok(()),
                Ok(plan) => self.join(rows, &mut record, &plan).await,
                Err(refused) => Err(refused),
            };
            match joined {
                Ok(()) => {}
                Err(broken @ AppError::Store(_)) => return Err(broken),
                Err(refused) => {
                    let warning = format!("Line {}: usage plan {id}: {refused}", line.number);
                    done.warnings.push(warning);
                }
            }
        }
        if known.is_some() {
            let place = keys::api_key(record.key.id.as_str());
            rows.put(place, &record, ChangeKind::ApiKey);
        } else {
            self.insert_api_key(rows, &record).await?;
        }
        done.ids.push(record.key.id);
        Ok(())
    }
}
