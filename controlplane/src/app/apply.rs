//! Applying a document: an import the first time, a put from then on.

use super::imports::PutMode;
use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Paging};
use crate::model::{ApiId, RestApi};
use crate::openapi::{self, ImportError};

/// What became of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The API as it is now.
    pub rest_api: RestApi,
    /// Whether it is new.
    pub created: bool,
    /// What the importer left out or understood in its own way.
    pub warnings: Vec<String>,
}

impl App {
    /// Imports a document as a new API or, where exactly one API has its name, makes that API what the document says.
    ///
    /// `name` stands in for the document's title. Two callers at once may both find no API of the name and both make one.
    pub async fn apply_document(
        &self,
        document: &[u8],
        name: Option<&str>,
    ) -> Result<Applied, AppError> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.title(document)?,
        };
        let known = self.named(&name).await?;
        let (rest_api, warnings) = match &known {
            Some(id) => self.put_rest_api(id.as_str(), PutMode::Overwrite, document, &[]).await?,
            None => self.import_rest_api(document, &[]).await?,
        };
        let rest_api = if rest_api.name == name {
            rest_api
        } else {
            let rename = PatchOperation {
                op: PatchOp::Replace,
                path: Some("/name".to_owned()),
                value: Some(name),
                from: None,
            };
            self.update_rest_api(rest_api.id.as_str(), &[rename]).await?
        };
        Ok(Applied { rest_api, created: known.is_none(), warnings })
    }

    /// The one API with this name.
    async fn named(&self, name: &str) -> Result<Option<ApiId>, AppError> {
        let mut found: Vec<ApiId> = Vec::new();
        let mut paging = Paging { position: None, limit: Some(500) };
        loop {
            let page = self.get_rest_apis(&paging).await?;
            found.extend(page.items.into_iter().filter(|api| api.name == name).map(|api| api.id));
            paging.position = page.position;
            if paging.position.is_none() {
                break;
            }
        }
        if found.len() > 1 {
            let ids = found.iter().map(ApiId::as_str).collect::<Vec<_>>().join(", ");
            return Err(AppError::AmbiguousName { name: name.to_owned(), ids });
        }
        Ok(found.pop())
    }

    fn title(&self, document: &[u8]) -> Result<String, AppError> {
        let id = ApiId::draw(&mut rand::rng());
        let options = self.import_options(id);
        let imported = openapi::import(document, &options).map_err(|error| match error {
            ImportError::Unparsable => AppError::InvalidDocument,
            other => AppError::ImportFailed { message: other.to_string() },
        })?;
        Ok(imported.name.unwrap_or_default())
    }
}
