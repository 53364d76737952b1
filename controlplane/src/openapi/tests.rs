//! Import cases by feature, each with its source; hostile documents stand in `hostile`.

mod hostile;
mod methods;
mod petstore;
mod settings;

use serde_json::{Value, json};

use super::*;
use crate::model::{
    ApiId, ApiKeySource, AuthorizationType, AuthorizerType, DocumentationPartType, EndpointType,
    HttpMethod, IpAddressType, PassthroughBehavior, ResponseType, StatusCode,
};

fn options() -> ImportOptions {
    ImportOptions::new(ApiId::parse("abcdefghij").unwrap(), "eu-west-1", "123456789012")
}

#[track_caller]
fn imported(document: &Value) -> Imported {
    import(document.to_string().as_bytes(), &options()).unwrap_or_else(|error| panic!("{error}"))
}

/// The one error of a document.
#[track_caller]
fn error(document: &Value) -> String {
    match import(document.to_string().as_bytes(), &options()) {
        Err(ImportError::Errors(errors)) => {
            assert_eq!(errors.len(), 1, "{errors:?}");
            errors.into_iter().next().unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn openapi(mut rest: Value) -> Value {
    rest["openapi"] = json!("3.0.1");
    rest["info"] = json!({"title": "t", "version": "1"});
    rest
}

fn swagger(mut rest: Value) -> Value {
    rest["swagger"] = json!("2.0");
    rest["info"] = json!({"title": "t", "version": "1"});
    rest
}

/// One operation `GET /a` in both formats.
fn get(operation: &Value) -> [Value; 2] {
    let paths = json!({"paths": {"/a": {"get": operation}}});
    [openapi(paths.clone()), swagger(paths)]
}

#[track_caller]
fn method<'a>(imported: &'a Imported, path: &str, verb: HttpMethod) -> &'a ImportedMethod {
    &imported.paths[path][&verb]
}

fn paths(imported: &Imported) -> Vec<&str> {
    imported.paths.keys().map(String::as_str).collect()
}

#[test]
fn notations_are_equal() {
    let yaml = "
swagger: 2.0
info: {title: Pets, version: 1.0, description: ''}
x-amazon-apigateway-policy:
  Version: 2012-10-17
paths:
  /pets: &pets
    get:
      responses:
        200: {description: ok}
        '404': {description: no}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{\"statusCode\": 200}'}
        responses: {default: {statusCode: 200}}
  /cats: *pets
  /dogs:
    <<: *pets
    post: {}
";
    let imported = import(yaml.as_bytes(), &options()).unwrap();
    assert_eq!(
        (imported.name.as_deref(), imported.version.as_deref()),
        (Some("Pets"), Some("1.0"))
    );
    assert_eq!(imported.description, None);
    assert_eq!(paths(&imported), ["/", "/cats", "/dogs", "/pets"]);
    assert_eq!(imported.policy.as_deref(), Some(r#"{"Version":"2012-10-17"}"#));
    assert_eq!(imported.method_count(), 4);
    let pets = &method(&imported, "/pets", HttpMethod::Get).method;
    assert_eq!(pets.method_responses.keys().map(|s| s.code()).collect::<Vec<_>>(), [200, 404]);
    assert_eq!(method(&imported, "/dogs", HttpMethod::Get).method, *pets);

    let value = yaml::parse(yaml).unwrap();
    let json = import(value.to_string().as_bytes(), &options()).unwrap();
    assert_eq!(json, imported);
    let bom = format!("\u{feff}\n {value:#}");
    assert_eq!(import(bom.as_bytes(), &options()).unwrap(), imported);
    assert!(import(b"{openapi: 3.0.1, info: {title: flow, version: a}}", &options()).is_ok());
}

/// Source: YAML 1.2.2, section 10.3.2 (core schema); leading zeros stay text on purpose.
#[test]
fn yaml_scalars() {
    for (text, want) in [
        ("~", json!(null)),
        ("", json!(null)),
        ("true", json!(true)),
        ("yes", json!("yes")),
        ("'true'", json!("true")),
        ("!!str 12", json!("12")),
        ("12", json!(12)),
        ("-12", json!(-12)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("000123", json!("000123")),
        ("1.50", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("1e999", json!("1e999")),
        ("0x+1", json!("0x+1")),
        (".", json!(".")),
        ("2012-10-17", json!("2012-10-17")),
        ("10.0.0.0/8", json!("10.0.0.0/8")),
    ] {
        assert_eq!(yaml::parse(&format!("a: {text}")), Some(json!({"a": want})), "{text}");
    }
    assert_eq!(yaml::parse("&k a: 1\nb: *k\n*k : 2"), Some(json!({"a": 2, "b": "a"})));
    assert_eq!(yaml::parse("? [a]\n: 1"), None);
    assert_eq!(yaml::parse("a: &a [*a]"), None);
    assert_eq!(yaml::parse("a: *b"), None);
    assert_eq!(yaml::parse(""), None);
}

/// Source: `admin-api` section 3, "unparsable import/put document", and 14, "Swagger 2.0 and OpenAPI 3.0".
#[test]
fn versions() {
    for text in [
        "",
        "{}",
        "[]",
        "1",
        "null",
        "{",
        "a: b: c",
        "\u{0}",
        "hello",
        "{\"openapi\": []}",
        "{\"swagger\": null}",
    ] {
        assert_eq!(import(text.as_bytes(), &options()), Err(ImportError::Unparsable), "{text}");
    }
    assert_eq!(import(b"\xff\xfe", &options()), Err(ImportError::Unparsable));
    assert_eq!(ImportError::Unparsable.to_string(), "Invalid OpenAPI input.");
    for (key, version, ok) in [
        ("swagger", json!("2.0"), true),
        ("swagger", json!(2.0), true),
        ("swagger", json!("1.2"), false),
        ("openapi", json!("3.0.3"), true),
        ("openapi", json!("3.0"), true),
        ("openapi", json!("3.1.0"), false),
        ("openapi", json!("2.0"), false),
    ] {
        let document = json!({ key: version });
        assert_eq!(import(document.to_string().as_bytes(), &options()).is_ok(), ok, "{document}");
    }
    assert_eq!(
        error(&json!({"openapi": "3.1.0"})),
        "Unsupported OpenAPI version: 3.1.0. Use 2.0 or 3.0.x."
    );
}

/// Source: `admin-api` section 14, "basepath" and "OAS3 base path".
#[test]
fn base_paths() {
    let servers =
        |server: Value| openapi(json!({"servers": [server, {"url": "/z"}], "paths": {"/e": {}}}));
    for (document, prepend, split) in [
        (swagger(json!({"basePath": "/a/b/c", "paths": {"/e": {}}})), "/a/b/c/e", "/b/c/e"),
        (swagger(json!({"basePath": "/a", "paths": {"/e": {}}})), "/a/e", "/e"),
        (swagger(json!({"basePath": "/", "paths": {"/e": {}}})), "/e", "/e"),
        (swagger(json!({"paths": {"/e": {}}})), "/e", "/e"),
        (servers(json!({"url": "https://h/a/b/c/"})), "/a/b/c/e", "/b/c/e"),
        (servers(json!({"url": "https://h"})), "/e", "/e"),
        (servers(json!({"url": "/a/b"})), "/a/b/e", "/b/e"),
        (
            servers(json!({"url": "https://h/x", "variables": {"basePath": {"default": "a/b"}}})),
            "/a/b/e",
            "/b/e",
        ),
        (
            servers(json!({"url": "https://h/{v}/x", "variables": {"v": {"default": "v1"}}})),
            "/v1/x/e",
            "/x/e",
        ),
        (openapi(json!({"paths": {"/e": {}}})), "/e", "/e"),
    ] {
        for (how, want) in [("ignore", "/e"), ("prepend", prepend), ("SPLIT", split)] {
            let mut options = options();
            assert_eq!(options.set("basepath", how), Ok(true));
            let imported = import(document.to_string().as_bytes(), &options).unwrap();
            assert!(imported.paths.contains_key(want), "{document} {how}: {:?}", paths(&imported));
            assert!(!imported.paths.keys().any(|path| path.len() > want.len()), "{document} {how}");
        }
    }
}

/// Source: `admin-api` section 3 (texts) and 7; `rest-api-runtime` 2.2 (segments).
#[test]
fn resources() {
    let document =
        openapi(json!({"paths": {"/a/{id}/b-c/{p+}": {}, "/a/x:y": {}, "/a/{id}/": {}, "/": {}}}));
    assert_eq!(
        paths(&imported(&document)),
        ["/", "/a", "/a/x:y", "/a/{id}", "/a/{id}/b-c", "/a/{id}/b-c/{p+}"]
    );
    for (keys, want) in [
        (
            &["/a b"][..],
            "Unable to create resource at path '/a b': Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning and the end and an optional plus sign before the closing brace.",
        ),
        (&["/a{b}"], "Resource's path part only allow"),
        (&["/{}"], "Resource's path part only allow"),
        (&["/{+}"], "Resource's path part only allow"),
        (&["/{a}{b}"], "Resource's path part only allow"),
        (&["a"], "must start with a slash"),
        (&["/{p+}/a"], "Cannot create a child of a resource with a greedy path variable: {p+}"),
        (
            &["/x/{a}", "/x/{b}/c"],
            "Unable to create resource at path '/x/{b}/c': A sibling ({a}) of this resource already has a variable path part -- only one is allowed",
        ),
        (&["/{a}", "/{b+}"], "A sibling ({a})"),
    ] {
        let items: serde_json::Map<String, Value> =
            keys.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
        let error = error(&openapi(json!({ "paths": items })));
        assert!(error.contains(want), "{error}");
    }
    let twice = openapi(json!({"paths": {"/a": {"get": {}}, "/a/": {"get": {}}}}));
    assert!(
        error(&twice)
            .contains("Unable to put method 'GET' on resource at path '/a': Method already exists")
    );
}

/// Source: `admin-api` section 15.
#[test]
fn root_extensions() {
    let mut document = swagger(json!({
        "x-amazon-apigateway-api-key-source": "authorizer",
        "x-amazon-apigateway-binary-media-types": ["image/png", "*/*"],
        "x-amazon-apigateway-minimum-compression-size": 5242880,
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true, "vpcEndpointIds": ["vpce-1"], "ipAddressType": "dualstack"},
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": true, "validateRequestParameters": true}, "params": {"validateRequestParameters": "true"}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.A": "'b'"}}, "INVALID_API_KEY": {"statusCode": "429", "responseTemplates": {"application/json": "{}"}}},
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": ["execute-api:/*", "arn:x"]}, {"NotResource": "execute-api:/prod/GET/a"}]},
        "x-amazon-apigateway-documentation": {"version": "1", "documentationParts": [{"location": {"type": "METHOD", "path": "/a", "method": "GET"}, "properties": {"description": "d"}}]},
        "tags": [{"name": "team", "x-amazon-apigateway-tag-value": "a"}, {"name": "pets", "description": "d"}],
        "paths": {"/a": {"get": {}, "put": {"x-amazon-apigateway-request-validator": "params"}}}
    }));
    let all = imported(&document);
    assert_eq!(all.api_key_source, Some(ApiKeySource::Authorizer));
    assert_eq!(all.binary_media_types.as_deref().unwrap(), ["image/png", "*/*"]);
    assert_eq!(all.minimum_compression_size, Some(5_242_880));
    let endpoint = ImportedEndpoint {
        kind: None,
        vpc_endpoint_ids: Some(vec!["vpce-1".into()]),
        ip_address_type: Some(IpAddressType::Dualstack),
        disable_execute_api_endpoint: Some(true),
    };
    assert_eq!(all.endpoint, endpoint);
    assert_eq!(method(&all, "/a", HttpMethod::Get).request_validator.as_deref(), Some("all"));
    assert_eq!(method(&all, "/a", HttpMethod::Put).request_validator.as_deref(), Some("params"));
    assert!(
        all.request_validators["params"].validate_request_parameters
            && !all.request_validators["params"].validate_request_body
    );
    let four = &all.gateway_responses[&ResponseType::Default4xx];
    assert_eq!(
        (four.status_code, four.default_response, four.response_templates.len()),
        (None, false, 1)
    );
    let key = &all.gateway_responses[&ResponseType::InvalidApiKey];
    assert_eq!(
        (key.status_code.unwrap().code(), key.response_templates["application/json"].as_str()),
        (429, "{}")
    );
    let policy: Value = serde_json::from_str(all.policy.as_deref().unwrap()).unwrap();
    let arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/";
    assert_eq!(policy["Statement"][0]["Resource"], json!([format!("{arn}*"), "arn:x"]));
    assert_eq!(policy["Statement"][1]["NotResource"], format!("{arn}prod/GET/a"));
    let [part] = &all.documentation.as_ref().unwrap()[..] else { panic!("one part") };
    assert_eq!(part.location.kind, DocumentationPartType::Method);
    assert_eq!(
        (part.location.path.as_deref(), part.location.method.as_deref()),
        (Some("/a"), Some("GET"))
    );
    assert_eq!(part.properties["description"], "d");
    assert_eq!(all.tags, Some([("team".to_owned(), "a".to_owned())].into()));

    let mut options = options();
    for (name, value, known) in [
        ("ignore", "documentation", true),
        ("endpointConfigurationTypes", "PRIVATE", true),
        ("endpointConfigurationVpcEndpointIds", "vpce-2, vpce-3", true),
        ("failonwarnings", "true", true),
        ("mode", "merge", false),
    ] {
        assert_eq!(options.set(name, value), Ok(known));
    }
    assert_eq!(
        options.set("basepath", "x").unwrap_err().to_string(),
        "Invalid value 'x' for query parameter 'basepath'."
    );
    assert!(options.set("endpointConfigurationTypes", "X").is_err());
    let imported = import(document.to_string().as_bytes(), &options).unwrap();
    assert_eq!(
        (imported.documentation, imported.endpoint.kind),
        (None, Some(EndpointType::Private))
    );
    assert_eq!(imported.endpoint.vpc_endpoint_ids.as_deref().unwrap(), ["vpce-2", "vpce-3"]);

    document["paths"]["/b"]["trace"] = json!({});
    let strict = import(document.to_string().as_bytes(), &options).unwrap_err();
    assert_eq!(
        strict.to_string(),
        "Warnings found during import:\n\tMethod 'TRACE' on resource at path '/b' is not supported. Ignoring."
    );

    let server = openapi(
        json!({"servers": [{"url": "/", "x-amazon-apigateway-endpoint-configuration": {"vpcEndpointIds": ["v"]}}]}),
    );
    assert_eq!(
        super::import(server.to_string().as_bytes(), &self::options())
            .unwrap()
            .endpoint
            .vpc_endpoint_ids
            .unwrap(),
        ["v"]
    );

    for (key, value, want) in [
        (
            "x-amazon-apigateway-minimum-compression-size",
            json!(10_485_761),
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
        (
            "x-amazon-apigateway-api-key-source",
            json!("x"),
            "attribute x-amazon-apigateway-api-key-source is 'x'. Must be one of: [HEADER, AUTHORIZER]",
        ),
        (
            "x-amazon-apigateway-gateway-responses",
            json!({"X": {}}),
            "Invalid gateway response type specified: X",
        ),
        (
            "x-amazon-apigateway-gateway-responses",
            json!({"THROTTLED": {"statusCode": 600}}),
            "attribute x-amazon-apigateway-gateway-responses.'THROTTLED'.statusCode is not a status code",
        ),
        (
            "x-amazon-apigateway-policy",
            json!([]),
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        ),
    ] {
        assert_eq!(error(&swagger(json!({ key: value }))), want);
    }
    let [unknown, _] = get(&json!({"x-amazon-apigateway-request-validator": "nope"}));
    assert_eq!(
        error(&unknown),
        "Unable to put method 'GET' on resource at path '/a': Invalid Request Validator identifier specified: nope"
    );
}

/// What this thread has worked so far: unlike the time that passed, others on the machine do not add to it.
fn worked() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
