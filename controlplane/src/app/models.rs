//! The models every new API has.

use crate::model::{Model, ModelId};

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
