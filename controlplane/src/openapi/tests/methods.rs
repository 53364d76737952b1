//! What becomes of an operation: parameters, models, bodies, integration, security.

use super::*;

/// Source: OpenAPI 3.0.3 "Parameter Object", Swagger 2.0 the same; `admin-api` sections 3 and 14.
#[test]
fn parameters() {
    let document = openapi(json!({
        "components": {"parameters": {"Limit": {"name": "limit", "in": "query"}, "Again": {"$ref": "#/components/parameters/Limit"}}},
        "paths": {"/a/{id}": {
            "parameters": [{"name": "id", "in": "path"}, {"name": "h", "in": "header"}, {"$ref": "#/components/parameters/Again"}],
            "get": {"parameters": [{"name": "h", "in": "header", "required": true}]},
            "x-amazon-apigateway-any-method": {"operationId": "any"},
            "trace": {}, "summary": "s", "x-other": 1
        }}
    }));
    let imported = imported(&document);
    let want = |h| {
        Some(
            [
                ("method.request.header.h", h),
                ("method.request.path.id", true),
                ("method.request.querystring.limit", false),
            ]
            .map(|(name, required)| (name.to_owned(), required))
            .into(),
        )
    };
    assert_eq!(method(&imported, "/a/{id}", HttpMethod::Get).method.request_parameters, want(true));
    let any = &method(&imported, "/a/{id}", HttpMethod::Any).method;
    assert_eq!(
        (&any.request_parameters, any.operation_name.as_deref()),
        (&want(false), Some("any"))
    );
    assert_eq!(
        imported.warnings,
        ["Method 'TRACE' on resource at path '/a/{id}' is not supported. Ignoring."]
    );

    for document in
        get(&json!({"parameters": [{"name": "x", "in": "query"}, {"name": "x", "in": "header"}]}))
    {
        assert_eq!(
            error(&document),
            "Unable to put method 'GET' on resource at path '/a': Parameter names must be unique across querystring, header and path"
        );
    }
    for (parameters, want) in [
        (json!([{"in": "query"}]), "attribute paths.'/a'(get).parameters[0].name is missing"),
        (json!([{"name": "query"}]), "attribute paths.'/a'(get).parameters[0].in is missing"),
        (
            json!([{"name": "x", "in": "air"}]),
            "attribute paths.'/a'(get).parameters[0].in is 'air'",
        ),
        (json!({}), "attribute paths.'/a'(get).parameters is not of type `array`"),
        (json!([1]), "attribute paths.'/a'(get).parameters[0] is not of type `object`"),
        (
            json!([{"name": "x", "in": "query", "required": 1}]),
            "attribute paths.'/a'(get).parameters[0].required is not of type `boolean`",
        ),
    ] {
        for document in get(&json!({ "parameters": parameters })) {
            assert_eq!(error(&document), want);
        }
    }
}

/// Source: `admin-api` section 11 (`$ref` form, alphanumeric names) and 14 (circular models allowed).
#[test]
fn models() {
    let url = "https://apigateway.amazonaws.com/restapis/abcdefghij/models/";
    let schemas = json!({
        "Pet": {"type": "object", "description": "a pet", "properties": {
            "owner": {"$ref": "#/definitions/Owner"},
            "$ref": {"type": "string"},
            "tags": {"type": "array", "items": {"$ref": "#/definitions/Pet"}, "example": [{"$ref": "#/nothing"}]}
        }},
        "Owner": {"allOf": [{"$ref": "#/definitions/Pet"}, {"type": "object"}], "additionalProperties": {"$ref": "https://example.com/restapis/x/models/Pet"}}
    });
    let three: Value =
        serde_json::from_str(&schemas.to_string().replace("#/definitions", "#/components/schemas"))
            .unwrap();
    for document in [
        swagger(json!({"definitions": schemas})),
        openapi(json!({"components": {"schemas": three}})),
    ] {
        let imported = imported(&document);
        let schema =
            |name: &str| serde_json::from_str::<Value>(&imported.models[name].schema).unwrap();
        assert_eq!(schema("Pet")["properties"]["owner"]["$ref"], format!("{url}Owner"));
        assert_eq!(schema("Pet")["properties"]["$ref"]["type"], "string");
        assert_eq!(schema("Pet")["properties"]["tags"]["items"]["$ref"], format!("{url}Pet"));
        assert_eq!(schema("Pet")["properties"]["tags"]["example"][0]["$ref"], "#/nothing");
        assert_eq!(schema("Owner")["allOf"][0]["$ref"], format!("{url}Pet"));
        assert_eq!(schema("Owner")["additionalProperties"]["$ref"], format!("{url}Pet"));
        assert_eq!(imported.models["Pet"].description.as_deref(), Some("a pet"));
        assert_eq!(imported.models["Pet"].content_type, "application/json");
        assert_eq!(imported.models.len(), 2);
    }
    let renamed = imported(&swagger(json!({
        "definitions": {"a_b": {}, "a.b": {}, "ab": {"items": {"$ref": "#/definitions/a_b"}}, "~/%": {"$ref": "#/definitions/~0~1%25"}}
    })));
    assert_eq!(renamed.models.keys().collect::<Vec<_>>(), ["Model", "ab", "ab2", "ab3"]);
    assert_eq!(renamed.models["ab"].schema, format!(r#"{{"items":{{"$ref":"{url}ab3"}}}}"#));
    assert_eq!(renamed.models["Model"].schema, format!(r#"{{"$ref":"{url}Model"}}"#));
    assert_eq!(
        renamed.warnings[0],
        "Model name must be alphanumeric: a.b. The model is created as 'ab2'."
    );
    let missing =
        imported(&swagger(json!({"definitions": {"A": {"items": {"$ref": "#/definitions/B"}}}})));
    assert_eq!(
        missing.warnings,
        ["Reference to model 'B' at definitions.'A' not found. Ignoring."]
    );
    let remote = error(&swagger(json!({"definitions": {"A": {"$ref": "other.json#/B"}}})));
    assert_eq!(remote, "attribute definitions.'A'.$ref is not a local reference: other.json#/B");
}

/// Source: `admin-api` section 14; inline schemas become generated models as on AWS.
#[test]
fn bodies_and_responses() {
    let two = swagger(json!({
        "consumes": ["application/json", "text/json"],
        "definitions": {"Pet": {}},
        "responses": {"Gone": {"description": "d", "schema": {"type": "string"}}},
        "paths": {"/a": {"post": {
            "produces": ["application/xml"],
            "parameters": [{"name": "b", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}, {"name": "f", "in": "formData"}],
            "responses": {"200": {"schema": {"$ref": "#/definitions/Pet"}, "headers": {"x-a": null, "B": {}}}, "410": {"$ref": "#/responses/Gone"}, "default": {}, "5XX": {}, "x-y": 1}
        }}}
    }));
    let imported2 = imported(&two);
    let post = &method(&imported2, "/a", HttpMethod::Post).method;
    let map = |pairs: &[(&str, &str)]| {
        Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    };
    assert_eq!(post.request_models, map(&[("application/json", "Pet"), ("text/json", "Pet")]));
    let ok = &post.method_responses[&StatusCode::new(200).unwrap()];
    assert_eq!(ok.response_models, map(&[("application/xml", "Pet")]));
    assert_eq!(
        ok.response_parameters.as_ref().unwrap().keys().collect::<Vec<_>>(),
        ["method.response.header.B", "method.response.header.x-a"]
    );
    let gone =
        post.method_responses[&StatusCode::new(410).unwrap()].response_models.as_ref().unwrap();
    let generated = &gone["application/xml"];
    assert!(generated.starts_with("MODEL") && generated.len() == 11, "{generated}");
    assert_eq!(imported2.models[generated].schema, r#"{"type":"string"}"#);
    assert_eq!(post.method_responses.len(), 2);
    assert_eq!(imported2.warnings.len(), 2, "{:?}", imported2.warnings);

    let three = openapi(json!({
        "components": {"schemas": {"Pet": {}}, "requestBodies": {"B": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}, "text/plain": {}}}}},
        "paths": {"/a": {"post": {
            "requestBody": {"$ref": "#/components/requestBodies/B"},
            "responses": {"200": {"content": {"*/*": {"schema": {"type": "string"}}}}}
        }}}
    }));
    let imported3 = imported(&three);
    let post = &method(&imported3, "/a", HttpMethod::Post).method;
    assert_eq!(post.request_models, map(&[("application/json", "Pet")]));
    let ok = &post.method_responses[&StatusCode::new(200).unwrap()];
    assert_eq!(ok.response_models, map(&[("*/*", generated)]));
}

/// Source: `admin-api` section 15, members of `x-amazon-apigateway-integration`, and 7 (defaults).
#[test]
fn integrations() {
    for document in get(&json!({"x-amazon-apigateway-integration": {
        "type": "HTTP", "uri": "https://${AWS::Region}.example/{id}", "httpMethod": "post", "credentials": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/r",
        "connectionType": "vpc_link", "connectionId": "${stageVariables.v}", "passthroughBehavior": "when_no_templates",
        "contentHandling": "convert_to_text", "timeoutInMillis": 50, "cacheNamespace": "n", "cacheKeyParameters": ["method.request.path.id"],
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "requestTemplates": {"application/json": "", "text/plain": "$input.body"},
        "tlsConfig": {"insecureSkipVerification": true}, "responseTransferMode": "STREAM",
        "responses": {"default": {"statusCode": 200}, "4\\d\\d": {"statusCode": "404", "contentHandling": "CONVERT_TO_BINARY",
            "responseParameters": {"method.response.header.X": "'v'"}, "responseTemplates": {"application/json": null}}}
    }})) {
        let imported = imported(&document);
        let integration =
            method(&imported, "/a", HttpMethod::Get).method.method_integration.clone().unwrap();
        let want = json!({
            "type": "HTTP", "uri": "https://eu-west-1.example/{id}", "httpMethod": "POST", "credentials": "arn:aws:iam::123456789012:role/r",
            "connectionType": "VPC_LINK", "connectionId": "${stageVariables.v}", "passthroughBehavior": "WHEN_NO_TEMPLATES",
            "contentHandling": "CONVERT_TO_TEXT", "timeoutInMillis": 50, "cacheNamespace": "n", "cacheKeyParameters": ["method.request.path.id"],
            "requestParameters": {"integration.request.path.id": "method.request.path.id"},
            "requestTemplates": {"application/json": null, "text/plain": "$input.body"},
            "tlsConfig": {"insecureSkipVerification": true}, "responseTransferMode": "STREAM",
            "integrationResponses": {"200": {"statusCode": "200"}, "404": {"statusCode": "404", "selectionPattern": "4\\d\\d",
                "contentHandling": "CONVERT_TO_BINARY", "responseParameters": {"method.response.header.X": "'v'"}, "responseTemplates": {"application/json": null}}}
        });
        assert_eq!(serde_json::to_value(integration).unwrap(), want);
    }
    for (kind, uri, verb, connection) in [
        ("mock", Value::Null, None, None),
        (
            "aws_proxy",
            json!("arn:aws:apigateway:r:lambda:path/2015-03-31/functions/f/invocations"),
            Some("POST"),
            None,
        ),
        ("Http_Proxy", json!("http://h"), Some("ANY"), Some("INTERNET")),
    ] {
        let stated = if kind == "Http_Proxy" { json!("any") } else { Value::Null };
        let [document, _] = get(
            &json!({"x-amazon-apigateway-integration": {"type": kind, "uri": uri, "httpMethod": stated, "connectionType": "INTERNET"}}),
        );
        let imported = imported(&document);
        let integration =
            method(&imported, "/a", HttpMethod::Get).method.method_integration.as_ref().unwrap();
        assert_eq!(integration.http_method.as_deref(), verb, "{kind}");
        assert_eq!(
            integration.connection_type.map(|c| c.to_string()).as_deref(),
            connection,
            "{kind}"
        );
        assert_eq!(integration.passthrough_behavior, PassthroughBehavior::WhenNoMatch);
    }
    let [none, _] = get(&json!({}));
    assert_eq!(method(&imported(&none), "/a", HttpMethod::Get).method.method_integration, None);
    let place = "Unable to put integration on 'GET' for resource at path '/a': ";
    for (integration, want) in [
        (json!({}), format!("{place}Enumeration value for type must be non-empty")),
        (json!({"type": "http", "uri": "http://h"}), format!("{place}Enumeration value for HttpMethod must be non-empty")),
        (json!({"type": "mock", "timeoutInMillis": 49}), format!("{place}Timeout should be at least 50 milliseconds")),
        (json!({"type": "mock", "timeoutInMillis": -1}), format!("{place}Timeout should be at least 50 milliseconds")),
        (json!({"type": "mock", "responses": {"a": {"statusCode": 99}}}), format!("{place}Response 'a' has an invalid or missing status code")),
        (json!({"type": "ftp"}), "attribute paths.'/a'(get).x-amazon-apigateway-integration.type is 'ftp'. Must be one of: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]".to_owned()),
        (json!({"type": "mock", "uri": {}}), "attribute paths.'/a'(get).x-amazon-apigateway-integration.uri is not of type `string`".to_owned()),
        (json!(5), "attribute paths.'/a'(get).x-amazon-apigateway-integration is not of type `object`".to_owned()),
    ] {
        for document in get(&json!({"x-amazon-apigateway-integration": integration})) {
            assert_eq!(error(&document), want);
        }
    }
    let [twice, _] = get(
        &json!({"x-amazon-apigateway-integration": {"type": "mock", "responses": {"a": {"statusCode": 200}, "default": {"statusCode": 200}}}}),
    );
    assert_eq!(imported(&twice).warnings.len(), 1);
}

/// Source: `admin-api` section 14, "Security requirement on an operation", and 15, authorizers.
#[test]
fn security() {
    let schemes = json!({
        "lambda": {"type": "apiKey", "in": "header", "name": "Auth", "x-amazon-apigateway-authtype": "oauth2",
            "x-amazon-apigateway-authorizer": {"type": "Token", "authorizerUri": "arn:aws:apigateway:${AWS::Region}:lambda:path/x", "authorizerResultTtlInSeconds": 60, "identityValidationExpression": "^x"}},
        "request": {"type": "apiKey", "in": "header", "name": "Unused",
            "x-amazon-apigateway-authorizer": {"type": "request", "authorizerUri": "u", "identitySource": "method.request.header.A, context.x"}},
        "pool": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": ["arn:p"]}},
        "jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt", "identitySource": "method.request.header.Authorization", "jwtConfiguration": {"issuer": "https://i", "audience": ["a"]}}},
        "sigv4": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        "oauth": {"type": "oauth2"},
        "broken": {"type": "apiKey", "in": "header", "name": "A", "x-amazon-apigateway-authtype": "custom"}
    });
    let cases = json!({
        "/lambda": {"security": [{"lambda": []}]},
        "/request": {"security": [{"request": [], "api_key": []}]},
        "/pool": {"security": [{"pool": ["read", "write"]}]},
        "/jwt": {"security": [{"jwt": []}]},
        "/iam": {"security": [{"sigv4": []}]},
        "/key": {"security": [{"api_key": []}]},
        "/open": {"security": []},
        "/oauth": {"security": [{"oauth": ["x"]}]},
        "/broken": {"security": [{"broken": []}]},
        "/global": {},
        "/auth": {"x-amazon-apigateway-auth": {"type": "aws_iam"}},
        "/none": {"x-amazon-apigateway-auth": {"type": "NONE"}},
        "/both": {"x-amazon-apigateway-auth": {"type": "NONE"}, "security": [{"lambda": []}]},
        "/or": {"security": [{}, {"lambda": []}, {"pool": []}, {"api_key": []}]}
    });
    let items: serde_json::Map<_, _> =
        cases.as_object().unwrap().iter().map(|(k, v)| (k.clone(), json!({"get": v}))).collect();
    for document in [
        swagger(
            json!({"securityDefinitions": schemes, "security": [{"pool": []}], "paths": items}),
        ),
        openapi(
            json!({"components": {"securitySchemes": schemes}, "security": [{"pool": []}], "paths": items}),
        ),
    ] {
        let imported = imported(&document);
        for (path, kind, authorizer, key) in [
            ("/lambda", AuthorizationType::Custom, Some("lambda"), false),
            ("/request", AuthorizationType::Custom, Some("request"), true),
            ("/pool", AuthorizationType::CognitoUserPools, Some("pool"), false),
            ("/jwt", AuthorizationType::Jwt, Some("jwt"), false),
            ("/iam", AuthorizationType::AwsIam, None, false),
            ("/key", AuthorizationType::None, None, true),
            ("/open", AuthorizationType::None, None, false),
            ("/oauth", AuthorizationType::None, None, false),
            ("/global", AuthorizationType::CognitoUserPools, Some("pool"), false),
            ("/auth", AuthorizationType::AwsIam, None, false),
            ("/none", AuthorizationType::None, None, false),
            ("/both", AuthorizationType::Custom, Some("lambda"), false),
            ("/or", AuthorizationType::Custom, Some("lambda"), true),
        ] {
            let found = method(&imported, path, HttpMethod::Get);
            let got = (
                found.method.authorization_type,
                found.authorizer.as_deref(),
                found.method.api_key_required,
            );
            assert_eq!(got, (kind, authorizer, key), "{path}");
        }
        assert!(imported.paths["/broken"].is_empty());
        let pool = &method(&imported, "/pool", HttpMethod::Get).method;
        assert_eq!(pool.authorization_scopes.as_deref().unwrap(), ["read", "write"]);
        assert_eq!(imported.warnings.len(), 3, "{:?}", imported.warnings);

        let lambda = &imported.authorizers["lambda"];
        assert_eq!(
            (lambda.kind, lambda.auth_type.as_deref()),
            (AuthorizerType::Token, Some("oauth2"))
        );
        assert_eq!(lambda.identity_source.as_deref(), Some("method.request.header.Auth"));
        assert_eq!(
            lambda.authorizer_uri.as_deref(),
            Some("arn:aws:apigateway:eu-west-1:lambda:path/x")
        );
        assert_eq!(lambda.authorizer_result_ttl_in_seconds, Some(60));
        let request = &imported.authorizers["request"];
        assert_eq!(request.identity_source.as_deref(), Some("method.request.header.A, context.x"));
        assert_eq!(request.auth_type.as_deref(), Some("custom"));
        assert_eq!(imported.authorizers["pool"].provider_arns.as_deref().unwrap(), ["arn:p"]);
        assert_eq!(
            imported.authorizers["jwt"].jwt_configuration.as_ref().unwrap().issuers[0].audiences,
            ["a"]
        );
        assert_eq!(imported.authorizers.len(), 4);
    }
    for (extension, want) in [
        (json!({}), "Authorizer type is required."),
        (json!({"type": "token"}), "Authorizer uri is required."),
        (json!({"type": "cognito_user_pools"}), "At least one provider ARN is required."),
        (
            json!({"type": "token", "authorizerUri": "u", "authorizerResultTtlInSeconds": 3601}),
            "Authorizer result TTL must be between 0 and 3600.",
        ),
    ] {
        let document = swagger(
            json!({"securityDefinitions": {"a": {"type": "apiKey", "in": "header", "name": "A", "x-amazon-apigateway-authorizer": extension}}}),
        );
        assert_eq!(
            error(&document),
            format!("Unable to create authorizer from security definition: 'a'. {want}")
        );
    }
    let [unknown, _] = get(&json!({"security": [{"nope": []}]}));
    assert_eq!(
        error(&unknown),
        "Unable to put method 'GET' on resource at path '/a': Security definition 'nope' not found."
    );
}
