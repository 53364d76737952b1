//! What an API is given beyond AWS: shown, set as a whole or in part, and checked.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Compiler, Item};
use crate::model::{ApiSettings, Integration, LimitProfile, MAX_TIMEOUT_MS, RestApi};

impl App {
    /// GetApiSettings: empty when nothing was set.
    pub async fn get_api_settings(&self, api: &str) -> Result<ApiSettings, AppError> {
        Ok(self.get_rest_api(api).await?.settings.unwrap_or_default())
    }

    /// PutApiSettings: overwrites completely.
    pub async fn put_api_settings(
        &self,
        api: &str,
        settings: ApiSettings,
    ) -> Result<ApiSettings, AppError> {
        check(&settings, &*self.compiler)?;
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let wanted = Some(settings.clone()).filter(|settings| !settings.is_empty());
                if workspace.rest_api.settings != wanted {
                    let changed =
                        RestApi { settings: wanted, ..RestApi::clone(&workspace.rest_api) };
                    draft.put(Item::RestApi(changed));
                }
                Ok(settings.clone())
            },
        )
        .await
    }
}

/// Checks settings as nodes will understand them, and what only concerns the one who sets them.
pub(super) fn check(settings: &ApiSettings, compiler: &dyn Compiler) -> Result<(), AppError> {
    let invalid = |why: String| AppError::InvalidSettings { why };
    compiler.check_settings(settings).map_err(invalid)?;
    let Some(limits) = settings.limits else { return Ok(()) };
    let Some(timeout) = limits.timeout_millis else { return Ok(()) };
    let least = Integration::DEFAULT_TIMEOUT_MS;
    if !(least..=MAX_TIMEOUT_MS).contains(&timeout) {
        let why =
            format!("limits.timeoutMillis: {timeout} is not within {least}..={MAX_TIMEOUT_MS}");
        return Err(invalid(why));
    }
    if limits.profile == LimitProfile::Aws && timeout > least {
        return Err(invalid(format!(
            "limits.timeoutMillis: {timeout} is more than AWS's {least}; profile 'open' lifts the limit"
        )));
    }
    Ok(())
}

/// One step of UpdateRestApi below `/tidegate`: the value is the member as JSON text.
pub(super) fn apply(
    api: &mut RestApi,
    operation: &PatchOperation,
    member: &str,
) -> Result<(), AppError> {
    const MEMBERS: [&str; 4] = ["cors", "endpoints", "limits", "responseValidation"];
    if !MEMBERS.contains(&member) {
        return Err(operation.bad_path());
    }
    let mut settings = serde_json::json!(api.settings.take().unwrap_or_default());
    let invalid =
        |error: serde_json::Error| AppError::InvalidSettings { why: format!("{member}: {error}") };
    match operation.op {
        PatchOp::Add | PatchOp::Replace => {
            settings[member] = serde_json::from_str(operation.value()?).map_err(invalid)?;
        }
        PatchOp::Remove => {
            if let Some(members) = settings.as_object_mut() {
                members.remove(member);
            }
        }
        PatchOp::Move | PatchOp::Copy | PatchOp::Test => return Err(operation.bad_path()),
    }
    let settings: ApiSettings = serde_json::from_value(settings).map_err(invalid)?;
    api.settings = Some(settings).filter(|settings| !settings.is_empty());
    Ok(())
}
