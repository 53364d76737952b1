//! Documentation versions: all parts as they were, under a name that a stage may show.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Item, Page, Paging, Workspace, now};
use crate::model::{
    ContentHash, DocumentationPart, DocumentationVersion, DocumentationVersionRecord, StageRecord,
    WireName,
};
use crate::store::StoreError;
use crate::store::keys::Part;

/// What CreateDocumentationVersion is told.
#[derive(Debug, Clone, Default)]
pub struct CreateDocumentationVersion {
    /// Unique within the API.
    pub documentation_version: String,
    /// The stage that shows the version from now on; absent or empty: none changes.
    pub stage_name: Option<String>,
    /// For people.
    pub description: Option<String>,
}

impl App {
    /// CreateDocumentationVersion: keeps the parts as they are now, and has the stage show them in the same step.
    pub async fn create_documentation_version(
        &self,
        api: &str,
        input: CreateDocumentationVersion,
    ) -> Result<DocumentationVersion, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let name = checked(&input.documentation_version)?;
                if workspace.documentation_versions.contains_key(name) {
                    return Err(AppError::DocumentationVersionExists);
                }
                let stage = match input.stage_name.as_deref().filter(|name| !name.is_empty()) {
                    Some(stage) => Some(workspace.stage(stage)?),
                    None => None,
                };
                let parts: Vec<&DocumentationPart> =
                    workspace.documentation_parts.values().map(|part| &**part).collect();
                let parts = serde_json::to_vec(&parts)
                    .expect("a model has string keys and no failing serializer");
                let version = DocumentationVersion {
                    version: name.to_owned(),
                    created_date: now(),
                    description: input.description.clone().filter(|text| !text.is_empty()),
                };
                draft.put(Item::DocumentationVersion(DocumentationVersionRecord {
                    version: version.clone(),
                    parts: ContentHash::of(&parts),
                }));
                draft.blob(parts);
                if let Some(stage) = stage {
                    let mut record = StageRecord::clone(stage);
                    record.stage.documentation_version = Some(name.to_owned());
                    record.stage.last_updated_date = now();
                    draft.put(Item::Stage(record));
                }
                Ok(version)
            },
        )
        .await
    }

    /// GetDocumentationVersion.
    pub async fn get_documentation_version(
        &self,
        api: &str,
        version: &str,
    ) -> Result<DocumentationVersion, AppError> {
        let workspace = self.workspace(api).await?;
        Ok(known(&workspace, version)?.version.clone())
    }

    /// GetDocumentationVersions, in the order of their names.
    pub async fn get_documentation_versions(
        &self,
        api: &str,
        paging: &Paging,
    ) -> Result<Page<DocumentationVersion>, AppError> {
        let workspace = self.workspace(api).await?;
        let versions = workspace.documentation_versions.iter();
        paging.page(versions.map(|(name, record)| (name.clone(), record.version.clone())))
    }

    /// UpdateDocumentationVersion: the description, nothing else.
    pub async fn update_documentation_version(
        &self,
        api: &str,
        version: &str,
        patch: &[PatchOperation],
    ) -> Result<DocumentationVersion, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let old = known(workspace, version)?;
                let mut record = old.clone();
                for operation in patch {
                    let (path, op) = (operation.path().to_owned(), operation.op.name());
                    if operation.op != PatchOp::Replace {
                        return Err(AppError::PatchOpUnsupported { path, op });
                    }
                    if path != "/description" {
                        return Err(AppError::PatchPathAmong { path, op, among: "/description" });
                    }
                    record.version.description = operation.nullable();
                }
                if record != *old {
                    draft.put(Item::DocumentationVersion(record.clone()));
                }
                Ok(record.version)
            },
        )
        .await
    }

    /// DeleteDocumentationVersion. A stage that shows it keeps the name, as it may name a version that is yet to come.
    pub async fn delete_documentation_version(
        &self,
        api: &str,
        version: &str,
    ) -> Result<(), AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let record = known(workspace, version)?;
                draft.remove(Part::DocumentationVersion, &record.version.version);
                Ok(())
            },
        )
        .await
    }

    /// The parts a version keeps.
    pub(super) async fn documented_parts(
        &self,
        hash: &ContentHash,
    ) -> Result<Vec<DocumentationPart>, AppError> {
        let damaged = || StoreError::Damaged(format!("documentation {hash}"));
        let bytes = self.store.blob(*hash).await?.ok_or_else(damaged)?;
        Ok(serde_json::from_slice(&bytes).map_err(|_| damaged())?)
    }
}

fn known<'w>(
    workspace: &'w Workspace,
    version: &str,
) -> Result<&'w DocumentationVersionRecord, AppError> {
    let found = workspace.documentation_versions.get(version);
    found.map(|record| &**record).ok_or(AppError::InvalidDocumentationVersion)
}

/// The name is the author's; it only must be printable and fit into an address.
fn checked(name: &str) -> Result<&str, AppError> {
    if name.trim().is_empty() {
        return Err(AppError::EmptyDocumentationVersion);
    }
    if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(AppError::UnusableDocumentationVersion);
    }
    Ok(name)
}

/// As long as a stage's name.
const MAX_NAME_BYTES: usize = 128;
