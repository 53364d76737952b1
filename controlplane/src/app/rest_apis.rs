//! REST APIs: create, show, change, delete.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Item, Page, Paging, Workspace, models, now, settings, tags};
use crate::model::{
    ApiId, ApiKeySource, ContentHash, DocumentationPart, EndpointAccessMode, EndpointConfiguration,
    EndpointType, IpAddressType, Model, Resource, ResourceId, RestApi, SecurityPolicy, StringMap,
    WireName,
};
use crate::store::{Change, ChangeKind, Expect, Operation, keys};

/// What CreateRestApi is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is RestApi's of its name")]
pub struct CreateRestApi {
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    /// Another API whose configuration is copied.
    pub clone_from: Option<String>,
    pub binary_media_types: Option<Vec<String>>,
    pub minimum_compression_size: Option<i64>,
    pub api_key_source: Option<ApiKeySource>,
    pub endpoint_configuration: Option<EndpointConfigurationInput>,
    pub policy: Option<String>,
    /// The tag `_custom_id_` picks the id.
    pub tags: Option<StringMap>,
    pub disable_execute_api_endpoint: bool,
    pub security_policy: Option<SecurityPolicy>,
    pub endpoint_access_mode: Option<EndpointAccessMode>,
}

/// An endpoint configuration as given: everything may be missing.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is EndpointConfiguration's of its name")]
pub struct EndpointConfigurationInput {
    pub types: Option<Vec<EndpointType>>,
    pub ip_address_type: Option<IpAddressType>,
    pub vpc_endpoint_ids: Option<Vec<String>>,
}

impl App {
    /// CreateRestApi: the API, its root resource and two models.
    pub async fn create_rest_api(&self, input: CreateRestApi) -> Result<RestApi, AppError> {
        let source = match input.clone_from.as_deref() {
            Some(source) => {
                Some(self.workspace(source).await.map_err(|_| AppError::InvalidCloneSource)?)
            }
            None => None,
        };
        let mut rest_api = rest_api(input)?;
        let items = match &source {
            Some(source) => {
                // What is copied may need them.
                rest_api.settings.clone_from(&source.rest_api.settings);
                cloned(source, &rest_api)
            }
            None => {
                let mut items = vec![Item::Resource(root(&rest_api))];
                items.extend(models::defaults().map(Item::Model));
                items
            }
        };
        self.insert_api(rest_api, items).await
    }

    /// Stores an API that was not there, with all it starts with.
    pub(super) async fn insert_api(
        &self,
        rest_api: RestApi,
        items: Vec<Item>,
    ) -> Result<RestApi, AppError> {
        let id = rest_api.id.as_str();
        let mut operation =
            Operation { expect: vec![Expect::Absent(keys::version(id))], ..Operation::default() };
        let row = Item::RestApi(rest_api.clone()).row(id);
        operation.changes.push(Change {
            key: keys::change::api(&rest_api.id),
            kind: ChangeKind::Api,
            digest: Some(ContentHash::of(&row.1)),
        });
        // Drawn, so that an API which comes back under a chosen id never repeats a version of the one before.
        operation.puts.push((keys::version(id), rand::random::<[u8; 8]>().to_vec()));
        operation.puts.push(row);
        operation.puts.extend(items.iter().map(|item| item.row(id)));
        match self.store.commit(vec![operation]).await?.pop() {
            Some(Ok(_)) => Ok(rest_api),
            _ => Err(AppError::ApiIdTaken { id: rest_api.id.to_string() }),
        }
    }

    /// GetRestApi.
    pub async fn get_rest_api(&self, api: &str) -> Result<RestApi, AppError> {
        self.rest_api_row(api).await
    }

    /// GetRestApis, in the order of their ids.
    pub async fn get_rest_apis(&self, paging: &Paging) -> Result<Page<RestApi>, AppError> {
        let after = paging.after()?.map(|after| keys::api(&after));
        let rows = self.store.scan(keys::APIS, after.as_deref(), paging.size() + 1).await?;
        let apis: Vec<RestApi> =
            rows.iter().map(super::workspace::decode).collect::<Result<_, _>>()?;
        Ok(paging.cut(apis.into_iter().map(|api| (api.id.to_string(), api))))
    }

    /// UpdateRestApi.
    pub async fn update_rest_api(
        &self,
        api: &str,
        patch: &[PatchOperation],
    ) -> Result<RestApi, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let mut changed = RestApi::clone(&workspace.rest_api);
                for operation in patch {
                    apply(&mut changed, operation)?;
                }
                if let Some(settings) = &changed.settings
                    && changed.settings != workspace.rest_api.settings
                {
                    settings::check(settings, &*self.compiler)?;
                }
                if changed != *workspace.rest_api {
                    draft.put(Item::RestApi(changed.clone()));
                }
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteRestApi, with everything in it. Refused while a custom domain names it; usage plans no longer cover its stages.
    pub async fn delete_rest_api(&self, api: &str) -> Result<(), AppError> {
        let (domains, unmapped) = self.domains_that_map(api, None).await?;
        if !domains.is_empty() {
            let domains = domains.join(", ");
            return Err(AppError::RestApiMapped { api: api.to_owned(), domains });
        }
        self.remove_stages(api, |workspace, draft| {
            draft.expect(unmapped.clone());
            draft.delete_api();
            Ok(workspace.stages.keys().cloned().collect())
        })
        .await
    }
}

/// The API a caller describes, checked.
pub(super) fn rest_api(input: CreateRestApi) -> Result<RestApi, AppError> {
    if input.name.is_empty() {
        return Err(AppError::EmptyName);
    }
    if input.description.as_deref() == Some("") {
        return Err(AppError::EmptyDescription);
    }
    let endpoint_configuration = endpoint_configuration(input.endpoint_configuration)?;
    if let Some(size) = input.minimum_compression_size {
        compression_size(size)?;
    }
    let tags = input.tags.filter(|tags| !tags.is_empty());
    tags.iter().try_for_each(tags::check)?;
    let mut rng = rand::rng();
    let id = match tags.as_ref().and_then(|tags| tags.get(CUSTOM_ID)) {
        Some(id) => ApiId::parse(id).map_err(|_| AppError::InvalidCustomId { id: id.clone() })?,
        None => ApiId::draw(&mut rng),
    };
    Ok(RestApi {
        id,
        name: input.name,
        description: input.description,
        created_date: now(),
        version: input.version,
        binary_media_types: input.binary_media_types.filter(|types| !types.is_empty()),
        minimum_compression_size: input.minimum_compression_size,
        api_key_source: input.api_key_source.unwrap_or(ApiKeySource::Header),
        endpoint_configuration,
        policy: policy(input.policy)?,
        tags,
        disable_execute_api_endpoint: input.disable_execute_api_endpoint,
        root_resource_id: ResourceId::draw_root(&mut rng),
        security_policy: input.security_policy,
        endpoint_access_mode: input.endpoint_access_mode,
        settings: None,
    })
}

/// The resource `/` of a new API.
pub(super) fn root(rest_api: &RestApi) -> Resource {
    Resource {
        id: rest_api.root_resource_id.clone(),
        parent_id: None,
        path_part: None,
        path: "/".to_owned(),
        resource_methods: Default::default(),
    }
}

/// All of another API's configuration. Ids are unique within an API only, so they may stay, but for the root's.
fn cloned(source: &Workspace, into: &RestApi) -> Vec<Item> {
    let snapshot = source.snapshot();
    let parts = source.documentation_parts.values();
    let old_root = &source.rest_api.root_resource_id;
    let resources = snapshot.resources.into_iter().map(|mut resource| {
        if &resource.id == old_root {
            resource.id = into.root_resource_id.clone();
        }
        if resource.parent_id.as_ref() == Some(old_root) {
            resource.parent_id = Some(into.root_resource_id.clone());
        }
        Item::Resource(resource)
    });
    resources
        .chain(snapshot.models.into_iter().map(|model| Item::Model(Model { ..model })))
        .chain(snapshot.request_validators.into_iter().map(Item::RequestValidator))
        .chain(snapshot.authorizers.into_iter().map(Item::Authorizer))
        .chain(snapshot.gateway_responses.into_iter().map(Item::GatewayResponse))
        .chain(parts.map(|part| Item::DocumentationPart(DocumentationPart::clone(part))))
        .collect()
}

/// An endpoint configuration with AWS's defaults.
pub(super) fn endpoint_configuration(
    input: Option<EndpointConfigurationInput>,
) -> Result<EndpointConfiguration, AppError> {
    let Some(input) = input else { return Ok(EndpointConfiguration::of(EndpointType::Edge)) };
    let kind = match input.types.as_deref() {
        None => EndpointType::Edge,
        Some([]) => return Err(AppError::NoEndpointType),
        Some([kind]) => *kind,
        Some(_) => return Err(AppError::MultipleEndpointTypes),
    };
    let mut configuration = EndpointConfiguration::of(kind);
    if let Some(wanted) = input.ip_address_type {
        if kind == EndpointType::Private && wanted == IpAddressType::Ipv4 {
            return Err(AppError::PrivateNeedsDualstack);
        }
        configuration.ip_address_type = wanted;
    }
    configuration.vpc_endpoint_ids = input.vpc_endpoint_ids.filter(|ids| !ids.is_empty());
    Ok(configuration)
}

/// A policy is JSON of at most 8,192 characters; empty text clears it.
pub(super) fn policy(text: Option<String>) -> Result<Option<String>, AppError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let is_object = |text: &str| serde_json::from_str::<serde_json::Map<_, _>>(text).is_ok();
    if text.chars().count() > 8_192 || !is_object(&text) {
        return Err(AppError::InvalidPolicy);
    }
    Ok(Some(text))
}

fn compression_size(size: i64) -> Result<i64, AppError> {
    if (0..=10_485_760).contains(&size) { Ok(size) } else { Err(AppError::InvalidCompressionSize) }
}

/// One step of UpdateRestApi. Source: `admin-api` section 6.1.
fn apply(api: &mut RestApi, operation: &PatchOperation) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["description"] if operation.op == PatchOp::Remove => api.description = None,
        ["name"] => {
            operation.replace_only()?;
            api.name = operation.nullable().ok_or(AppError::EmptyName)?;
        }
        ["description"] => {
            operation.replace_only()?;
            api.description = operation.nullable();
        }
        ["version"] => {
            operation.replace_only()?;
            api.version = operation.nullable();
        }
        ["apiKeySource"] => {
            operation.replace_only()?;
            let named = operation.value.as_deref().and_then(ApiKeySource::from_name);
            api.api_key_source = named.ok_or(AppError::InvalidApiKeySource)?;
        }
        ["policy"] => {
            operation.replace_only()?;
            api.policy = policy(operation.nullable())?;
        }
        ["minimumCompressionSize"] => {
            operation.replace_only()?;
            api.minimum_compression_size = match operation.nullable() {
                Some(text) => Some(compression_size(
                    text.parse().map_err(|_| AppError::InvalidCompressionSize)?,
                )?),
                None => None,
            };
        }
        ["disableExecuteApiEndpoint"] => {
            operation.replace_only()?;
            api.disable_execute_api_endpoint = operation.flag();
        }
        ["securityPolicy"] => {
            operation.replace_only()?;
            api.security_policy = Some(operation.one_of()?);
        }
        ["endpointAccessMode"] => {
            operation.replace_only()?;
            api.endpoint_access_mode = Some(operation.one_of()?);
        }
        ["tidegate", member] => settings::apply(api, operation, member)?,
        ["binaryMediaTypes", kind] => binary_media_type(api, operation, kind)?,
        ["endpointConfiguration", "types", ..] if parts.len() <= 3 => {
            endpoint_type(api, operation)?;
        }
        ["endpointConfiguration", "ipAddressType"] => {
            operation.replace_only()?;
            let named = operation.value.as_deref().and_then(IpAddressType::from_name);
            let named = named.ok_or(AppError::InvalidIpAddressType)?;
            if api.endpoint_configuration.is_private() && named == IpAddressType::Ipv4 {
                return Err(AppError::PrivateNeedsDualstack);
            }
            api.endpoint_configuration.ip_address_type = named;
        }
        ["endpointConfiguration", "vpcEndpointIds"] => {
            let value = operation.value()?.to_owned();
            let ids = api.endpoint_configuration.vpc_endpoint_ids.get_or_insert_default();
            match operation.op {
                PatchOp::Add if !ids.contains(&value) => ids.push(value),
                PatchOp::Add => {}
                PatchOp::Remove => ids.retain(|id| *id != value),
                _ => return Err(operation.bad_path()),
            }
            if ids.is_empty() {
                api.endpoint_configuration.vpc_endpoint_ids = None;
            }
        }
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}

/// Entries are addressed by value; replace takes the entry out and appends the new value, as recorded.
fn binary_media_type(
    api: &mut RestApi,
    operation: &PatchOperation,
    kind: &str,
) -> Result<(), AppError> {
    let mut types = api.binary_media_types.take().unwrap_or_default();
    match operation.op {
        PatchOp::Add if types.iter().any(|known| known == kind) => {}
        PatchOp::Add => types.push(kind.to_owned()),
        PatchOp::Remove => types.retain(|known| known != kind),
        PatchOp::Replace => {
            let value = operation.value()?.to_owned();
            types.retain(|known| known != kind && *known != value);
            types.push(value);
        }
        _ => return Err(operation.bad_path()),
    }
    api.binary_media_types = Some(types).filter(|types| !types.is_empty());
    Ok(())
}

/// There is exactly one type, so every op that names one sets it; PRIVATE brings its address type along.
fn endpoint_type(api: &mut RestApi, operation: &PatchOperation) -> Result<(), AppError> {
    let named = operation.value.as_deref().and_then(EndpointType::from_name);
    match operation.op {
        PatchOp::Replace | PatchOp::Add => {
            let kind = named.ok_or(AppError::InvalidEndpointType)?;
            api.endpoint_configuration.types = vec![kind];
            if kind == EndpointType::Private {
                api.endpoint_configuration.ip_address_type = IpAddressType::Dualstack;
            }
            Ok(())
        }
        PatchOp::Remove => Err(AppError::NoEndpointType),
        _ => Err(AppError::PatchOpOfTypes),
    }
}

/// The tag that picks an API's id, an idiom of emulators that test suites rely on.
const CUSTOM_ID: &str = "_custom_id_";
