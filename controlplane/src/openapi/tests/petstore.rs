//! The Petstore of the OpenAPI Initiative in both versions, with AWS integrations, and a document of 1,000 operations.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;

/// Source: OAI/OpenAPI-Specification, examples/v3.0/petstore.yaml (Apache-2.0), abridged.
const PETSTORE_3: &str = r##"
openapi: "3.0.0"
info: {version: 1.0.0, title: Swagger Petstore, license: {name: MIT}}
servers:
  - url: http://petstore.swagger.io/v1
paths:
  /pets:
    get:
      summary: List all pets
      operationId: listPets
      tags: [pets]
      parameters:
        - {name: limit, in: query, required: false, schema: {type: integer, maximum: 100, format: int32}}
      responses:
        '200':
          description: A paged array of pets
          headers:
            x-next: {description: next page, schema: {type: string}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Pets"}}
        default:
          description: unexpected error
          content:
            application/json: {schema: {$ref: "#/components/schemas/Error"}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://petstore.example/pets"}
    post:
      operationId: createPets
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
        required: true
      responses:
        '201': {description: Null response}
  /pets/{petId}:
    get:
      operationId: showPetById
      parameters:
        - {name: petId, in: path, required: true, schema: {type: string}}
      responses:
        '200':
          description: Expected response to a valid request
          content:
            application/json: {schema: {$ref: "#/components/schemas/Pet"}}
components:
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties: {id: {type: integer, format: int64}, name: {type: string}, tag: {type: string}}
    Pets:
      type: array
      maxItems: 100
      items: {$ref: "#/components/schemas/Pet"}
    Error:
      type: object
      required: [code, message]
      properties: {code: {type: integer, format: int32}, message: {type: string}}
"##;

/// Source: the same in examples/v2.0/yaml/petstore.yaml, abridged.
const PETSTORE_2: &str = r##"
swagger: "2.0"
info: {version: 1.0.0, title: Swagger Petstore, license: {name: MIT}}
host: petstore.swagger.io
basePath: /v1
schemes: [http]
consumes: [application/json]
produces: [application/json]
paths:
  /pets:
    get:
      summary: List all pets
      operationId: listPets
      tags: [pets]
      parameters:
        - {name: limit, in: query, required: false, type: integer, maximum: 100, format: int32}
      responses:
        "200":
          description: A paged array of pets
          headers:
            x-next: {type: string, description: next page}
          schema: {$ref: '#/definitions/Pets'}
        default:
          description: unexpected error
          schema: {$ref: '#/definitions/Error'}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://petstore.example/pets"}
    post:
      operationId: createPets
      parameters:
        - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
      responses:
        "201": {description: Null response}
  /pets/{petId}:
    get:
      operationId: showPetById
      parameters:
        - {name: petId, in: path, required: true, type: string}
      responses:
        "200":
          description: Expected response to a valid request
          schema: {$ref: '#/definitions/Pet'}
definitions:
  Pet:
    type: object
    required: [id, name]
    properties: {id: {type: integer, format: int64}, name: {type: string}, tag: {type: string}}
  Pets:
    type: array
    maxItems: 100
    items: {$ref: '#/definitions/Pet'}
  Error:
    type: object
    required: [code, message]
    properties: {code: {type: integer, format: int32}, message: {type: string}}
"##;

#[test]
fn both_versions_mean_the_same() {
    let mut options = options();
    options.fail_on_warnings = true;
    options.base_path = BasePath::Prepend;
    let three = import(PETSTORE_3.as_bytes(), &options).unwrap();
    let two = import(PETSTORE_2.as_bytes(), &options).unwrap();
    assert_eq!(three, two);
    assert_eq!(three.name.as_deref(), Some("Swagger Petstore"));
    assert_eq!(paths(&three), ["/", "/v1", "/v1/pets", "/v1/pets/{petId}"]);
    assert_eq!(three.models.keys().collect::<Vec<_>>(), ["Error", "Pet", "Pets"]);
    let list = &method(&three, "/v1/pets", HttpMethod::Get).method;
    let want = json!({
        "httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": false, "operationName": "listPets",
        "requestParameters": {"method.request.querystring.limit": false},
        "methodResponses": {"200": {"statusCode": "200", "responseModels": {"application/json": "Pets"},
            "responseParameters": {"method.response.header.x-next": false}}},
        "methodIntegration": {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://petstore.example/pets",
            "connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheKeyParameters": []}
    });
    assert_eq!(serde_json::to_value(list).unwrap(), want);
    let create = &method(&three, "/v1/pets", HttpMethod::Post).method;
    assert_eq!(create.request_models.as_ref().unwrap()["application/json"], "Pet");
    assert_eq!(create.method_integration, None);
}

/// A document of `count` operations in YAML, the slower notation.
fn generated(count: usize) -> String {
    let mut text = String::from("openapi: 3.0.1\ninfo: {title: many, version: '1'}\npaths:\n");
    for index in 0..count {
        write!(
            text,
            "  /service{}/items{index}/{{id}}:
    get:
      operationId: op{index}
      parameters:
        - {{name: id, in: path, required: true, schema: {{type: string}}}}
        - {{name: page, in: query, schema: {{type: integer}}}}
      responses:
        '200': {{description: ok, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Item{index}'}}}}}}}}
        '404': {{description: no}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: GET
        uri: https://upstream.example/items{index}/{{id}}
        requestParameters: {{integration.request.path.id: method.request.path.id}}
        responses: {{default: {{statusCode: 200}}, '404': {{statusCode: 404}}}}
",
            index % 50
        )
        .unwrap();
    }
    text.push_str("components:\n  schemas:\n");
    for index in 0..count {
        writeln!(text, "    Item{index}: {{type: object, properties: {{id: {{type: string}}, next: {{$ref: '#/components/schemas/Item{}'}}}}}}", (index + 1) % count).unwrap();
    }
    text
}

#[test]
fn a_thousand_operations() {
    let text = generated(1_000);
    let started = worked();
    let imported = import(text.as_bytes(), &options()).unwrap();
    let took = worked() - started;
    assert_eq!((imported.method_count(), imported.models.len()), (1_000, 1_000));
    assert_eq!(imported.paths.len(), 1 + 50 + 2_000);
    for path in imported.paths.keys().filter(|path| *path != "/") {
        let parent = path.rsplit_once('/').unwrap().0;
        assert!(parent.is_empty() || imported.paths.contains_key(parent), "{path}");
    }
    println!("1,000 operations, {} bytes of YAML: {took:?}", text.len());
    // Some 200 ms unoptimised; the bound is for the slowest of machines.
    assert!(took < Duration::from_secs(2), "{took:?}");
}
