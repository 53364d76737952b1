//! Extensions at the root of a document: policy, validators, gateway responses, media types, endpoint, documentation.

use serde_json::{Map, Value};

use super::object::{Object, Reader};
use super::operations::status_code;
use super::{Dialect, ImportOptions, Imported, ImportedEndpoint, ImportedPart, ImportedValidator};
use crate::model::{
    ApiSettings, DocumentationPartLocation, GatewayResponse, ResponseType, StringMap, WireName,
};

/// Source: `admin-api` section 15.
pub(super) fn read(
    root: &Object<'_>,
    dialect: Dialect,
    imported: &mut Imported,
    reader: &mut Reader<'_>,
    options: &ImportOptions,
) {
    imported.binary_media_types = root.texts("x-amazon-apigateway-binary-media-types", reader);
    imported.minimum_compression_size = compression(root, reader);
    imported.api_key_source = root.name("x-amazon-apigateway-api-key-source", reader);
    imported.security_policy = root.name("x-amazon-apigateway-security-policy", reader);
    imported.endpoint_access_mode = root.name("x-amazon-apigateway-endpoint-access-mode", reader);
    imported.policy = policy(root, reader, options);
    validators(root, imported, reader);
    gateway_responses(root, imported, reader);
    imported.settings = settings(root, reader);
    imported.endpoint = endpoint(root, dialect, reader, options);
    imported.tags = tags(root, reader);
    if !options.ignore_documentation {
        imported.documentation = Some(documentation(root, reader));
    }
}

fn compression(root: &Object<'_>, reader: &mut Reader<'_>) -> Option<i64> {
    let size = root.integer("x-amazon-apigateway-minimum-compression-size", reader)?;
    if !(0..=MAX_COMPRESSION_SIZE).contains(&size) {
        reader.error(format!(
            "Invalid minimum compression size, must be between 0 and {MAX_COMPRESSION_SIZE}"
        ));
    }
    Some(size)
}

/// The policy as JSON text. A policy given as text is read first, so that both come out alike.
fn policy(root: &Object<'_>, reader: &mut Reader<'_>, options: &ImportOptions) -> Option<String> {
    let mut policy = match root.get("x-amazon-apigateway-policy")? {
        Value::Object(map) => Value::Object(map.clone()),
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        _ => Value::Null,
    };
    if !policy.is_object() {
        reader.error("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.");
        return None;
    }
    let ImportOptions { partition, region, account_id, api_id, .. } = options;
    let arn = format!("arn:{partition}:execute-api:{region}:{account_id}:{api_id}/");
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(list)) => list.as_mut_slice(),
        Some(statement) => std::slice::from_mut(statement),
        None => &mut [],
    };
    for statement in statements {
        for key in ["Resource", "NotResource"] {
            let resources = match statement.get_mut(key) {
                Some(Value::Array(list)) => list.as_mut_slice(),
                Some(resource) => std::slice::from_mut(resource),
                None => continue,
            };
            for resource in resources {
                if let Some(rest) =
                    resource.as_str().and_then(|text| text.strip_prefix("execute-api:/"))
                {
                    *resource = Value::String(format!("{arn}{rest}"));
                }
            }
        }
    }
    Some(policy.to_string())
}

fn validators(root: &Object<'_>, imported: &mut Imported, reader: &mut Reader<'_>) {
    for (name, validator) in root.objects("x-amazon-apigateway-request-validators", reader) {
        let validator = ImportedValidator {
            name: name.to_owned(),
            validate_request_body: validator
                .boolean("validateRequestBody", reader)
                .unwrap_or(false),
            validate_request_parameters: validator
                .boolean("validateRequestParameters", reader)
                .unwrap_or(false),
        };
        imported.request_validators.insert(name.to_owned(), validator);
    }
}

/// What the API has beyond AWS, in its structure; what it means is checked where all settings are.
fn settings(root: &Object<'_>, reader: &mut Reader<'_>) -> Option<ApiSettings> {
    let given = root.object("x-tidegate-settings", reader)?;
    match serde_json::from_value(given.to_value()) {
        Ok(settings) => Some(settings),
        Err(why) => {
            reader.error(format!("attribute x-tidegate-settings: {why}"));
            None
        }
    }
}

/// What a document leaves out of a gateway response has AWS's default, as in PutGatewayResponse. Types that AWS does not have stand
/// apart, so that AWS takes the rest.
fn gateway_responses(root: &Object<'_>, imported: &mut Imported, reader: &mut Reader<'_>) {
    let aws = root.objects("x-amazon-apigateway-gateway-responses", reader);
    let own = root.objects("x-tidegate-gateway-responses", reader);
    let all = aws.into_iter().map(|one| (true, one)).chain(own.into_iter().map(|one| (false, one)));
    for (aws, (name, response)) in all {
        let known = ResponseType::from_name(name).filter(|kind| kind.is_aws() == aws);
        let Some(response_type) = known else {
            reader.error(format!("Invalid gateway response type specified: {name}"));
            continue;
        };
        let mut read = GatewayResponse::default_for(response_type);
        read.default_response = false;
        if let Some(value) = response.get("statusCode") {
            // Exports of DEFAULT_4XX and DEFAULT_5XX say "DEFAULT" where there is no status.
            read.status_code = status_code(value).or(read.status_code);
            if status_code(value).is_none() && value.as_str().is_none_or(|text| text != "DEFAULT") {
                reader.error(format!(
                    "attribute {} is not a status code",
                    response.place_of("statusCode")
                ));
            }
        }
        if let Some(parameters) = response.text_map("responseParameters", reader) {
            read.response_parameters = parameters;
        }
        if let Some(templates) = response.text_map("responseTemplates", reader) {
            read.response_templates = templates;
        }
        imported.gateway_responses.insert(response_type, read);
    }
}

/// At the root in Swagger, in a server in OpenAPI; both places are read, since both are seen in the wild.
fn endpoint(
    root: &Object<'_>,
    dialect: Dialect,
    reader: &mut Reader<'_>,
    options: &ImportOptions,
) -> ImportedEndpoint {
    const KEY: &str = "x-amazon-apigateway-endpoint-configuration";
    let mut owners = match dialect {
        Dialect::Swagger2 => Vec::new(),
        Dialect::OpenApi3 => root.list_of_objects("servers", reader),
    };
    owners.push(root.clone());
    let mut stated = owners.iter().filter(|owner| owner.has(KEY));
    let configuration = stated.next().and_then(|owner| owner.object(KEY, reader));
    if stated.next().is_some() {
        reader.warn("More than one endpoint configuration provided. Ignoring all but the first.");
    }
    let mut endpoint =
        ImportedEndpoint { kind: options.endpoint_type, ..ImportedEndpoint::default() };
    if let Some(configuration) = configuration {
        endpoint.disable_execute_api_endpoint =
            configuration.boolean("disableExecuteApiEndpoint", reader);
        endpoint.vpc_endpoint_ids = configuration.texts("vpcEndpointIds", reader);
        endpoint.ip_address_type = configuration.name("ipAddressType", reader);
    }
    if options.vpc_endpoint_ids.is_some() {
        endpoint.vpc_endpoint_ids.clone_from(&options.vpc_endpoint_ids);
    }
    endpoint
}

/// Entries without a value are documentation for most authors, so only those with one become tags.
fn tags(root: &Object<'_>, reader: &mut Reader<'_>) -> Option<StringMap> {
    let mut tags = StringMap::new();
    for tag in root.list_of_objects("tags", reader) {
        if let Some(value) = tag.text("x-amazon-apigateway-tag-value", reader)
            && let Some(name) = tag.text("name", reader)
        {
            tags.insert(name, value);
        }
    }
    (!tags.is_empty()).then_some(tags)
}

/// The parts of the documentation; none without the extension.
pub(super) fn documentation(root: &Object<'_>, reader: &mut Reader<'_>) -> Vec<ImportedPart> {
    let Some(extension) = root.object("x-amazon-apigateway-documentation", reader) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for part in extension.list_of_objects("documentationParts", reader) {
        let location = location(&part, reader);
        // An object here, though a text in the calls for single parts; both are seen.
        let properties = match part.get("properties") {
            None => Some(Map::new()),
            Some(Value::Object(properties)) => Some(properties.clone()),
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            Some(_) => None,
        };
        if properties.is_none() {
            reader.wrong_type(&part.place_of("properties"), "object");
        }
        if let (Some(location), Some(properties)) = (location, properties) {
            parts.push(ImportedPart { location, properties });
        }
    }
    parts
}

fn location(part: &Object<'_>, reader: &mut Reader<'_>) -> Option<DocumentationPartLocation> {
    let Some(stated) = part.object("location", reader).filter(|location| location.has("type"))
    else {
        reader.error(format!("attribute {}.location.type is missing", part.place()));
        return None;
    };
    let location = DocumentationPartLocation {
        kind: stated.name("type", reader)?,
        path: stated.text("path", reader),
        method: stated.text("method", reader),
        status_code: stated.text("statusCode", reader),
        name: stated.text("name", reader),
    };
    match location.check() {
        Ok(()) => Some(location),
        Err(why) => {
            reader.error(format!("attribute {} is invalid: {why}", stated.place()));
            None
        }
    }
}

/// Bytes. Source: `admin-api` section 15.
const MAX_COMPRESSION_SIZE: i64 = 10_485_760;
