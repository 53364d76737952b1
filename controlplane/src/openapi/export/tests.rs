//! Exports by their shape, and the way back: importing what was exported gives the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{
    ApiId, AuthorizerId, DocumentationPartId, EndpointConfiguration, EndpointType, ModelId,
    Resource, ResourceId, RestApi, Timestamp,
};
use crate::openapi::{self, ImportOptions, Imported};

fn import(document: &[u8]) -> Imported {
    let id = ApiId::parse("abcdefghij").unwrap();
    let options = ImportOptions::new(id, "eu-west-1", "123456789012");
    openapi::import(document, &options)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(document)))
}

/// What a deployment of an import freezes, and the documentation beside it.
fn deployed(imported: &Imported) -> (Snapshot, Vec<DocumentationPart>) {
    let id = |index: usize| format!("id{index}");
    let rest_api = RestApi {
        id: ApiId::parse("abcdefghij").unwrap(),
        name: imported.name.clone().unwrap_or_default(),
        description: imported.description.clone(),
        created_date: Timestamp(0),
        version: imported.version.clone(),
        binary_media_types: imported.binary_media_types.clone(),
        minimum_compression_size: imported.minimum_compression_size,
        api_key_source: imported.api_key_source.unwrap_or(crate::model::ApiKeySource::Header),
        endpoint_configuration: EndpointConfiguration::of(EndpointType::Edge),
        policy: imported.policy.clone(),
        tags: None,
        disable_execute_api_endpoint: false,
        root_resource_id: ResourceId::parse("root").unwrap(),
        security_policy: imported.security_policy,
        endpoint_access_mode: imported.endpoint_access_mode,
        settings: imported.settings.clone(),
    };
    let authorizers: Vec<_> = imported.authorizers.values().enumerate().collect();
    let authorizers = authorizers.into_iter().map(|(index, authorizer)| {
        authorizer.clone().into_authorizer(AuthorizerId::parse(&id(index)).unwrap())
    });
    let authorizers: Vec<crate::model::Authorizer> = authorizers.collect();
    let validators = imported.request_validators.values().enumerate().map(|(index, validator)| {
        validator.clone().into_validator(RequestValidatorId::parse(&id(index)).unwrap())
    });
    let request_validators: Vec<crate::model::RequestValidator> = validators.collect();
    let resources = imported.paths.iter().enumerate().map(|(index, (path, methods))| {
        let id = ResourceId::parse(&id(index)).unwrap();
        let method = |method: &openapi::ImportedMethod| {
            let mut method = method.clone().into_method(
                |name| authorizers.iter().find(|it| it.name == name).map(|it| it.id.clone()),
                |name| {
                    let named =
                        |it: &&crate::model::RequestValidator| it.name.as_deref() == Some(name);
                    request_validators.iter().find(named).map(|it| it.id.clone())
                },
            );
            if let Some(integration) = &mut method.method_integration {
                integration.cache_namespace.get_or_insert_with(|| id.to_string());
            }
            method
        };
        Resource {
            parent_id: (path != "/").then(|| ResourceId::parse("root").unwrap()),
            path_part: path.rsplit('/').next().map(str::to_owned),
            path: path.clone(),
            resource_methods: methods.iter().map(|(verb, it)| (*verb, method(it))).collect(),
            id: id.clone(),
        }
    });
    let parts = imported.documentation.iter().flatten().enumerate();
    let parts = parts.map(|(index, part)| DocumentationPart {
        id: DocumentationPartId::parse(&id(index)).unwrap(),
        location: part.location.clone(),
        properties: Value::Object(part.properties.clone()).to_string(),
    });
    let models = imported.models.values();
    let snapshot = Snapshot {
        rest_api,
        resources: resources.collect(),
        models: models.map(|it| it.clone().into_model(ModelId::parse("m").unwrap())).collect(),
        request_validators: request_validators.clone(),
        authorizers: authorizers.clone(),
        gateway_responses: imported.gateway_responses.values().cloned().collect(),
    };
    (snapshot, parts.collect())
}

fn exported(imported: &Imported, kind: ExportType, extensions: &[ExportExtension]) -> Node {
    let (snapshot, parts) = deployed(imported);
    let version = DocumentationVersion {
        version: "v1".to_owned(),
        created_date: Timestamp(1_479_854_500),
        description: None,
    };
    let options = ExportOptions {
        kind,
        extensions: extensions.iter().copied().collect(),
        host: "abcdefghij.execute-api.eu-west-1.amazonaws.com".to_owned(),
        stage: "test",
        version: snapshot.rest_api.version.clone().unwrap_or_default(),
        documentation: (!parts.is_empty()).then_some((&version, &parts[..])),
    };
    export(&snapshot, &options).unwrap()
}

fn value(node: &Node) -> Value {
    serde_json::from_slice(&node.to_json()).unwrap()
}

/// Two operations and a schema, in the spirit of AWS's Pet Store.
fn pets() -> Value {
    json!({
        "swagger": "2.0", "info": {"title": "PetStore", "version": "1.0.0", "description": "d"},
        "paths": {
            "/": {"get": {
                "consumes": ["application/json"], "produces": ["text/html"],
                "responses": {"200": {"headers": {"Content-Type": {"type": "string"}}}},
                "x-amazon-apigateway-integration": {"type": "mock",
                    "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                    "responses": {"default": {"statusCode": 200, "responseTemplates": {"text/html": "<html/>"},
                        "responseParameters": {"method.response.header.Content-Type": "'text/html'"}}}}}},
            "/pets/{petId}": {"post": {
                "operationId": "ChangePet", "consumes": ["application/json"], "produces": ["application/json"],
                "parameters": [{"name": "petId", "in": "path", "required": true}, {"name": "page", "in": "query"},
                    {"name": "Pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}],
                "responses": {"200": {"schema": {"$ref": "#/definitions/Pet"}}},
                "x-amazon-apigateway-integration": {"type": "http", "httpMethod": "POST", "uri": "http://h/{id}",
                    "requestParameters": {"integration.request.path.id": "method.request.path.petId"},
                    "responses": {"default": {"statusCode": 200}}}}}
        },
        "definitions": {"Pet": {"type": "object", "properties": {"kind": {"$ref": "#/definitions/Kind"}}},
            "Kind": {"type": "string"}, "Unused": {"type": "object"}}
    })
}

/// Source: `admin-api` section 14; members and their order as AWS's recorded exports have them.
#[test]
fn swagger() {
    let imported = import(pets().to_string().as_bytes());
    let plain = exported(&imported, ExportType::Swagger, &[]);
    let want = r##"{
  "swagger": "2.0",
  "info": {
    "description": "d",
    "version": "1.0.0",
    "title": "PetStore"
  },
  "host": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
  "basePath": "/test",
  "schemes": [
    "https"
  ],
  "paths": {
    "/": {
      "get": {
        "consumes": [
          "application/json"
        ],
        "produces": [
          "text/html"
        ],
        "responses": {
          "200": {
            "description": "200 response",
            "headers": {
              "Content-Type": {
                "type": "string"
              }
            }
          }
        }
      }
    },
    "/pets/{petId}": {
      "post": {
        "operationId": "ChangePet",
        "consumes": [
          "application/json"
        ],
        "produces": [
          "application/json"
        ],
        "parameters": [
          {
            "name": "petId",
            "in": "path",
            "required": true,
            "type": "string"
          },
          {
            "name": "page",
            "in": "query",
            "required": false,
            "type": "string"
          },
          {
            "in": "body",
            "name": "Pet",
            "required": true,
            "schema": {
              "$ref": "#/definitions/Pet"
            }
          }
        ],
        "responses": {
          "200": {
            "description": "200 response",
            "schema": {
              "$ref": "#/definitions/Pet"
            }
          }
        }
      }
    }
  },
  "definitions": {
    "Kind": {
      "type": "string"
    },
    "Pet": {
      "properties": {
        "kind": {
          "$ref": "#/definitions/Kind"
        }
      },
      "type": "object"
    }
  }
}"##;
    assert_eq!(String::from_utf8(plain.to_json()).unwrap(), want);
    let with = value(&exported(&imported, ExportType::Swagger, &[ExportExtension::Integrations]));
    assert_eq!(
        with["paths"]["/pets/{petId}"]["post"]["x-amazon-apigateway-integration"].to_string(),
        json!({"httpMethod": "POST", "uri": "http://h/{id}", "responses": {"default": {"statusCode": "200"}},
            "requestParameters": {"integration.request.path.id": "method.request.path.petId"},
            "passthroughBehavior": "when_no_match", "type": "http"})
        .to_string()
    );
}

/// Source: the same.
#[test]
fn oas30() {
    let imported = import(pets().to_string().as_bytes());
    let plain = value(&exported(&imported, ExportType::Oas30, &[]));
    assert_eq!(plain["openapi"], "3.0.1");
    assert_eq!(
        plain["servers"],
        json!([{"url": "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/{basePath}",
            "variables": {"basePath": {"default": "test"}}}])
    );
    assert_eq!(
        plain["paths"]["/"]["get"],
        json!({"responses": {"200": {"description": "200 response", "content": {},
            "headers": {"Content-Type": {"schema": {"type": "string"}}}}}})
    );
    let pet = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}});
    assert_eq!(
        plain["paths"]["/pets/{petId}"]["post"],
        json!({
            "operationId": "ChangePet",
            "parameters": [{"name": "petId", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "page", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {"content": pet, "required": true},
            "responses": {"200": {"description": "200 response", "content": pet}}
        })
    );
    let empty =
        import(br#"{"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/": {"get": {}}}}"#);
    let shown = value(&exported(&empty, ExportType::Oas30, &[]));
    assert_eq!(
        (&shown["components"], &shown["paths"]["/"]["get"]),
        (&json!({}), &json!({"responses": {}}))
    );
}

/// A body that has no JSON model cannot be described. Source: Developer Guide, "Export a REST API".
#[test]
fn models_must_be_json() {
    let (mut snapshot, _) = deployed(&import(pets().to_string().as_bytes()));
    let options = ExportOptions {
        kind: ExportType::Swagger,
        extensions: BTreeSet::new(),
        host: String::new(),
        stage: "s",
        version: "1".to_owned(),
        documentation: None,
    };
    let pet = snapshot.models.iter_mut().find(|model| model.name == "Pet").unwrap();
    pet.content_type = "application/xml".to_owned();
    assert_eq!(
        export(&snapshot, &options).unwrap_err().to_string(),
        "Only found non-JSON body models for POST /pets/{petId}"
    );
    let pet = snapshot.models.iter_mut().find(|model| model.name == "Pet").unwrap();
    pet.content_type = "application/json".to_owned();
    pet.schema = Some("no JSON".to_owned());
    assert_eq!(value(&export(&snapshot, &options).unwrap())["definitions"], json!({"Pet": {}}));
}

/// What one format has and the other lacks, and what neither has.
#[test]
fn schemas_fit_the_format() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-04/schema#", "id": "x", "type": ["object", "null"], "nullable": true,
        "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/Pet"}}, "required": [],
        "oneOf": [{"type": "file"}, {"type": "array"}], "patternProperties": {"a": {}}, "enum": [],
        "title": "t", "x-reference": [{"$ref": "#/components/schemas/Pet"}],
        "properties": {"oneOf": {"items": [{"type": "string", "minLength": 1}], "type": "array"},
            "n": {"exclusiveMaximum": 5, "maximum": 5, "required": true, "x-y": [1], "enum": [1, "1", 1]}}
    });
    let document = json!({"openapi": "3.0.1", "info": {"title": "t"}, "components": {"schemas": {"Pet": schema}},
        "paths": {"/": {"post": {"requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Pet"}}}}}}}});
    let imported = import(document.to_string().as_bytes());
    let properties = json!({"oneOf": {"items": {"minLength": 1, "type": "string"}, "type": "array"},
        "n": {"maximum": 5, "x-y": [1], "enum": [1, "1"]}});
    let swagger = value(&exported(&imported, ExportType::Swagger, &[]));
    assert_eq!(
        swagger["definitions"]["Pet"],
        json!({"title": "t", "properties": properties, "discriminator": "kind", "x-nullable": true})
    );
    let oas30 = value(&exported(&imported, ExportType::Oas30, &[]));
    assert_eq!(
        oas30["components"]["schemas"]["Pet"],
        json!({"title": "t", "nullable": true, "oneOf": [{}, {"type": "array", "items": {}}], "properties": properties,
            "discriminator": {"propertyName": "kind"}})
    );
    let mut whole = schema;
    whole.as_object_mut().unwrap().remove("$schema");
    let complete = value(&exported(&imported, ExportType::Swagger, &[ExportExtension::Apigateway]));
    assert_eq!(complete["definitions"]["Pet"], whole);
}

/// Source: `admin-api` section 14 (schemes) and 15 (`Unused`).
#[test]
fn security() {
    let authorizer = |extension: Value| {
        json!({"type": "apiKey", "name": "Auth", "in": "header",
        "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": extension})
    };
    let document = json!({"openapi": "3.0.1", "info": {"title": "t"},
        "components": {"securitySchemes": {
            "api_key": authorizer(json!({"type": "token", "authorizerUri": "u"})),
            "both": authorizer(json!({"type": "request", "authorizerUri": "u", "identitySource": "method.request.header.A, context.b"})),
            "key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
        "paths": {"/": {
            "get": {"security": [{"api_key": [], "key": []}]},
            "put": {"x-amazon-apigateway-auth": {"type": "aws_iam"}},
            "x-amazon-apigateway-any-method": {"security": [{"api_key": ["a"]}]}}}});
    let imported = import(document.to_string().as_bytes());
    let plain = value(&exported(&imported, ExportType::Oas30, &[]));
    let header = |name: &str| json!({"type": "apiKey", "name": name, "in": "header"});
    assert_eq!(
        plain["components"]["securitySchemes"],
        json!({"_api_key": header("x-api-key"), "api_key": header("Auth"), "sigv4": header("Authorization")})
    );
    let root = &plain["paths"]["/"];
    assert_eq!(root["get"]["security"], json!([{"_api_key": []}, {"api_key": []}]));
    assert_eq!(root["put"]["security"], json!([{"sigv4": []}]));
    assert_eq!(root["x-amazon-apigateway-any-method"]["security"], json!([{"api_key": ["a"]}]));
    let extended = value(&exported(&imported, ExportType::Oas30, &[ExportExtension::Authorizers]));
    let schemes = &extended["components"]["securitySchemes"];
    assert_eq!(
        schemes["both"],
        json!({"type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {"type": "request", "authorizerUri": "u",
                "identitySource": "method.request.header.A, context.b"}})
    );
    assert_eq!(schemes["sigv4"]["x-amazon-apigateway-authtype"], "awsSigv4");
    assert_eq!(
        schemes["api_key"]["x-amazon-apigateway-authorizer"],
        json!({"type": "token", "authorizerUri": "u"})
    );
}

/// Source: API Gateway Developer Guide, "Publish API documentation" and "Representation of API documentation".
#[test]
fn documentation() {
    let mut document = pets();
    document["x-amazon-apigateway-documentation"] = json!({"version": "ignored", "documentationParts": [
        {"location": {"type": "API"}, "properties": {"description": "nowhere", "x-bar": 1, "tags": [{"name": "pets"}],
            "info": {"description": "of info", "title": "no", "version": "no", "x-info": 2, "foo": 3}}},
        {"location": {"type": "RESOURCE", "path": "/pets/{petId}"}, "properties": {"description": "no", "x-r": 1}},
        {"location": {"type": "METHOD", "path": "/pets/{petId}", "method": "POST"},
            "properties": {"summary": "s", "description": "d", "foo": "no", "x-m": 1, "x-amazon-apigateway-auth": "no"}},
        {"location": {"type": "METHOD", "path": "/pets/{petId}"}, "properties": {"summary": "of ANY"}},
        {"location": {"type": "QUERY_PARAMETER", "name": "page"}, "properties": {"description": "everywhere"}},
        {"location": {"type": "QUERY_PARAMETER", "name": "page", "path": "/pets", "method": "POST"}, "properties": {"description": "below"}},
        {"location": {"type": "QUERY_PARAMETER", "name": "page", "path": "/pet"}, "properties": {"description": "elsewhere"}},
        {"location": {"type": "RESPONSE"}, "properties": {"description": "any"}},
        {"location": {"type": "RESPONSE", "path": "/pets/{petId}", "statusCode": "200"}, "properties": {"description": "fine"}},
        {"location": {"type": "RESPONSE_HEADER", "name": "Content-Type"}, "properties": {"description": "type"}},
        {"location": {"type": "REQUEST_BODY", "path": "/pets/{petId}", "method": "POST"}, "properties": {"description": "a pet"}},
        {"location": {"type": "MODEL", "name": "Pet"}, "properties": {"title": "Pet", "description": "of the shop"}},
        {"location": {"type": "MODEL", "name": "Pet.nothing"}, "properties": {"description": "no"}},
        {"location": {"type": "MODEL", "name": "Pet.kind"}, "properties": {"description": "what it is"}}
    ]});
    let imported = import(document.to_string().as_bytes());
    for kind in [ExportType::Swagger, ExportType::Oas30] {
        let shown = value(&exported(&imported, kind, &[]));
        let info =
            json!({"title": "PetStore", "version": "1.0.0", "description": "of info", "x-info": 2});
        assert_eq!(shown["info"], info);
        assert_eq!((&shown["x-bar"], &shown["tags"]), (&json!(1), &json!([{"name": "pets"}])));
        let item = &shown["paths"]["/pets/{petId}"];
        assert_eq!((&item["x-r"], item.get("description")), (&json!(1), None));
        let post = &item["post"];
        assert_eq!(
            (&post["summary"], &post["description"], &post["x-m"]),
            (&json!("s"), &json!("d"), &json!(1))
        );
        assert_eq!((post.get("foo"), post.get("x-amazon-apigateway-auth")), (None, None));
        assert_eq!(post["parameters"][1]["description"], "below");
        assert_eq!(post["responses"]["200"]["description"], "fine");
        let root = &shown["paths"]["/"]["get"]["responses"]["200"];
        assert_eq!(
            (&root["description"], &root["headers"]["Content-Type"]["description"]),
            (&json!("any"), &json!("type"))
        );
        let (body, schemas) = match kind {
            ExportType::Swagger => (&post["parameters"][2], &shown["definitions"]),
            ExportType::Oas30 => (&post["requestBody"], &shown["components"]["schemas"]),
        };
        assert_eq!(
            (&body["description"], &schemas["Pet"]["title"]),
            (&json!("a pet"), &json!("Pet"))
        );
        assert_eq!(schemas["Pet"]["properties"]["kind"]["description"], "what it is");
        assert_eq!(shown.get("x-amazon-apigateway-documentation"), None);

        let extended = value(&exported(&imported, kind, &[ExportExtension::Documentation]));
        let extension = &extended["x-amazon-apigateway-documentation"];
        assert_eq!(
            (&extension["version"], &extension["createdDate"]),
            (&json!("v1"), &json!("2016-11-22T22:41:40Z"))
        );
        assert_eq!(
            extension["documentationParts"],
            document["x-amazon-apigateway-documentation"]["documentationParts"]
        );
    }
}

/// A subset of some entries under fixed keys.
fn some_of(entries: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| prop::option::of(value.prop_map(move |value| (key.to_owned(), value))))
        .collect();
    entries.prop_map(|chosen| Value::Object(chosen.into_iter().flatten().collect())).boxed()
}

fn among(values: Value) -> BoxedStrategy<Value> {
    prop::sample::select(values.as_array().unwrap().clone()).boxed()
}

fn integration() -> BoxedStrategy<Value> {
    let response = |status: u16| {
        let members = some_of(vec![
            (
                "responseTemplates",
                among(
                    json!([{}, {"application/json": ""}, {"a/b": "#set($x = 1)", "application/json": "\u{7f}\n\"é"}]),
                ),
            ),
            ("responseParameters", among(json!([{}, {"method.response.header.X": "'v'"}]))),
            ("contentHandling", among(json!(["CONVERT_TO_TEXT", "convert_to_binary"]))),
        ]);
        members.prop_map(move |mut response| {
            response["statusCode"] = json!(status);
            response
        })
    };
    let members = some_of(vec![
        ("connectionType", among(json!(["INTERNET", "VPC_LINK"]))),
        ("connectionId", among(json!(["${stageVariables.link}"]))),
        ("credentials", among(json!(["arn:aws:iam::1:role/r"]))),
        ("passthroughBehavior", among(json!(["never", "WHEN_NO_TEMPLATES", "when_no_match"]))),
        ("contentHandling", among(json!(["CONVERT_TO_TEXT"]))),
        ("requestParameters", among(json!([{}, {"integration.request.header.a": "'b'"}]))),
        (
            "requestTemplates",
            among(json!([{}, {"application/json": null}, {"text/plain": "a: b", "a/b": ""}])),
        ),
        ("cacheKeyParameters", among(json!([[], ["method.request.path.id"]]))),
        ("cacheNamespace", among(json!(["shared"]))),
        ("timeoutInMillis", among(json!([50, 29_000]))),
        ("tlsConfig", among(json!([{}, {"insecureSkipVerification": true}]))),
        ("responseTransferMode", among(json!(["STREAM", "buffered"]))),
        ("integrationTarget", among(json!(["arn:t"]))),
        (
            "responses",
            some_of(vec![
                ("default", response(200).boxed()),
                ("4\\d{2}|on", response(404).boxed()),
            ]),
        ),
    ]);
    let kind = among(json!([
        {"type": "mock"}, {"type": "http", "httpMethod": "GET", "uri": "http://h/{id}"}, {"type": "HTTP_PROXY", "httpMethod": "any", "uri": "https://${stageVariables.h}"},
        {"type": "aws_proxy", "uri": "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/f/invocations"},
        {"type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:r:sqs:action/SendMessage"}
    ]));
    (members, kind)
        .prop_map(|(mut members, kind)| {
            members.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
            members
        })
        .boxed()
}

fn operation() -> BoxedStrategy<Value> {
    let schema = || {
        among(json!([
            {"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B_c"}, {"type": "string"},
            {"type": "array", "items": {"$ref": "#/components/schemas/A"}}
        ]))
    };
    let body = move || {
        schema().prop_map(|schema| json!({"content": {"application/json": {"schema": schema}}}))
    };
    let response = move || {
        (prop::option::of(body()), any::<bool>()).prop_map(|(body, headers)| {
            let mut response = body.unwrap_or_else(|| json!({}));
            response["description"] = json!("d");
            if headers {
                response["headers"] = json!({"X": {"schema": {"type": "string"}}, "x-Y": {}});
            }
            response
        })
    };
    some_of(vec![
        ("operationId", among(json!(["one", "two words", "true"]))),
        ("requestBody", body().boxed()),
        ("responses", some_of(vec![("200", response().boxed()), ("404", response().boxed())])),
        (
            "security",
            among(
                json!([[], [{"token": []}], [{"cognito": ["a/b", "c"]}], [{"request": []}, {"key": []}], [{"sigv4": []}], [{"key": []}], [{"jwt": ["s"]}]]),
            ),
        ),
        ("x-amazon-apigateway-auth", among(json!([{"type": "NONE"}, {"type": "AWS_IAM"}]))),
        ("x-amazon-apigateway-request-validator", among(json!(["all", "none at all"]))),
        ("x-amazon-apigateway-integration", integration()),
        ("x-tidegate-response-validation", among(json!(["off", "log", "enforce"]))),
        (
            "parameters",
            among(json!([
                [{"name": "q", "in": "query"}, {"name": "h-H", "in": "header", "required": true}], [], [{"name": "q", "in": "query", "required": true}]
            ])),
        ),
    ])
}

fn document() -> impl Strategy<Value = Value> {
    let item = || {
        some_of(vec![
            ("get", operation()),
            ("post", operation()),
            ("x-amazon-apigateway-any-method", operation()),
        ])
    };
    let paths = some_of(vec![
        ("/", item()),
        ("/pets/{id}", item()),
        ("/pets/{id}/a-b.c_d", item()),
        ("/{proxy+}", item()),
    ]);
    let root = some_of(vec![
        ("security", among(json!([[{"token": []}], [{"key": []}]]))),
        ("x-amazon-apigateway-api-key-source", among(json!(["AUTHORIZER"]))),
        ("x-amazon-apigateway-binary-media-types", among(json!([["*/*"], ["image/png", "a/b"]]))),
        ("x-amazon-apigateway-minimum-compression-size", among(json!([0, 1_000]))),
        ("x-amazon-apigateway-security-policy", among(json!(["TLS_1_2"]))),
        ("x-amazon-apigateway-endpoint-access-mode", among(json!(["STRICT"]))),
        (
            "x-amazon-apigateway-policy",
            among(json!([{"Statement": [{"Resource": "execute-api:/*", "Effect": "Deny"}]}])),
        ),
        ("x-amazon-apigateway-request-validator", among(json!(["all"]))),
        (
            "x-amazon-apigateway-gateway-responses",
            among(json!([
                {"DEFAULT_4XX": {}}, {"THROTTLED": {"statusCode": 503, "responseTemplates": {}, "responseParameters": {"gatewayresponse.header.R": "'1'"}}}
            ])),
        ),
        (
            "x-tidegate-gateway-responses",
            among(json!([{"BAD_RESPONSE_BODY": {"statusCode": 500}}])),
        ),
        (
            "x-tidegate-settings",
            among(json!([
                {"cors": {"allowOrigins": ["https://*.a", "*"], "exposeHeaders": ["x"], "maxAge": -1}, "limits": {"profile": "open", "payloadBytes": 1}},
                {"endpoints": {"*": "http://a", "sqs": "http://b/c"}, "responseValidation": {"mode": "log"}, "limits": {"timeoutMillis": 29_000}}
            ])),
        ),
        (
            "x-amazon-apigateway-documentation",
            among(json!([
                {"documentationParts": [{"location": {"type": "API"}, "properties": {"info": {"description": "of info", "x-a": 1}}},
                    {"location": {"type": "MODEL", "name": "A"}, "properties": {"title": "of A"}}, {"location": {"type": "METHOD", "method": "GET"}, "properties": {"tags": ["t"]}}]}
            ])),
        ),
    ]);
    let info = among(json!([
        {"title": "t", "version": "1"}, {"title": "é: \"x\"", "version": "2016-01-01T00:00:00Z", "description": "a\nb"}
    ]));
    let authorizer = |kind: &str, extension: Value| {
        json!({"type": "apiKey", "name": "Auth", "in": "header", "x-amazon-apigateway-authtype": kind,
            "x-amazon-apigateway-authorizer": extension})
    };
    let schemes = json!({
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
        "token": authorizer("oauth2", json!({"type": "token", "authorizerUri": "u", "authorizerCredentials": "c",
            "authorizerResultTtlInSeconds": 0, "identityValidationExpression": "^x"})),
        "request": authorizer("custom", json!({"type": "request", "authorizerUri": "u", "identitySource": "method.request.header.A, context.b"})),
        "cognito": authorizer("cognito_user_pools", json!({"type": "cognito_user_pools", "providerARNs": ["arn:p"]})),
        "jwt": {"type": "apiKey", "name": "Auth", "in": "header", "x-amazon-apigateway-authorizer": {"type": "jwt", "jwtConfiguration": {"issuers": [
            {"issuer": "https://i", "audiences": ["a"], "additionalClaims": [{"claimName": "c", "required": true}]}], "defaultAlgorithms": ["ES256"]}}}
    });
    let schemas = json!({
        "A": {"type": "object", "description": "d", "properties": {"next": {"$ref": "#/components/schemas/B_c"}}, "required": []},
        "B_c": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"not": {"enum": [null, 1.5, "x"]}}], "patternProperties": {"^a": {"$ref": "#/components/schemas/B_c"}},
            "dependencies": {"a": ["b"], "c": {"minimum": 1}}, "additionalItems": {"$ref": "#/components/schemas/A"}, "default": {"$ref": "#/kept"}}
    });
    (root, info, paths).prop_map(move |(mut document, info, paths)| {
        document["openapi"] = json!("3.0.1");
        document["info"] = info;
        document["paths"] = paths;
        document["components"] = json!({"schemas": schemas, "securitySchemes": schemes});
        document["x-amazon-apigateway-request-validators"] = json!({"all": {"validateRequestBody": true, "validateRequestParameters": true}, "none at all": {}});
        document
    })
}

/// The models a document needs are those its methods name and those these name.
fn needed(mut imported: Imported) -> Imported {
    let methods = imported.paths.values().flat_map(BTreeMap::values);
    let named = methods.flat_map(|it| {
        let responses = it.method.method_responses.values().flat_map(|it| &it.response_models);
        it.method.request_models.iter().chain(responses).flat_map(|map| map.values().cloned())
    });
    let mut needed: BTreeSet<String> = named.collect();
    loop {
        let more: Vec<String> = imported
            .models
            .keys()
            .filter(|name| !needed.contains(*name))
            .filter(|name| {
                let reference = format!("/models/{name}\"");
                needed.iter().any(|of| imported.models[of].schema.contains(&reference))
            })
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        needed.extend(more);
    }
    imported.models.retain(|name, _| needed.contains(name));
    imported.warnings.clear();
    // Resources without methods and without anything below are not exported.
    let with_methods: Vec<String> = imported
        .paths
        .iter()
        .filter(|(_, methods)| !methods.is_empty())
        .map(|(path, _)| path.clone())
        .collect();
    imported.paths.retain(|path, _| {
        path == "/"
            || with_methods
                .iter()
                .any(|known| known == path || known.starts_with(&format!("{path}/")))
    });
    imported
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// An import of what was exported is what was there, in either format and either notation.
    #[test]
    fn there_and_back(document in document(), swagger in any::<bool>(), yaml in any::<bool>()) {
        let there = needed(import(document.to_string().as_bytes()));
        let kind = if swagger { ExportType::Swagger } else { ExportType::Oas30 };
        let exported = exported(&there, kind, &[ExportExtension::Apigateway]);
        let bytes = if yaml { exported.to_yaml() } else { exported.to_json() };
        let back = needed(import(&bytes));
        prop_assert_eq!(back, there);
    }
}
