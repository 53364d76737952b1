//! Documentation parts: create, show, change, import, delete. No deployment freezes them; a version does.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::imports::PutMode;
use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Draft, Item, Page, Paging, Workspace};
use crate::model::{
    DocumentationPart, DocumentationPartId, DocumentationPartLocation, DocumentationPartType,
    LocationStatus, WireName,
};
use crate::openapi::{self, ImportError, ImportedPart};
use crate::store::keys::Part;

/// Which parts a caller wants; absent members do not matter.
#[derive(Debug, Clone, Default)]
pub struct DocumentationPartFilter {
    /// Of this kind.
    pub kind: Option<DocumentationPartType>,
    /// About a thing with exactly this name.
    pub name: Option<String>,
    /// About exactly this path.
    pub path: Option<String>,
    /// With content, or without.
    pub status: Option<LocationStatus>,
}

impl DocumentationPartFilter {
    fn fits(&self, part: &DocumentationPart) -> bool {
        let place = part.location.filled();
        let documented = match properties(&part.properties) {
            Ok(properties) if properties.is_empty() => LocationStatus::Undocumented,
            _ => LocationStatus::Documented,
        };
        self.kind.is_none_or(|kind| kind == place.kind)
            && self.name.as_ref().is_none_or(|name| place.name.as_ref() == Some(name))
            && self.path.as_ref().is_none_or(|path| place.path.as_ref() == Some(path))
            && self.status.is_none_or(|status| status == documented)
    }
}

impl App {
    /// CreateDocumentationPart.
    pub async fn create_documentation_part(
        &self,
        api: &str,
        location: DocumentationPartLocation,
        text: &str,
    ) -> Result<DocumentationPart, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                location
                    .check()
                    .map_err(|reason| AppError::InvalidDocumentationLocation { reason })?;
                properties(text)?;
                let place = location.filled();
                let mut parts = workspace.documentation_parts.values();
                if parts.any(|part| part.location.filled() == place) {
                    return Err(AppError::DocumentationPartExists { location: spelled(&location) });
                }
                check_count(workspace.documentation_parts.len() + 1)?;
                let part = DocumentationPart {
                    id: unused_id(|id| workspace.documentation_parts.contains_key(id)),
                    location: location.clone(),
                    properties: text.to_owned(),
                };
                draft.put(Item::DocumentationPart(part.clone()));
                Ok(part)
            },
        )
        .await
    }

    /// GetDocumentationPart.
    pub async fn get_documentation_part(
        &self,
        api: &str,
        part: &str,
    ) -> Result<DocumentationPart, AppError> {
        let workspace = self.workspace(api).await?;
        known(&workspace, part).cloned()
    }

    /// GetDocumentationParts, in the order of their ids.
    pub async fn get_documentation_parts(
        &self,
        api: &str,
        filter: &DocumentationPartFilter,
        paging: &Paging,
    ) -> Result<Page<DocumentationPart>, AppError> {
        let workspace = self.workspace(api).await?;
        let fitting = workspace.documentation_parts.values().filter(|part| filter.fits(part));
        paging.page(fitting.map(|part| (part.id.to_string(), DocumentationPart::clone(part))))
    }

    /// UpdateDocumentationPart: the properties, nothing else.
    pub async fn update_documentation_part(
        &self,
        api: &str,
        part: &str,
        patch: &[PatchOperation],
    ) -> Result<DocumentationPart, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let old = known(workspace, part)?;
                let mut changed = old.clone();
                for operation in patch {
                    let (path, op) = (operation.path().to_owned(), operation.op.name());
                    if operation.op != PatchOp::Replace {
                        return Err(AppError::PatchOpUnsupported { path, op });
                    }
                    if path != "/properties" {
                        return Err(AppError::PatchPathAmong { path, op, among: "/properties" });
                    }
                    changed.properties = operation.value.clone().unwrap_or_default();
                    properties(&changed.properties)?;
                }
                if changed != *old {
                    draft.put(Item::DocumentationPart(changed.clone()));
                }
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteDocumentationPart; versions keep it.
    pub async fn delete_documentation_part(&self, api: &str, part: &str) -> Result<(), AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let part = known(workspace, part)?;
                draft.remove(Part::DocumentationPart, part.id.as_str());
                Ok(())
            },
        )
        .await
    }

    /// ImportDocumentationParts: the ids of the parts the document has, in its order, and the importer's warnings.
    pub async fn import_documentation_parts(
        &self,
        api: &str,
        mode: PutMode,
        fail_on_warnings: bool,
        document: &[u8],
    ) -> Result<(Vec<DocumentationPartId>, Vec<String>), AppError> {
        let id = self.workspace(api).await?.rest_api.id.clone();
        let mut options = self.import_options(id);
        options.fail_on_warnings = fail_on_warnings;
        let read = openapi::import_documentation(document, &options);
        let (parts, warnings) = read.map_err(|error| match error {
            ImportError::Unparsable => AppError::InvalidDocumentationImport,
            other => AppError::ImportFailed { message: other.to_string() },
        })?;
        let ids = self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| merge(workspace, &parts, mode, draft),
        );
        Ok((ids.await?, warnings))
    }
}

/// Puts a document's parts beside those that are there, and tells the ids of the document's.
///
/// Merge replaces properties one by one and leaves the rest as it is; overwrite leaves nothing but the document's parts.
/// A part whose place is known keeps its id. Source: Developer Guide, "Import API documentation".
pub(super) fn merge(
    workspace: &Workspace,
    parts: &[ImportedPart],
    mode: PutMode,
    draft: &mut Draft,
) -> Result<Vec<DocumentationPartId>, AppError> {
    check_count(parts.len())?;
    let there = &workspace.documentation_parts;
    let old: BTreeMap<DocumentationPartLocation, &DocumentationPart> =
        there.values().map(|part| (part.location.filled(), &**part)).collect();
    let mut new: BTreeMap<DocumentationPartLocation, DocumentationPart> = BTreeMap::new();
    let mut ids: Vec<DocumentationPartId> = Vec::new();
    for part in parts {
        let place = part.location.filled();
        let known = old.get(&place).copied();
        let before = new.get(&place).or(known.filter(|_| mode == PutMode::Merge));
        let merged = match before {
            Some(before) => {
                let mut merged = properties(&before.properties).unwrap_or_default();
                merged.extend(part.properties.clone());
                merged
            }
            None => part.properties.clone(),
        };
        let id = match new.get(&place).or(known) {
            Some(known) => known.id.clone(),
            None => unused_id(|id| there.contains_key(id) || ids.contains(id)),
        };
        if !ids.contains(&id) {
            ids.push(id.clone());
        }
        let properties = Value::Object(merged).to_string();
        new.insert(place, DocumentationPart { id, location: part.location.clone(), properties });
    }
    let mut kept = new.len();
    for (place, part) in &old {
        match (mode, new.contains_key(place)) {
            (_, true) => {}
            (PutMode::Merge, false) => kept += 1,
            (PutMode::Overwrite, false) => draft.remove(Part::DocumentationPart, part.id.as_str()),
        }
    }
    check_count(kept)?;
    for (place, part) in new {
        if old.get(&place).is_none_or(|old| **old != part) {
            draft.put(Item::DocumentationPart(part));
        }
    }
    Ok(ids)
}

fn known<'w>(workspace: &'w Workspace, part: &str) -> Result<&'w DocumentationPart, AppError> {
    let found = workspace.documentation_parts.get(part);
    found.map(|part| &**part).ok_or(AppError::InvalidDocumentationPart)
}

/// A part's properties: a JSON object, empty text is told apart.
fn properties(text: &str) -> Result<Map<String, Value>, AppError> {
    if text.trim().is_empty() {
        return Err(AppError::EmptyDocumentationProperties);
    }
    serde_json::from_str(text).map_err(|_| AppError::InvalidDocumentationProperties)
}

/// `type 'METHOD', path '/pets', method 'GET'`.
fn spelled(location: &DocumentationPartLocation) -> String {
    let mut words = vec![format!("type '{}'", location.kind)];
    for (name, value) in [
        ("path", &location.path),
        ("method", &location.method),
        ("statusCode", &location.status_code),
        ("name", &location.name),
    ] {
        words.extend(value.as_ref().map(|value| format!("{name} '{value}'")));
    }
    words.join(", ")
}

fn check_count(count: usize) -> Result<(), AppError> {
    if count > MAX_PARTS {
        return Err(AppError::TooMany { what: "documentation parts" });
    }
    Ok(())
}

fn unused_id(taken: impl Fn(&DocumentationPartId) -> bool) -> DocumentationPartId {
    loop {
        let id = DocumentationPartId::draw(&mut rand::rng());
        if !taken(&id) {
            return id;
        }
    }
}

/// Source: API Gateway quotas, "documentation parts per API".
const MAX_PARTS: usize = 2_000;
