//! Settings of the account.

use serde::{Deserialize, Serialize};

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError};
use crate::store::ChangeKind;

/// The account as GetAccount shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The role that writes logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloudwatch_role_arn: Option<String>,
    /// The rate all APIs share.
    pub throttle_settings: ThrottleSettings,
    /// Always `UsagePlans`.
    pub features: Vec<String>,
    /// The form of API keys.
    pub api_key_version: String,
}

/// A token bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleSettings {
    /// Requests.
    pub burst_limit: i32,
    /// Requests per second.
    pub rate_limit: f64,
}

impl Default for Account {
    /// AWS's quota of 10,000 requests/s per account and region.
    fn default() -> Self {
        Self {
            cloudwatch_role_arn: None,
            throttle_settings: ThrottleSettings { burst_limit: 5_000, rate_limit: 10_000.0 },
            features: vec!["UsagePlans".to_owned()],
            api_key_version: "4".to_owned(),
        }
    }
}

impl App {
    /// GetAccount.
    pub async fn get_account(&self) -> Result<Account, AppError> {
        match self.store.get(KEY).await? {
            Some(row) => super::workspace::decode(&row),
            None => Ok(Account::default()),
        }
    }

    /// UpdateAccount.
    pub async fn update_account(&self, patch: &[PatchOperation]) -> Result<Account, AppError> {
        for mut rows in self.transactions() {
            let mut account: Account = rows.get(KEY).await?.unwrap_or_default();
            for operation in patch {
                apply(&mut account, operation)?;
            }
            rows.put(KEY.to_owned(), &account, ChangeKind::Account);
            if rows.commit().await? {
                return Ok(account);
            }
        }
        Err(AppError::ConcurrentModification)
    }
}

fn apply(account: &mut Account, operation: &PatchOperation) -> Result<(), AppError> {
    match (operation.path(), operation.op) {
        // Old documents spell it with a capital W.
        ("/cloudwatchRoleArn" | "/cloudWatchRoleArn", PatchOp::Replace) => {
            account.cloudwatch_role_arn = operation.nullable();
        }
        ("/cloudwatchRoleArn" | "/cloudWatchRoleArn", _) => return Err(AppError::PatchReplaceOnly),
        ("/features", PatchOp::Add | PatchOp::Remove)
            if operation.value.as_deref() == Some("UsagePlans") => {}
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}

/// The account's row.
const KEY: &str = "account";
