//! What the admin API stores: plain structures in AWS's words, with no HTTP, no SQL and no protobuf.
//!
//! Member names serialise exactly as the admin API spells them and optional members are left out, so one value serves
//! the wire, the store and the canonical JSON of a deployment. Maps are ordered: the same value is always the same bytes.
//!
//! Source: the service model of `apigateway` version 2015-07-09.

mod access_associations;
mod api_keys;
mod authorizers;
mod base_path_mappings;
mod client_certificates;
mod deployments;
mod documentation_parts;
mod documentation_versions;
mod domain_names;
mod gateway_responses;
mod hash;
mod ids;
mod integrations;
mod methods;
mod models;
mod request_validators;
mod resources;
mod rest_apis;
mod settings;
mod snapshot;
mod stages;
mod usage;
mod usage_plans;
mod vpc_links;
mod wire;

pub use access_associations::{AccessAssociationSourceType, DomainNameAccessAssociation};
pub use api_keys::{ApiKey, ApiKeyRecord};
pub use authorizers::{
    AdditionalClaim, Authorizer, AuthorizerType, ClaimFormat, JwtAlgorithm, JwtConfiguration,
    JwtIssuer,
};
pub use base_path_mappings::{BasePathMapping, MappingsOfApi};
pub use client_certificates::{ClientCertificate, ClientCertificateRecord};
pub use deployments::{
    ApiSummary, Deployment, DeploymentCanarySettings, DeploymentRecord, MethodSnapshot,
};
pub use documentation_parts::{
    DocumentationPart, DocumentationPartLocation, DocumentationPartType, InvalidLocation,
    LocationStatus,
};
pub use documentation_versions::{DocumentationVersion, DocumentationVersionRecord};
pub use domain_names::{
    DomainName, DomainNameRecord, DomainNameStatus, MutualTlsAuthentication, ResourceOwner,
    RoutingMode, UploadedCertificate,
};
pub use gateway_responses::{GatewayResponse, ResponseType};
pub use hash::ContentHash;
pub use ids::{
    ApiId, ApiKeyId, AuthorizerId, ClientCertificateId, DeploymentId, DocumentationPartId,
    DomainNameId, HostName, InvalidId, ModelId, RequestValidatorId, ResourceId, StageName,
    UsagePlanId, VpcLinkId,
};
pub use integrations::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType,
    PassthroughBehavior, ResponseTransferMode, Templates, TlsConfig,
};
pub use methods::{AuthorizationType, HttpMethod, Method, MethodResponse, StatusCode};
pub use models::Model;
pub use request_validators::RequestValidator;
pub use resources::Resource;
pub use rest_apis::{
    ApiKeySource, ApiStatus, EndpointAccessMode, EndpointConfiguration, EndpointType,
    IpAddressType, RestApi, SecurityPolicy,
};
pub use settings::{
    ApiLimits, ApiSettings, Cors, LimitProfile, MAX_TIMEOUT_MS, ResponseValidation, ValidationMode,
};
pub use snapshot::Snapshot;
pub use stages::{
    AccessLogSettings, CacheClusterSize, CacheClusterStatus, CanarySettings, LoggingLevel,
    MethodSetting, Stage, StageRecord, UnauthorizedCacheControlHeaderStrategy,
};
pub use usage::{Grant, QuotaPeriod, UNLIMITED, UsageDay, day_of, usage};
pub use usage_plans::{ApiStage, QuotaSettings, ThrottleSettings, UsagePlan, UsagePlanRecord};
pub use vpc_links::{VpcLink, VpcLinkStatus};
pub(crate) use wire::wire_enum;
pub use wire::{Timestamp, UnknownName, WireName};

use std::collections::BTreeMap;

/// String to string, in key order.
pub type StringMap = BTreeMap<String, String>;
