//! Import of OpenAPI 3.0 and Swagger 2.0 documents, JSON or YAML, into model values, and export; pure functions.
//!
//! [`import`] reads the whole document and collects every error, each naming its path and method, so that one attempt
//! shows all that is wrong. Identifiers are not drawn here: methods name authorizers and validators by name, and
//! [`Imported`] is shaped so that a caller can walk it in order and create, replace or delete.
//! Sources: `admin-api` sections 14 and 15; API Gateway Developer Guide, "OpenAPI extensions for API Gateway".

mod document;
mod export;
mod extensions;
mod imported;
mod integrations;
mod object;
mod operations;
mod options;
mod parameters;
mod paths;
mod schemas;
mod security;
mod yaml;

use std::collections::BTreeMap;

use object::{Object, Reader};
use serde_json::Value;

pub use export::{ExportError, ExportExtension, ExportOptions, ExportType, Node, date, export};
pub use imported::{
    Imported, ImportedAuthorizer, ImportedEndpoint, ImportedMethod, ImportedModel, ImportedPart,
    ImportedValidator,
};
pub use object::MAX_MESSAGES;
pub use options::{BasePath, ImportOptions, InvalidOption};

/// The largest document. Source: API Gateway quotas, "import or PutRestApi: 6 MB".
pub const MAX_BYTES: usize = 6 * 1024 * 1024;

/// Why a document was refused. All of them are a BadRequestException; nothing of the document may be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Over [`MAX_BYTES`].
    #[error("OpenAPI input of {0} bytes exceeds the limit of {MAX_BYTES} bytes.")]
    TooLarge(usize),
    /// Neither JSON nor YAML, nested or expanded beyond bounds, or without a version we know.
    #[error("Invalid OpenAPI input.")]
    Unparsable,
    /// What is wrong, one sentence each, in document order of paths.
    #[error("Errors found during import:{}", list(.0))]
    Errors(Vec<String>),
    /// The document could be imported, but its author asked for no warnings.
    #[error("Warnings found during import:{}", list(.0))]
    Warnings(Vec<String>),
}

fn list(messages: &[String]) -> String {
    messages.iter().flat_map(|message| ["\n\t", message]).collect()
}

/// Reads a document. Takes time linear in its size; nesting and YAML aliases are bounded.
pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Imported, ImportError> {
    let value = parse(bytes, options)?;
    let mut reader = Reader::new(&value);
    let imported = read(&value, &mut reader, options)?;
    let warnings = judge(reader, options)?;
    Ok(Imported { warnings, ..imported })
}

/// Reads only what a document says of documentation, and the warnings about it.
pub fn import_documentation(
    bytes: &[u8],
    options: &ImportOptions,
) -> Result<(Vec<ImportedPart>, Vec<String>), ImportError> {
    let value = parse(bytes, options)?;
    let mut reader = Reader::new(&value);
    let Value::Object(map) = &value else { return Err(ImportError::Unparsable) };
    let root = Object::root(map);
    dialect(&root)?;
    let parts = extensions::documentation(&root, &mut reader);
    Ok((parts, judge(reader, options)?))
}

fn parse(bytes: &[u8], options: &ImportOptions) -> Result<Value, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::TooLarge(bytes.len()));
    }
    document::parse(bytes, options).ok_or(ImportError::Unparsable)
}

/// The warnings of a document that may be imported.
fn judge(reader: Reader<'_>, options: &ImportOptions) -> Result<Vec<String>, ImportError> {
    let Reader { errors, warnings, .. } = reader;
    if !errors.is_empty() {
        return Err(ImportError::Errors(errors));
    }
    if options.fail_on_warnings && !warnings.is_empty() {
        return Err(ImportError::Warnings(warnings));
    }
    Ok(warnings)
}

/// Whether a document's top level has a member of this name.
pub fn names(bytes: &[u8], member: &str, options: &ImportOptions) -> bool {
    bytes.len() <= MAX_BYTES
        && document::parse(bytes, options).is_some_and(|value| value.get(member).is_some())
}

/// Which of the two formats a document is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Swagger2,
    OpenApi3,
}

fn dialect(root: &Object<'_>) -> Result<Dialect, ImportError> {
    let version = |key: &str| match root.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        // YAML reads an unquoted 2.0 as a number.
        Some(Value::Number(number)) => Some(format!("{:.1}", number.as_f64().unwrap_or_default())),
        _ => None,
    };
    match (version("swagger"), version("openapi")) {
        (Some(text), None) if text == "2.0" => Ok(Dialect::Swagger2),
        (None, Some(text)) if text == "3.0" || text.starts_with("3.0.") => Ok(Dialect::OpenApi3),
        (None, None) => Err(ImportError::Unparsable),
        (swagger, openapi) => {
            let text = swagger.or(openapi).unwrap_or_default();
            Err(ImportError::Errors(vec![format!(
                "Unsupported OpenAPI version: {text}. Use 2.0 or 3.0.x."
            )]))
        }
    }
}

fn read<'a>(
    value: &'a Value,
    reader: &mut Reader<'a>,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let Value::Object(map) = value else { return Err(ImportError::Unparsable) };
    let root = Object::root(map);
    let dialect = dialect(&root)?;
    let mut imported = Imported::default();

    if let Some(info) = root.object("info", reader) {
        imported.name = info.text("title", reader);
        imported.version = info.text("version", reader);
        imported.description = info.text("description", reader).filter(|text| !text.is_empty());
    }
    extensions::read(&root, dialect, &mut imported, reader, options);

    let mut schemas = schemas::Schemas::read(&root, dialect, reader, &options.api_id);
    let security = security::Security::read(&root, dialect, reader);
    let base = paths::base_path(&root, dialect, reader, options.base_path);
    let mut tree = paths::Tree::default();
    {
        let mut operations =
            operations::Operations::new(&root, dialect, &security, &mut schemas, &imported);
        operations.read(&base, &mut tree, reader);
    }
    imported.paths = tree.into_paths();
    imported.models = schemas.into_models();
    imported.authorizers = security.into_authorizers();
    Ok(imported)
}

/// Methods by path, the shape that [`Imported::paths`] has.
type Paths = BTreeMap<String, BTreeMap<crate::model::HttpMethod, ImportedMethod>>;

#[cfg(test)]
mod tests;
