//! Parts of an API that methods name: models, request validators, authorizers, gateway responses.

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, map, pets, replace, service};

#[tokio::test]
async fn models() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let model = |name: &str, schema: &str| v1::CreateModelRequest {
        rest_api_id: api.clone(),
        model: Some(v1::RestModel {
            name: name.to_owned(),
            schema: schema.to_owned(),
            content_type: "application/json".to_owned(),
            ..Default::default()
        }),
    };
    let made = call!(service.create_model(model("Pet", r#"{"type":"object"}"#))).unwrap();
    assert_eq!((made.id.len(), made.name.as_str()), (6, "Pet"));
    let twice = call!(service.create_model(model("Pet", r#"{"type":"object"}"#)));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let named = r#"{"items":{"$ref":"https://any.test/restapis/x/models/Pet"}}"#;
    call!(service.create_model(model("Pets", named))).unwrap();

    let get = |flatten| v1::GetModelRequest {
        rest_api_id: api.clone(),
        model_name: "Pets".to_owned(),
        flatten,
    };
    assert_eq!(call!(service.get_model(get(false))).unwrap().schema, named);
    assert_eq!(
        call!(service.get_model(get(true))).unwrap().schema,
        r##"{"definitions":{"Pet":{"type":"object"}},"items":{"$ref":"#/definitions/Pet"}}"##
    );
    let at =
        |name: &str| v1::ModelAddress { rest_api_id: api.clone(), model_name: name.to_owned() };
    let template = call!(service.get_model_template(at("Pet"))).unwrap().value;
    assert_eq!(template, "#set($inputRoot = $input.path('$'))\n{ }");
    let request = v1::UpdateModelRequest {
        rest_api_id: api.clone(),
        model_name: "Pet".to_owned(),
        patch_operations: replace("/description", "an animal"),
    };
    assert_eq!(call!(service.update_model(request)).unwrap().description, "an animal");

    let named = call!(service.delete_model(at("Pet")));
    assert_refused(named, Code::AlreadyExists, "ConflictException");
    call!(service.delete_model(at("Pets"))).unwrap();
    call!(service.delete_model(at("Pet"))).unwrap();
    assert_refused(call!(service.delete_model(at("Pet"))), Code::NotFound, "NotFoundException");
    let paging = Some(v1::Paging { position: String::new(), limit: 1 });
    let request = v1::GetModelsRequest { rest_api_id: api.clone(), paging };
    let page = call!(service.get_models(request)).unwrap();
    assert_eq!((page.items.len(), page.items[0].name.as_str()), (1, "Empty"));
    assert!(!page.position.is_empty());
}

#[tokio::test]
async fn request_validators() {
    let mut service = service().await;
    let (api, resource) = pets(&mut service).await;
    let request = v1::CreateRequestValidatorRequest {
        rest_api_id: api.clone(),
        request_validator: Some(v1::RestRequestValidator {
            name: "body".to_owned(),
            validate_request_body: true,
            ..Default::default()
        }),
    };
    let made = call!(service.create_request_validator(request)).unwrap();
    assert!(made.validate_request_body && !made.validate_request_parameters);
    let address = v1::RequestValidatorAddress {
        rest_api_id: api.clone(),
        request_validator_id: made.id.clone(),
    };
    let request = v1::UpdateRequestValidatorRequest {
        rest_api_id: api.clone(),
        request_validator_id: made.id.clone(),
        patch_operations: replace("/validateRequestParameters", "true"),
    };
    let changed = call!(service.update_request_validator(request)).unwrap();
    assert!(changed.validate_request_body && changed.validate_request_parameters);
    assert_eq!(call!(service.get_request_validator(address.clone())).unwrap(), changed);
    let request = v1::GetRequestValidatorsRequest { rest_api_id: api.clone(), paging: None };
    assert_eq!(call!(service.get_request_validators(request)).unwrap().items, [changed]);

    let names = |validator: &str| v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id: resource.clone(),
        http_method: "GET".to_owned(),
        patch_operations: replace("/requestValidatorId", validator),
    };
    call!(service.update_method(names(&made.id))).unwrap();
    let named = call!(service.delete_request_validator(address.clone()));
    assert_refused(named, Code::AlreadyExists, "ConflictException");
    call!(service.update_method(names(""))).unwrap();
    call!(service.delete_request_validator(address.clone())).unwrap();
    let gone = call!(service.get_request_validator(address));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn authorizers() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let create = |authorizer: v1::RestAuthorizer| v1::CreateAuthorizerRequest {
        rest_api_id: api.clone(),
        authorizer: Some(v1::RestAuthorizer {
            identity_source: "method.request.header.Auth".to_owned(),
            ..authorizer
        }),
    };
    let token = v1::RestAuthorizer {
        name: "token".to_owned(),
        r#type: "TOKEN".to_owned(),
        authorizer_uri:
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations".to_owned(),
        authorizer_result_ttl_seconds: Some(0),
        ..Default::default()
    };
    let made = call!(service.create_authorizer(create(token.clone()))).unwrap();
    assert_eq!((made.auth_type.as_str(), made.authorizer_result_ttl_seconds), ("custom", Some(0)));
    let untyped = v1::RestAuthorizer { r#type: String::new(), ..token.clone() };
    let untyped = call!(service.create_authorizer(create(untyped)));
    assert_refused(untyped, Code::InvalidArgument, "ValidationException");
    let too_long = v1::RestAuthorizer { authorizer_result_ttl_seconds: Some(u32::MAX), ..token };
    let too_long = call!(service.create_authorizer(create(too_long)));
    assert_refused(too_long, Code::InvalidArgument, "BadRequestException");

    let configuration = v1::RestJwtConfiguration {
        issuers: vec![v1::RestJwtIssuer {
            issuer: "https://issuer.test/".to_owned(),
            audiences: vec!["a".to_owned()],
            additional_claims: vec![v1::RestJwtClaim {
                claim_name: "c".to_owned(),
                format: "SINGLE_STRING".to_owned(),
                required: true,
                expected_values: vec!["v".to_owned()],
            }],
            jwks_uri: String::new(),
        }],
        default_algorithms: vec!["RS256".to_owned()],
    };
    let jwt = v1::RestAuthorizer {
        name: "jwt".to_owned(),
        r#type: "JWT".to_owned(),
        jwt_configuration: Some(configuration.clone()),
        ..Default::default()
    };
    let jwt = call!(service.create_authorizer(create(jwt))).unwrap();
    assert_eq!(jwt.jwt_configuration, Some(configuration));
    let request = v1::GetAuthorizersRequest { rest_api_id: api.clone(), paging: None };
    assert_eq!(call!(service.get_authorizers(request)).unwrap().items.len(), 2);

    let address =
        v1::AuthorizerAddress { rest_api_id: api.clone(), authorizer_id: made.id.clone() };
    let request = v1::UpdateAuthorizerRequest {
        rest_api_id: api.clone(),
        authorizer_id: made.id.clone(),
        patch_operations: replace("/identityValidationExpression", "[a-z]+"),
    };
    let changed = call!(service.update_authorizer(request)).unwrap();
    assert_eq!(call!(service.get_authorizer(address.clone())).unwrap(), changed);
    for (token, status) in [("", 401), ("UPPER", 401), ("lower", 500)] {
        let pair = v1::Pair { name: "auth".to_owned(), value: token.to_owned() };
        let request = v1::TestInvokeAuthorizerRequest {
            rest_api_id: api.clone(),
            authorizer_id: made.id.clone(),
            headers: vec![pair],
            ..Default::default()
        };
        let tested = call!(service.test_invoke_authorizer(request)).unwrap();
        assert_eq!(tested.client_status, status, "{}", tested.log);
    }
    call!(service.delete_authorizer(address.clone())).unwrap();
    let gone = call!(service.get_authorizer(address));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn gateway_responses() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    let at = |kind: &str| v1::GatewayResponseAddress {
        rest_api_id: api.clone(),
        response_type: kind.to_owned(),
    };
    let all = call!(service.get_gateway_responses(v1::RestApiAddress { rest_api_id: api.clone() }));
    let all = all.unwrap().items;
    assert!(all.len() == 21 && all.iter().all(|one| one.default_response));
    assert!(all.is_sorted_by_key(|one| &one.response_type));

    let request = v1::PutGatewayResponseRequest {
        rest_api_id: api.clone(),
        response_type: "THROTTLED".to_owned(),
        response: Some(v1::RestGatewayResponse { status_code: Some(430), ..Default::default() }),
    };
    let put = call!(service.put_gateway_response(request)).unwrap();
    assert_eq!((put.status_code, put.default_response), (Some(430), false));
    assert_eq!(put.response_templates.len(), 1);
    let request = v1::UpdateGatewayResponseRequest {
        rest_api_id: api.clone(),
        response_type: "DEFAULT_4XX".to_owned(),
        patch_operations: replace("/responseTemplates/application~1json", "{}"),
    };
    let changed = call!(service.update_gateway_response(request)).unwrap();
    assert_eq!(changed.response_templates, map(&[("application/json", "{}")]));
    assert_eq!((changed.status_code, changed.default_response), (None, false));
    assert_eq!(call!(service.get_gateway_response(at("DEFAULT_4XX"))).unwrap(), changed);
    call!(service.delete_gateway_response(at("THROTTLED"))).unwrap();
    let default = call!(service.delete_gateway_response(at("THROTTLED")));
    assert_refused(default, Code::NotFound, "NotFoundException");
    let unknown = call!(service.get_gateway_response(at("X")));
    assert_refused(unknown, Code::InvalidArgument, "ValidationException");
}
