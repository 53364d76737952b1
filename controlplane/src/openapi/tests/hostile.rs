//! Documents that mean harm: each is an error or an import, in bounded time and memory, and never a panic.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Imports and asserts that it took no unreasonable time, unoptimised.
#[track_caller]
fn run(document: &str) -> Result<Imported, ImportError> {
    let started = worked();
    let result = import(document.as_bytes(), &options());
    let took = worked() - started;
    assert!(took < Duration::from_secs(30), "{took:?}");
    result
}

#[test]
fn nesting() {
    for open in ["[", "{\"a\":", "{a: ", "- ", "? ", "[{", "- ? "] {
        for depth in [129, 100_000] {
            assert_eq!(run(&open.repeat(depth)), Err(ImportError::Unparsable), "{open}");
        }
    }
    let deep =
        |levels: usize| format!("{}{}{}", "{\"items\":".repeat(levels), "{}", "}".repeat(levels));
    let schema = |levels| format!(r#"{{"swagger":"2.0","definitions":{{"A":{}}}}}"#, deep(levels));
    assert_eq!(run(&schema(120)).unwrap().models.len(), 1);
    assert_eq!(run(&schema(100_000)), Err(ImportError::Unparsable));
    let block: String = (0..3_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert_eq!(run(&block), Err(ImportError::Unparsable));
}

#[test]
fn size() {
    let mut text = String::from("swagger: '2.0'\ninfo: {title: ");
    text.push_str(&"x".repeat(MAX_BYTES - text.len() - 1));
    text.push('}');
    assert_eq!(
        run(&text).unwrap().name.unwrap().len(),
        MAX_BYTES - "swagger: '2.0'\ninfo: {title: }".len()
    );
    text.push('\n');
    assert_eq!(run(&text), Err(ImportError::TooLarge(MAX_BYTES + 1)));
}

/// Nine anchors, each a list of nine of the one before: 9^9 nodes if anything expanded them unbounded.
#[test]
fn alias_bombs() {
    let mut text = String::from("swagger: '2.0'\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=9 {
        if level == 4 {
            assert!(run(&text).is_ok(), "aliases in moderation are fine");
        }
        let list = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert_eq!(run(&text), Err(ImportError::Unparsable));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100_000));
    assert_eq!(run(&long), Err(ImportError::Unparsable));
    let merged = format!("a: &a {{b: 1}}\nc:\n{}", "  <<: *a\n".repeat(100_000));
    let _ = run(&merged);
    let nested = format!("{}{}{}", "&a [".repeat(100), "x, ".repeat(1_000_000), "]".repeat(100));
    assert_eq!(run(&nested), Err(ImportError::Unparsable));
}

/// The deepest value that any notation can make, walked on a small stack.
#[test]
fn deepest() {
    let wrap = |levels: usize, inner: &str| {
        format!("{}{inner}{}", "{items: ".repeat(levels), "}".repeat(levels))
    };
    let text = format!(
        "swagger: '2.0'\nx: &a {}\ndefinitions: {{A: {}}}\n",
        wrap(64, "{}"),
        wrap(124, "*a")
    );
    let import = move || {
        import(text.as_bytes(), &options()).unwrap().models["A"].schema.matches("items").count()
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(import).unwrap();
    assert_eq!(thread.join().unwrap(), 124 + 64);
}

/// References that multiply work instead of bytes.
#[test]
fn reference_bombs() {
    let parameters: Vec<Value> =
        (0..20_000).map(|i| json!({"name": format!("p{i}"), "in": "query"})).collect();
    let headers: serde_json::Map<_, _> =
        (0..20_000).map(|i| (format!("h{i}"), json!({}))).collect();
    let types: Vec<String> = (0..20_000).map(|i| format!("a/{i}")).collect();
    let item = json!({"get": {"parameters": parameters, "produces": types,
        "responses": {"200": {"$ref": "#/responses/R"}, "201": {"$ref": "#/responses/R"}}}});
    let paths: serde_json::Map<_, _> =
        (0..20_000).map(|i| (format!("/p{i}"), json!({"$ref": "#/x-item"}))).collect();
    let text = "t".repeat(1 << 20);
    let document = swagger(json!({
        "x-item": item, "paths": paths, "responses": {"R": {"headers": headers, "schema": {"title": text}}}
    }));
    let Err(ImportError::Errors(errors)) = run(&document.to_string()) else {
        panic!("expected errors")
    };
    assert!(errors.iter().any(|e| e.contains("expand to more")), "{errors:?}");

    let long = json!({"get": {"operationId": text}});
    let paths: serde_json::Map<_, _> =
        (0..100_000).map(|i| (format!("/p{i}"), json!({"$ref": "#/x-item"}))).collect();
    assert!(run(&swagger(json!({"x-item": long, "paths": paths})).to_string()).is_err());

    let paths: serde_json::Map<_, _> =
        (0..500).map(|i| (format!("/{i}{}", "/aaaaa".repeat(1_600)), json!({}))).collect();
    assert!(run(&swagger(json!({ "paths": paths })).to_string()).is_err());
}

#[test]
fn cycles() {
    for (document, want) in [
        (
            openapi(json!({"paths": {"/a": {"$ref": "#/paths/~1a"}}})),
            "attribute paths.'/a'.$ref is cyclic: #/paths/~1a",
        ),
        (
            openapi(
                json!({"paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1c"}, "/c": {"$ref": "#/paths/~1b"}}}),
            ),
            "is cyclic",
        ),
        (
            openapi(
                json!({"components": {"parameters": {"P": {"$ref": "#/components/parameters/P"}}}, "paths": {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/P"}]}}}}),
            ),
            "is cyclic",
        ),
        (
            openapi(
                json!({"components": {"responses": {"R": {"$ref": "#/components/responses/R"}}}, "paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}}}),
            ),
            "is cyclic",
        ),
        (
            openapi(json!({"paths": {"/a": {"$ref": "#/nothing"}}})),
            "attribute paths.'/a'.$ref names nothing: #/nothing",
        ),
        (
            openapi(json!({"paths": {"/a": {"$ref": "https://example.com/a"}}})),
            "is not a local reference",
        ),
        (
            openapi(json!({"paths": {"/a": {"$ref": "file:///etc/passwd"}}})),
            "is not a local reference",
        ),
        (openapi(json!({"paths": {"/a": {"$ref": "#/openapi"}}})), "is not of type `object`"),
        (openapi(json!({"paths": {"/a": {"$ref": 5}}})), "is not of type `string`"),
    ] {
        let Err(ImportError::Errors(errors)) = run(&document.to_string()) else {
            panic!("{document}")
        };
        assert!(errors.iter().all(|error| error.contains(want)), "{errors:?}");
    }
    let chain: serde_json::Map<_, _> = (0..50_000)
        .map(|i| (format!("/p{i}"), json!({"$ref": format!("#/paths/~1p{}", i + 1)})))
        .collect();
    assert!(run(&openapi(json!({ "paths": chain })).to_string()).is_err());
    let own = json!({"A": {"$ref": "#/definitions/A"}, "B": {"properties": {"b": {"$ref": "#/definitions/B"}}}});
    assert_eq!(imported(&swagger(json!({ "definitions": own }))).models.len(), 2);
}

/// A document that uses every feature, for mutation.
fn everything() -> Value {
    openapi(json!({
        "servers": [{"url": "https://h/{basePath}", "variables": {"basePath": {"default": "/v1"}}, "x-amazon-apigateway-endpoint-configuration": {"vpcEndpointIds": ["v"]}}],
        "security": [{"lambda": ["s"]}],
        "tags": [{"name": "n", "x-amazon-apigateway-tag-value": "v"}],
        "x-amazon-apigateway-api-key-source": "HEADER",
        "x-amazon-apigateway-binary-media-types": ["a/b"],
        "x-amazon-apigateway-minimum-compression-size": 0,
        "x-amazon-apigateway-request-validators": {"v": {"validateRequestBody": true}},
        "x-amazon-apigateway-request-validator": "v",
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 429, "responseParameters": {"a": "b"}, "responseTemplates": {"a": "b"}}},
        "x-amazon-apigateway-policy": {"Statement": [{"Resource": "execute-api:/*"}]},
        "x-amazon-apigateway-documentation": {"version": "1", "documentationParts": [{"location": {"type": "API"}, "properties": {}}]},
        "components": {
            "schemas": {"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}, "allOf": [{"items": [{}]}]}},
            "parameters": {"P": {"name": "p", "in": "query"}},
            "responses": {"R": {"headers": {"h": {}}, "content": {"a/b": {"schema": {"type": "object"}}}}},
            "securitySchemes": {"lambda": {"type": "apiKey", "in": "header", "name": "A", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {"type": "jwt", "jwtConfiguration": {"issuers": [{"issuer": "i", "audiences": ["a"]}]}}}}
        },
        "paths": {"/a/{id}": {
            "parameters": [{"$ref": "#/components/parameters/P"}, {"name": "id", "in": "path"}],
            "x-amazon-apigateway-any-method": {
                "operationId": "o", "security": [{"lambda": []}], "x-amazon-apigateway-auth": {"type": "NONE"},
                "requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/A"}}}},
                "responses": {"200": {"$ref": "#/components/responses/R"}},
                "x-amazon-apigateway-integration": {"type": "http", "httpMethod": "GET", "uri": "http://h", "timeoutInMillis": 100,
                    "requestParameters": {"a": "b"}, "requestTemplates": {"a": "b"}, "cacheKeyParameters": ["a"], "tlsConfig": {"insecureSkipVerification": true},
                    "responses": {"default": {"statusCode": 200, "responseTemplates": {"a": null}, "responseParameters": {"a": "b"}}}}
            }
        }}
    }))
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, v)| places(v, &format!("{at}/{}", escape(key)), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

fn replacements() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("é\u{0}{"),
        json!([]),
        json!({}),
        json!([[1]]),
        json!({"a": {"b": []}}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/paths/~1a~1%7Bid%7D"}),
        json!({"$ref": "%"}),
        json!([{"$ref": "#/components"}]),
    ]
}

/// Each place of the document, with each wrong value in turn: an answer every time.
#[test]
fn wrong_types_everywhere() {
    let document = everything();
    imported(&document);
    let mut found = Vec::new();
    places(&document, "", &mut found);
    assert!(found.len() > 100);
    for place in found {
        for replacement in replacements() {
            let mut mutant = document.clone();
            *mutant.pointer_mut(&place).unwrap() = replacement;
            let _ = import(mutant.to_string().as_bytes(), &options());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several mutations at once: values replaced, keys swapped in from elsewhere.
    #[test]
    fn mutated_documents(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..8)) {
        let mut document = everything();
        for (place, source, wrong) in edits {
            let mut found = Vec::new();
            places(&document, "", &mut found);
            let wrongs = replacements();
            let value = if wrong { source.get(&wrongs).clone() } else { document.pointer(&found[source.index(found.len())]).unwrap().clone() };
            // Values put into themselves double a document; a few times are enough.
            if value.to_string().len() < 20_000 {
                *document.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
            }
        }
        let mut options = options();
        options.base_path = BasePath::Split;
        // JSON is YAML, so both parsers must read the same.
        prop_assert_eq!(yaml::parse(&document.to_string()), Some(document.clone()));
        let _ = import(document.to_string().as_bytes(), &options);
    }

    /// Bytes changed in a YAML text, so that the parser itself is under test.
    #[test]
    fn mutated_text(edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[]&*!:-?|>'\"#%@\n \t,a0\\"[..])), 1..16)) {
        let mut text = b"swagger: '2.0'\ninfo: &i {title: \"t\", version: 1.0}\nx: *i\npaths:\n  /a/{id}: &p\n    get:\n      parameters:\n      - {name: id, in: path}\n      responses: {200: {description: |\n          text\n        }}\n  /b:\n    <<: *p\n".to_vec();
        for (at, byte) in edits {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let _ = import(&text, &options());
    }
}
