//! Models: JSON schemas that bodies are checked against.

mod schema;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{App, AppError, Item, Page, Paging, PatchOperation, Workspace, mapping, references};
use crate::model::{Model, ModelId};
use crate::store::keys::Part;

/// An API's models by name.
type Models = BTreeMap<String, Arc<Model>>;

/// What CreateModel is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is Model's of its name")]
pub struct CreateModel {
    pub name: String,
    pub description: Option<String>,
    pub schema: Option<String>,
    pub content_type: String,
}

impl App {
    /// CreateModel.
    pub async fn create_model(&self, api: &str, input: CreateModel) -> Result<Model, AppError> {
        let limit = self.settings.limits.parts_per_api;
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let model = create(workspace, input.clone())?;
                if workspace.models.len() >= limit {
                    return Err(AppError::TooMany { what: "models" });
                }
                draft.put(Item::Model(model.clone()));
                Ok(model)
            },
        )
        .await
    }

    /// GetModel; `flatten` brings along the models its schema names.
    pub async fn get_model(&self, api: &str, name: &str, flatten: bool) -> Result<Model, AppError> {
        let workspace = self.workspace_or(api, unknown(name)).await?;
        let mut model = find(&workspace, name)?.clone();
        if flatten && let Some(text) = &model.schema {
            model.schema = Some(schema::flatten(&workspace.models, name, text));
        }
        Ok(model)
    }

    /// GetModels, in the order of their names.
    pub async fn get_models(&self, api: &str, paging: &Paging) -> Result<Page<Model>, AppError> {
        let workspace = self.workspace(api).await?;
        paging.page(workspace.models.values().map(|one| (one.name.clone(), Model::clone(one))))
    }

    /// GetModelTemplate: a mapping template that makes what the model describes.
    pub async fn get_model_template(&self, api: &str, name: &str) -> Result<String, AppError> {
        let workspace = self.workspace_or(api, unknown(name)).await?;
        template::of(&workspace.models, find(&workspace, name)?)
    }

    /// UpdateModel: the description and the schema.
    pub async fn update_model(
        &self,
        api: &str,
        name: &str,
        patch: &[PatchOperation],
    ) -> Result<Model, AppError> {
        self.change(
            api,
            || unknown(name),
            |workspace, draft| {
                let old = find(workspace, name)?;
                let mut changed = old.clone();
                for operation in patch {
                    operation.replace_among("/description, /schema")?;
                    if operation.path() == "/description" {
                        changed.description = operation.nullable();
                    } else {
                        changed.schema = operation.nullable();
                        schema::check(&workspace.models, &changed)?;
                    }
                }
                if changed != *old {
                    draft.put(Item::Model(changed.clone()));
                }
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteModel; refused while a method or another model names it.
    pub async fn delete_model(&self, api: &str, name: &str) -> Result<(), AppError> {
        self.change(
            api,
            || unknown(name),
            |workspace, draft| {
                find(workspace, name)?;
                if let Some(by) = named_by(workspace, name) {
                    return Err(AppError::ModelInUse { name: name.to_owned(), by });
                }
                draft.remove(Part::Model, name);
                Ok(())
            },
        )
        .await
    }
}

fn find<'w>(workspace: &'w Workspace, name: &str) -> Result<&'w Model, AppError> {
    workspace.models.get(name).map(|found| &**found).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> AppError {
    AppError::InvalidModelName { name: name.to_owned() }
}

fn create(workspace: &Workspace, input: CreateModel) -> Result<Model, AppError> {
    if input.name.is_empty() {
        return Err(AppError::EmptyModelName);
    }
    if !Model::is_name(&input.name) {
        return Err(AppError::ModelNameCharacters { name: input.name });
    }
    if workspace.models.contains_key(&input.name) {
        return Err(AppError::ModelExists);
    }
    mapping::check_content_type(&input.content_type)?;
    let model = Model {
        id: ModelId::draw(&mut rand::rng()),
        name: input.name,
        description: input.description.filter(|text| !text.is_empty()),
        schema: input.schema.filter(|text| !text.is_empty()),
        content_type: input.content_type,
    };
    schema::check(&workspace.models, &model)?;
    Ok(model)
}

/// What names the model, in AWS's words; only the first, as AWS does.
fn named_by(workspace: &Workspace, name: &str) -> Option<String> {
    let request = references::methods(workspace, |method| {
        method.request_models.iter().flatten().any(|(_, model)| model == name)
    });
    if let Some(place) = request.first() {
        return Some(format!("method request: {}", place.path_first()));
    }
    let response = references::methods(workspace, |method| {
        let responses = method.method_responses.values();
        responses
            .flat_map(|one| one.response_models.iter().flatten())
            .any(|(_, model)| model == name)
    });
    if let Some(place) = response.first() {
        return Some(format!("method response: {}", place.path_first()));
    }
    let others = workspace.models.values().filter(|other| other.name != name);
    let mut others = others.filter_map(|other| Some((&other.name, other.schema.as_deref()?)));
    let (other, _) = others.find(|(_, text)| schema::names(text).iter().any(|one| one == name))?;
    Some(format!("model: {other}"))
}

/// `Empty` and `Error`. Source: recorded answers of GetModels on a new API.
pub(super) fn defaults() -> [Model; 2] {
    let model = |name: &str, description: &str, schema: &str| Model {
        id: ModelId::draw(&mut rand::rng()),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    };
    [
        model("Empty", "This is a default empty schema model", EMPTY),
        model("Error", "This is a default error schema model", ERROR),
    ]
}

const EMPTY: &str = r#"{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}"#;

const ERROR: &str = r#"{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}"#;

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of JSON.
    pub(super) fn model(name: &str, schema: &str) -> Model {
        Model {
            id: ModelId::draw(&mut rand::rng()),
            name: name.to_owned(),
            description: None,
            schema: Some(schema.to_owned()),
            content_type: "application/json".to_owned(),
        }
    }

    /// Models of JSON with these schemas.
    pub(super) fn models(schemas: &[(&str, &str)]) -> Models {
        let each = schemas.iter().map(|(name, schema)| model(name, schema));
        each.map(|model| (model.name.clone(), Arc::new(model))).collect()
    }
}
