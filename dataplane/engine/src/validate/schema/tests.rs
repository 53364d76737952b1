use serde_json::json;

use super::*;

fn violations(
    schema: &Schema,
    instance: &Value,
    budget: usize,
) -> Result<Vec<Violation>, TooComplex> {
    let mut heap = Heap::for_document(1 << 20, 1 << 24);
    let read = json::read_body(&mut heap, instance.to_string().as_bytes()).unwrap();
    schema.violations(&heap, read, budget)
}

fn messages(schema: Value, instance: Value) -> Vec<(String, String)> {
    let schema = Schema::compile(&schema).unwrap();
    let told = violations(&schema, &instance, 10_000).unwrap();
    told.into_iter().map(|violation| (violation.path, violation.message)).collect()
}

fn check(schema: Value, instance: Value, wanted: &str) {
    let told = messages(schema.clone(), instance);
    assert_eq!(told.first().map(|(_, message)| message.as_str()), Some(wanted), "{schema}");
}

/// The words of the validator AWS uses. Source: `rest-api-runtime` section 14.3; its public messages.
#[test]
fn messages_are_those_of_aws() {
    for (schema, instance, wanted) in [
        (
            json!({"type": ["integer", "number"]}),
            json!("x"),
            r#"instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])"#,
        ),
        (
            json!({"required": ["name", "id"]}),
            json!({}),
            r#"object has missing required properties (["id","name"])"#,
        ),
        (
            json!({"enum": ["a", 1]}),
            json!("b"),
            r#"instance value ("b") not found in enum (possible values: ["a",1])"#,
        ),
        (
            json!({"minimum": 1}),
            json!(0.5),
            "numeric instance is lower than the required minimum (minimum: 1, found: 0.5)",
        ),
        (
            json!({"maximum": 10, "exclusiveMaximum": true}),
            json!(10),
            "numeric instance is not strictly lower than the required maximum 10",
        ),
        (json!({"multipleOf": 2}), json!(7), "remainder of division is not zero (7 / 2)"),
        (
            json!({"minLength": 3}),
            json!("ab"),
            r#"string "ab" is too short (length: 2, required minimum: 3)"#,
        ),
        (
            json!({"pattern": "^a"}),
            json!("b"),
            r#"ECMA 262 regex "^a" does not match input string "b""#,
        ),
        (
            json!({"properties": {}, "additionalProperties": false}),
            json!({"x": 1}),
            r#"object instance has properties which are not allowed by the schema: ["x"]"#,
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, 1.0]),
            "array must not contain duplicate elements",
        ),
    ] {
        check(schema, instance, wanted);
    }
}

#[test]
fn violations_say_where() {
    let schema = json!({
        "properties": {"a/b": {"items": {"type": "string"}}, "n": {"type": "null"}},
        "required": ["z"],
    });
    let told = messages(schema, json!({"a/b": ["x", 1, 2], "n": 1}));
    let paths: Vec<_> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["", "/a~1b/1", "/a~1b/2", "/n"]);
}

#[test]
fn schemas_that_cannot_be_used_are_refused() {
    for (schema, wanted) in [
        (json!({"type": "text"}), "at \"/type\""),
        (json!({"minimum": "1"}), "at \"/minimum\""),
        (json!({"properties": {"a": 1}}), "at \"/properties/a\""),
        (json!({"$ref": "#/definitions/none"}), "nothing is at $ref \"#/definitions/none\""),
        (json!({"$ref": "https://elsewhere.test/schema"}), "nothing is at $ref"),
        (json!({"pattern": "(?=x"}), "parenthesis"),
        (json!({"items": {"pattern": "(((a{200}){200}){200})"}}), "it is too large"),
        (json!([]), "instance type (array)"),
    ] {
        let told = Schema::compile(&schema).unwrap_err().to_string();
        assert!(told.contains(wanted), "{schema}: {told}");
    }
    let many: Vec<Value> = (0..50_000).map(|n| json!({"minimum": n})).collect();
    assert_eq!(Schema::compile(&json!({"anyOf": many})).unwrap_err(), SchemaError::TooLarge);
}

#[test]
fn references_to_other_schemas_are_followed() {
    let uri = "https://apigateway.amazonaws.com/restapis/abc/models/Pet";
    let pet = Arc::new(json!({"type": "object", "properties": {"mother": {"$ref": uri}}}));
    let other = |asked: &str| (asked == uri).then(|| pet.clone());
    let schema =
        Schema::compile_with(&json!({"type": "array", "items": {"$ref": uri}}), other).unwrap();
    assert!(violations(&schema, &json!([{"mother": {"mother": {}}}]), 100).unwrap().is_empty());
    let told = violations(&schema, &json!([{"mother": {"mother": 1}}]), 100).unwrap();
    assert_eq!(told[0].path, "/0/mother/mother");
}

#[test]
fn work_is_bounded() {
    let circle = Schema::compile(&json!({"$ref": "#"})).unwrap();
    assert_eq!(violations(&circle, &json!(1), usize::MAX), Err(TooComplex));
    let branches = json!({"definitions": {"x": {"anyOf": [
        {"properties": {"a": {"$ref": "#/definitions/x"}}, "required": ["b"]},
        {"properties": {"a": {"$ref": "#/definitions/x"}}, "required": ["c"]},
    ]}}, "$ref": "#/definitions/x"});
    let mut deep = json!({});
    for _ in 0..60 {
        deep = json!({"a": deep});
    }
    let branches = Schema::compile(&branches).unwrap();
    // Two to the power of sixty comparisons, were they made.
    let checked = violations(&branches, &deep, 100_000);
    assert!(checked.is_err() || checked.is_ok_and(|found| !found.is_empty()));
    let items: Vec<u32> = (0..100_000).collect();
    let unique = Schema::compile(&json!({"uniqueItems": true})).unwrap();
    assert!(violations(&unique, &json!(items), 200_000).unwrap().is_empty());
    assert_eq!(violations(&unique, &json!(items), 1_000), Err(TooComplex));
}
