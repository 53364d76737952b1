//! The models of an API as schemas that bodies are checked against.
//!
//! Source: developer guide, "Data models for REST APIs"; `CreateModel` of the API Reference for how one model refers to another.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tidegate_proto::v1;

use super::schema::Schema;

/// The models of a bundle, each compiled once and only if a method needs it.
#[derive(Debug)]
pub(crate) struct Models<'b> {
    models: &'b [v1::Model],
    compiled: HashMap<&'b str, Option<Arc<Schema>>>,
}

impl<'b> Models<'b> {
    pub(crate) fn new(models: &'b [v1::Model]) -> Self {
        Self { models, compiled: HashMap::new() }
    }

    /// The schema of a model; `None` where it has none, so that any body fits.
    pub(crate) fn schema(&mut self, name: &str) -> Result<Option<Arc<Schema>>, String> {
        if let Some(schema) = self.compiled.get(name) {
            return Ok(schema.clone());
        }
        let model = self.model(name).ok_or_else(|| format!("its model '{name}' does not exist"))?;
        let schema = match model.schema.trim().is_empty() {
            true => None,
            false => Some(Arc::new(self.compile(model)?)),
        };
        self.compiled.insert(&model.name, schema.clone());
        Ok(schema)
    }

    fn model(&self, name: &str) -> Option<&'b v1::Model> {
        self.models.iter().find(|model| model.name == name)
    }

    fn compile(&self, model: &v1::Model) -> Result<Schema, String> {
        let document: Value = serde_json::from_str(&model.schema)
            .map_err(|error| format!("model '{}' is no JSON: {error}", model.name))?;
        let other = |uri: &str| {
            let named = self.model(named(uri)?)?;
            serde_json::from_str(&named.schema).ok().map(Arc::new)
        };
        Schema::compile_with(&document, other)
            .map_err(|error| format!("model '{}': {error}", model.name))
    }
}

/// The model that a URI names: `https://{host}/restapis/{api}/models/{name}`. Neither host nor API count, since an API that was
/// copied or imported still names the one it came from.
fn named(uri: &str) -> Option<&str> {
    let (_, path) = uri.strip_prefix("https://")?.split_once("/restapis/")?;
    let (_, name) = path.split_once("/models/")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_models() {
        for (uri, want) in [
            ("https://apigateway.amazonaws.com/restapis/abc/models/Pet", Some("Pet")),
            ("https://any.test/restapis/other/models/Pet", Some("Pet")),
            ("http://any.test/restapis/abc/models/Pet", None),
            ("https://any.test/restapis/abc/models/", None),
            ("https://any.test/restapis/abc/models/a/b", None),
            ("https://any.test/schema.json", None),
        ] {
            assert_eq!(named(uri), want, "{uri}");
        }
    }
}
