//! ImportRestApi and PutRestApi: what a document says, made to stand in an API.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::rest_apis::{CreateRestApi, EndpointConfigurationInput, policy, rest_api, root};
use super::{
    App, AppError, Draft, Item, Workspace, documentation_parts, integration_responses,
    integrations, resources, settings,
};
use crate::model::{
    ApiId, ApiSettings, AuthorizerId, EndpointType, ModelId, RequestValidatorId, Resource,
    ResourceId, RestApi,
};
use crate::openapi::{self, ImportError, ImportOptions, Imported, ImportedMethod};
use crate::store::keys::Part;

crate::model::wire_enum! {
    /// What happens to what the document does not speak of.
    PutMode { Merge = "merge", Overwrite = "overwrite" }
}

impl App {
    /// ImportRestApi: a new API from a document, and the importer's warnings. `query` is the call's.
    pub async fn import_rest_api(
        &self,
        document: &[u8],
        query: &[(String, String)],
    ) -> Result<(RestApi, Vec<String>), AppError> {
        let id = ApiId::draw(&mut rand::rng());
        let mut imported = self.read(document, id.clone(), query, None)?;
        let mut rest_api = rest_api(described(&imported))?;
        if imported.tags.as_ref().is_some_and(|tags| tags.contains_key("_custom_id_")) {
            // References in models and policies name the API, so the document is read again under the chosen id.
            imported = self.read(document, rest_api.id.clone(), query, None)?;
            rest_api.policy.clone_from(&imported.policy);
        } else {
            rest_api.id = id;
        }
        if let Some(disabled) = imported.endpoint.disable_execute_api_endpoint {
            rest_api.disable_execute_api_endpoint = disabled;
        }
        rest_api.settings = imported.settings.take().filter(|settings| !settings.is_empty());
        let warnings = std::mem::take(&mut imported.warnings);
        let empty = Workspace::new(rest_api.clone(), root(&rest_api));
        let mut draft = Draft::default();
        contents(&empty, imported, PutMode::Overwrite, &mut draft)?;
        let mut items = draft.into_items();
        if !items.iter().any(|item| matches!(item, Item::Resource(resource) if resource.is_root()))
        {
            items.push(Item::Resource(root(&rest_api)));
        }
        Ok((self.insert_api(rest_api, items).await?, warnings))
    }

    /// PutRestApi: an API's new content from a document, and the importer's warnings. `query` is the call's.
    pub async fn put_rest_api(
        &self,
        api: &str,
        mode: PutMode,
        document: &[u8],
        query: &[(String, String)],
    ) -> Result<(RestApi, Vec<String>), AppError> {
        let known = self.workspace(api).await?.rest_api.clone();
        let imported = self.read(document, known.id.clone(), query, known.settings.as_ref())?;
        let changed = self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let changed = members(&workspace.rest_api, &imported, mode);
                contents(workspace, imported.clone(), mode, draft)?;
                if changed != *workspace.rest_api {
                    draft.put(Item::RestApi(changed.clone()));
                }
                Ok(changed)
            },
        );
        Ok((changed.await?, imported.warnings.clone()))
    }

    /// How documents for an API are read where the caller asks for nothing else.
    pub(super) fn import_options(&self, id: ApiId) -> ImportOptions {
        ImportOptions::new(id, &self.settings.region, &self.settings.account_id)
    }

    /// Whether a document brings a resource policy with it, which takes a permission of its own. A document that cannot be
    /// read brings none: importing it will say why.
    pub fn brings_policy(&self, document: &[u8]) -> bool {
        let options = self.import_options(ApiId::draw(&mut rand::rng()));
        openapi::names(document, "x-amazon-apigateway-policy", &options)
    }

    /// Reads a document for an API whose settings are these, unless the document brings its own.
    fn read(
        &self,
        document: &[u8],
        id: ApiId,
        query: &[(String, String)],
        settings: Option<&ApiSettings>,
    ) -> Result<Imported, AppError> {
        let mut options = self.import_options(id);
        for (name, value) in query {
            options
                .set(name, value)
                .map_err(|invalid| AppError::ImportFailed { message: invalid.to_string() })?;
        }
        let imported = openapi::import(document, &options).map_err(|error| match error {
            ImportError::Unparsable => AppError::InvalidDocument,
            other => AppError::ImportFailed { message: other.to_string() },
        })?;
        if let Some(settings) = &imported.settings {
            settings::check(settings, &*self.compiler)?;
        }
        check(&imported, imported.settings.as_ref().or(settings))?;
        let resources = self.settings.limits.resources_per_api;
        if imported.paths.len() > resources {
            return Err(AppError::TooMany { what: "resources" });
        }
        Ok(imported)
    }
}

/// What the calls for single parts check, told of all methods at once.
fn check(imported: &Imported, settings: Option<&ApiSettings>) -> Result<(), AppError> {
    policy(imported.policy.clone())?;
    let mut errors = Vec::new();
    for (path, methods) in &imported.paths {
        for (verb, ImportedMethod { method, .. }) in methods {
            let Some(integration) = &method.method_integration else { continue };
            let checked = integrations::check(integration, method)
                .and_then(|()| integrations::check_timeout(integration, settings));
            if let Err(why) = checked {
                errors.push(format!(
                    "Unable to put integration on '{verb}' for resource at path '{path}': {why}"
                ));
            }
            for response in integration.integration_responses.values() {
                if let Err(why) = integration_responses::check(response, method) {
                    errors.push(format!(
                        "Unable to put integration response on '{verb}' for resource at path '{path}': {why}"
                    ));
                }
            }
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    errors.truncate(openapi::MAX_MESSAGES);
    Err(AppError::ImportFailed { message: ImportError::Errors(errors).to_string() })
}

/// The API a document describes.
fn described(imported: &Imported) -> CreateRestApi {
    CreateRestApi {
        name: imported.name.clone().unwrap_or_default(),
        description: imported.description.clone().filter(|text| !text.is_empty()),
        version: imported.version.clone(),
        binary_media_types: imported.binary_media_types.clone(),
        minimum_compression_size: imported.minimum_compression_size,
        api_key_source: imported.api_key_source,
        endpoint_configuration: Some(EndpointConfigurationInput {
            types: Some(vec![imported.endpoint.kind.unwrap_or(EndpointType::Edge)]),
            ip_address_type: imported.endpoint.ip_address_type,
            vpc_endpoint_ids: imported.endpoint.vpc_endpoint_ids.clone(),
        }),
        policy: imported.policy.clone(),
        tags: imported.tags.clone(),
        security_policy: imported.security_policy,
        endpoint_access_mode: imported.endpoint_access_mode,
        ..CreateRestApi::default()
    }
}

/// The API's own members after a put. The endpoint's type and the tags stay; the name stays unless the document has
/// one. Merge appends binary media types, overwrite replaces them, as recorded. What the API has beyond AWS stays unless the document
/// speaks of it, because documents from AWS never do.
fn members(old: &RestApi, imported: &Imported, mode: PutMode) -> RestApi {
    fn pick<T: Clone>(mode: PutMode, old: &Option<T>, new: &Option<T>) -> Option<T> {
        match mode {
            PutMode::Merge => new.clone().or_else(|| old.clone()),
            PutMode::Overwrite => new.clone(),
        }
    }
    let mut changed = old.clone();
    if let Some(name) = imported.name.clone().filter(|name| !name.is_empty()) {
        changed.name = name;
    }
    changed.description =
        pick(mode, &old.description, &imported.description).filter(|text| !text.is_empty());
    changed.version = pick(mode, &old.version, &imported.version);
    changed.policy = pick(mode, &old.policy, &imported.policy);
    changed.minimum_compression_size =
        pick(mode, &old.minimum_compression_size, &imported.minimum_compression_size);
    changed.security_policy = imported.security_policy.or(old.security_policy);
    changed.endpoint_access_mode = imported.endpoint_access_mode.or(old.endpoint_access_mode);
    if let Some(settings) = &imported.settings {
        changed.settings = Some(settings.clone()).filter(|settings| !settings.is_empty());
    }
    if let Some(source) = imported.api_key_source {
        changed.api_key_source = source;
    }
    let kept = if mode == PutMode::Merge { old.binary_media_types.clone() } else { None };
    let mut types = kept.unwrap_or_default();
    for kind in imported.binary_media_types.iter().flatten() {
        if !types.contains(kind) {
            types.push(kind.clone());
        }
    }
    changed.binary_media_types = Some(types).filter(|types| !types.is_empty());
    if let Some(disabled) = imported.endpoint.disable_execute_api_endpoint {
        changed.disable_execute_api_endpoint = disabled;
    }
    if let Some(ids) = imported.endpoint.vpc_endpoint_ids.clone().filter(|ids| !ids.is_empty()) {
        changed.endpoint_configuration.vpc_endpoint_ids = Some(ids);
    }
    if let Some(kind) =
        imported.endpoint.ip_address_type.filter(|_| !old.endpoint_configuration.is_private())
    {
        changed.endpoint_configuration.ip_address_type = kind;
    }
    changed
}

/// Everything below the API. What has a name or path that is known keeps its id, so that callers' references last.
fn contents(
    workspace: &Workspace,
    imported: Imported,
    mode: PutMode,
    draft: &mut Draft,
) -> Result<(), AppError> {
    let overwrite = mode == PutMode::Overwrite;
    let mut rng = rand::rng();

    for (name, model) in imported.models.clone() {
        let id = workspace
            .models
            .get(&name)
            .map_or_else(|| ModelId::draw(&mut rng), |known| known.id.clone());
        draft.put(Item::Model(model.into_model(id)));
    }
    for name in
        workspace.models.keys().filter(|name| overwrite && !imported.models.contains_key(*name))
    {
        draft.remove(Part::Model, name);
    }

    let mut validators: HashMap<String, RequestValidatorId> = HashMap::new();
    for known in workspace.request_validators.values() {
        let name = known.name.clone().unwrap_or_default();
        if overwrite && !imported.request_validators.contains_key(&name) {
            draft.remove(Part::RequestValidator, known.id.as_str());
        } else {
            validators.insert(name, known.id.clone());
        }
    }
    for (name, validator) in imported.request_validators {
        let id =
            validators.entry(name).or_insert_with(|| RequestValidatorId::draw(&mut rng)).clone();
        draft.put(Item::RequestValidator(validator.into_validator(id)));
    }

    let mut authorizers: HashMap<String, AuthorizerId> = HashMap::new();
    for known in workspace.authorizers.values() {
        if overwrite && !imported.authorizers.contains_key(&known.name) {
            draft.remove(Part::Authorizer, known.id.as_str());
        } else {
            authorizers.insert(known.name.clone(), known.id.clone());
        }
    }
    for (name, authorizer) in imported.authorizers {
        let id = authorizers.entry(name).or_insert_with(|| AuthorizerId::draw(&mut rng)).clone();
        draft.put(Item::Authorizer(authorizer.into_authorizer(id)));
    }

    if let Some(parts) = &imported.documentation {
        documentation_parts::merge(workspace, parts, mode, draft)?;
    }

    for kind in workspace.gateway_responses.keys() {
        if overwrite && !imported.gateway_responses.contains_key(kind) {
            draft.remove(Part::GatewayResponse, &kind.to_string());
        }
    }
    for response in imported.gateway_responses.into_values() {
        draft.put(Item::GatewayResponse(response));
    }

    let known: BTreeMap<&str, &Resource> = workspace
        .resources
        .values()
        .map(|resource| (resource.path.as_str(), &**resource))
        .collect();
    let mut taken: HashSet<ResourceId> = workspace.resources.keys().cloned().collect();
    let mut ids: BTreeMap<String, ResourceId> = BTreeMap::new();
    let mut stays: BTreeMap<String, Resource> = BTreeMap::new();
    for (path, resource) in &known {
        if imported.paths.contains_key(*path) || resource.is_root() || !overwrite {
            ids.insert((*path).to_owned(), resource.id.clone());
            let methods =
                if overwrite { BTreeMap::new() } else { resource.resource_methods.clone() };
            stays.insert(
                (*path).to_owned(),
                Resource { resource_methods: methods, ..Resource::clone(resource) },
            );
        } else {
            draft.remove(Part::Resource, resource.id.as_str());
        }
    }
    // In key order, so a parent has its id before its children ask for it.
    for (path, methods) in imported.paths {
        let resource = match stays.get_mut(&path) {
            Some(resource) => resource,
            None => {
                let (above, part) = path.rsplit_once('/').unwrap_or(("", &path));
                let above = if above.is_empty() { "/" } else { above };
                let parent = ids.get(above).ok_or(AppError::InvalidDocument)?.clone();
                let mut id = ResourceId::draw(&mut rng);
                while !taken.insert(id.clone()) {
                    id = ResourceId::draw(&mut rng);
                }
                ids.insert(path.clone(), id.clone());
                stays.entry(path.clone()).or_insert(Resource {
                    id,
                    parent_id: Some(parent),
                    path_part: Some(part.to_owned()),
                    path: path.clone(),
                    resource_methods: BTreeMap::new(),
                })
            }
        };
        for (verb, method) in methods {
            let mut method = method.into_method(
                |name| authorizers.get(name).cloned(),
                |name| validators.get(name).cloned(),
            );
            if let Some(integration) = &mut method.method_integration {
                integration.cache_namespace.get_or_insert_with(|| resource.id.to_string());
            }
            resource.resource_methods.insert(verb, method);
        }
    }
    resources::check_tree(stays.values())?;
    for (path, resource) in stays {
        if known.get(path.as_str()).is_none_or(|old| **old != resource) {
            draft.put(Item::Resource(resource));
        }
    }
    Ok(())
}
