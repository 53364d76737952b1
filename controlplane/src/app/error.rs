//! Why an operation was refused, with AWS's texts: the one place where they are written.
//!
//! Texts are from AWS's recorded answers where those are known (`admin-api` section 3); the rest follow their style.

use crate::model::EndpointType;
use crate::model::InvalidLocation;
use crate::store::StoreError;

/// Whose fault it is and in which way; protocols map it to their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller asked for something that makes no sense.
    BadRequest,
    /// What was named is not there.
    NotFound,
    /// It is there already, is in use, or someone else was faster.
    Conflict,
    /// There may be no more of it.
    LimitExceeded,
    /// We are busy; try again.
    Unavailable,
    /// Ours.
    Internal,
}

/// Declares the errors with fault and text in one line each.
macro_rules! errors {
    ($($(#[$meta:meta])* $fault:ident $variant:ident $({ $($field:ident: $type:ty),+ })? => $text:literal;)+) => {
        /// Why an operation was refused.
        #[derive(Debug, thiserror::Error)]
        pub enum AppError {
            $($(#[$meta])* #[error($text)] $variant $({ $(#[allow(missing_docs)] $field: $type),+ })?,)+
            /// The store could not do its work.
            #[error("Internal server error")]
            Store(#[from] StoreError),
        }

        impl AppError {
            /// Whose fault it is.
            pub fn fault(&self) -> Fault {
                match self {
                    $(Self::$variant { .. } => Fault::$fault,)+
                    Self::Store(StoreError::Busy) => Fault::Unavailable,
                    Self::Store(_) => Fault::Internal,
                }
            }
        }
    };
}

errors! {
    /// Unknown API, in most families.
    NotFound InvalidApi { account: String, api: String } => "Invalid API identifier specified {account}:{api}";
    /// Unknown resource, or unknown API in calls below a resource.
    NotFound InvalidResource => "Invalid Resource identifier specified";
    /// Unknown method.
    NotFound InvalidMethod => "Invalid Method identifier specified";
    /// Unknown integration.
    NotFound InvalidIntegration => "Invalid Integration identifier specified";
    /// Unknown method or integration response.
    NotFound InvalidStatusCode => "Invalid Response status code specified";
    /// Unknown stage.
    NotFound InvalidStage => "Invalid Stage identifier specified";
    /// Unknown deployment in its own calls.
    NotFound InvalidDeployment => "Invalid Deployment identifier specified";
    /// PATCH of a parameter that is not there.
    NotFound InvalidParameterName => "Invalid parameter name specified";
    /// PATCH of a content type that is not there.
    NotFound ContentTypeNotFound => "Content-Type specified was not found";
    /// A tag call on something that cannot be tagged or is not there.
    NotFound InvalidTagResource { arn: String } => "Invalid resource identifier specified: {arn}";

    /// Unknown custom domain, or a private one without its id.
    NotFound InvalidDomainName => "Invalid domain name identifier specified";
    /// Unknown base path.
    NotFound InvalidBasePathMapping => "Invalid base path mapping identifier specified";
    /// Unknown access association.
    NotFound InvalidAccessAssociation => "Invalid domain name access association identifier specified";
    /// Unknown VPC link.
    NotFound InvalidVpcLink => "Invalid Vpc Link identifier specified";
    /// Unknown client certificate.
    NotFound InvalidClientCertificate => "Invalid Client Certificate identifier specified";
    /// CreateDomainName twice.
    Conflict DomainNameExists => "The domain name you provided already exists.";
    /// CreateBasePathMapping twice, or a move onto another.
    Conflict BasePathExists => "Base path already exists for this domain name";
    /// CreateDomainNameAccessAssociation twice.
    Conflict AccessAssociationExists =>
        "A domain name access association already exists between this domain name and access association source";
    /// A name that is no host name.
    BadRequest InvalidHostName { name: String } =>
        "Invalid domain name specified: {name}. A domain name has lower-case letters, digits, hyphens and dots, and may start with *.";
    /// An endpoint without its certificate. Text seen in provider issues.
    BadRequest CertificateMissing { kind: EndpointType } => "A certificate was not provided for the endpoint type {kind}.";
    /// An uploaded certificate or key that cannot be used.
    BadRequest InvalidCertificate { member: &'static str, reason: &'static str } => "Invalid {member} specified: {reason}";
    /// A policy on a public domain.
    BadRequest PolicyOfPublicDomain { member: &'static str } => "{member} is only supported for private custom domain names";
    /// `endpointAccessMode` without a policy that knows it.
    BadRequest EndpointAccessModeUnsupported =>
        "endpointAccessMode is only supported with security policies that start with SecurityPolicy_";
    /// Mutual TLS on another endpoint than REGIONAL.
    BadRequest MutualTlsUnsupported => "Mutual TLS authentication is only supported for REGIONAL custom domain names";
    /// A trust store that is not in S3.
    BadRequest InvalidTruststoreUri { uri: String } =>
        "Invalid truststoreUri specified: {uri}. A truststoreUri has the form s3://bucket-name/key-name";
    /// PATCH between private and public.
    BadRequest PrivateDomainIsFixed => "The endpoint type of a custom domain name cannot be changed to or from PRIVATE";
    /// DeleteDomainName while VPC endpoints may reach it.
    BadRequest DomainNameInUse { name: String, sources: String } =>
        "Cannot delete domain name. Domain name '{name}' has domain name access associations with [{sources}]";
    /// A slash in a base path.
    BadRequest BasePathWithSlash => "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.";
    /// Other characters in a base path, or too many.
    BadRequest InvalidBasePath =>
        "Invalid base path specified. Base paths only allow a-zA-Z0-9 and $-_.+!*'() and at most 300 characters";
    /// A mapping to no API.
    BadRequest InvalidMappedApi => "Invalid REST API identifier specified";
    /// A mapping to no stage.
    BadRequest InvalidMappedStage => "Invalid stage identifier specified";
    /// A private API behind a public domain or the other way round.
    BadRequest MappedAcrossPrivacy =>
        "Private APIs can only be mapped to private custom domain names, and other APIs only to public ones";
    /// DeleteRestApi of one that domains name. Text seen in provider issues.
    BadRequest RestApiMapped { api: String, domains: String } =>
        "Deleting RestApi {api} failed. Please remove all base path mappings related to the RestApi in your domains: {domains}";
    /// DeleteStage of one that domains name. Text seen in provider issues.
    BadRequest StageMapped { stage: String, domains: String } =>
        "Deleting stage {stage} failed. Please remove all base path mappings related to the stage in your domains: {domains}";
    /// An access association with something that is no private domain.
    BadRequest AssociationOfPublicDomain =>
        "Domain name access associations are only supported for private custom domain names";
    /// An access association with something that is no VPC endpoint.
    BadRequest InvalidAccessAssociationSource { source_id: String } =>
        "Invalid access association source specified: {source_id}. For VPCE, it is the id of a VPC endpoint";
    /// No target, or several. The second text was seen in provider issues.
    BadRequest NoVpcLinkTarget => "No target arn specified for vpc link.";
    /// See above.
    BadRequest ManyVpcLinkTargets => "More than one target arn specified for vpc link.";
    /// A target that is no ARN.
    BadRequest MalformedArn { arn: String } => "Invalid ARN. ARN is not well formed {arn}";
    /// A tag `tidegate:targets` that names none. Ours: AWS has load balancers there.
    BadRequest InvalidVpcLinkTargets { cause: tidegate_engine::snapshot::BadTarget } =>
        "Invalid tag value specified: tidegate:targets: {cause}";
    /// PATCH of targets. Text seen in provider issues.
    BadRequest VpcLinkTargetsAreFixed => "Target arns are not allowed to be changed/added.";
    /// DeleteVpcLink while methods use it. Text seen in provider issues.
    BadRequest VpcLinkInUse { id: String, uses: String, form: &'static str } =>
        "Cannot delete vpc link. Vpc link '{id}', is referenced in [{uses}] in format of [{form}].";
    /// DeleteClientCertificate while stages use it.
    BadRequest ClientCertificateInUse { id: String, uses: String } =>
        "Cannot delete client certificate. Client certificate '{id}', is referenced in [{uses}] in format of [RESTApiId:Stage].";
    /// The random source or the certificate library failed.
    Internal CertificateNotMade => "Internal server error";
    /// Unknown model, or unknown API in calls on one.
    NotFound InvalidModelName { name: String } => "Invalid model name specified: {name}";
    /// Unknown validator, or unknown API in calls on one.
    NotFound InvalidValidator => "Invalid Request Validator identifier specified";
    /// Unknown authorizer.
    NotFound UnknownAuthorizer => "Invalid Authorizer identifier specified";
    /// DeleteGatewayResponse of a default one.
    NotFound GatewayResponseNotDefined => "Gateway response type not defined on api";
    /// Unknown API key, or one that is not in the usage plan.
    NotFound InvalidApiKey => "Invalid API Key identifier specified";
    /// Unknown usage plan.
    NotFound InvalidUsagePlan => "Invalid Usage Plan ID specified";
    /// A usage plan is to cover a stage that is not there.
    NotFound ApiStageNotFound { api: String, stage: String } => "API Stage not found: {api}:{stage}";
    /// A usage plan does not cover the stage.
    NotFound NotInUsagePlan { api: String, stage: String, plan: String } =>
        "Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan}";

    /// A genuine write race.
    Conflict ConcurrentModification =>
        "Unable to complete operation due to concurrent modification. Please try again later.";
    /// A chosen API id is taken.
    Conflict ApiIdTaken { id: String } => "The API identifier {id} is already in use";
    /// A sibling has the name.
    Conflict SiblingName { part: String } => "Another resource with the same parent already has this name: {part}";
    /// PutMethod twice.
    Conflict MethodExists => "Method already exists for this resource";
    /// PutMethodResponse twice.
    Conflict ResponseExists => "Response already exists for this resource";
    /// CreateStage twice.
    Conflict StageExists => "Stage already exists";

    /// CreateModel twice.
    Conflict ModelExists => "Model name already exists for this REST API";
    /// DeleteModel while `by`, such as `method request: /pets/GET`, names it.
    Conflict ModelInUse { name: String, by: String } => "Cannot delete model '{name}', is referenced in {by}";
    /// DeleteAuthorizer while a method, `{verb}/{path}`, names it.
    Conflict AuthorizerInUse { name: String, method: String } =>
        "Cannot delete authorizer '{name}', is referenced in method: {method}";
    /// DeleteRequestValidator while methods, each `{path}/{verb}`, name it.
    Conflict ValidatorInUse { name: String, methods: String } =>
        "Cannot delete request validator '{name}', is referenced in method request: {methods}";

    /// The value of an API key is taken.
    Conflict ApiKeyExists => "API Key already exists";
    /// CreateUsagePlanKey twice.
    Conflict UsagePlanKeyExists { key: String, plan: String } =>
        "API Key {key} is already associated with Usage Plan {plan}";
    /// One key with two usage plans for one stage; the words are the Developer Guide's.
    Conflict UsagePlansOverlap { key: String, plan: String, other: String, api: String, stage: String } =>
        "API Key {key} can only be associated with one usage plan for each API stage: Usage Plan {plan} and Usage Plan {other} both include API Stage {api}:{stage}";

    /// Too many of something that an account, a key or a usage plan has.
    LimitExceeded TooManyOf { what: &'static str, of: &'static str } =>
        "Maximum number of {what} for this {of} has been reached. Please contact your administrator if you need additional {what}.";
    /// Too many of something.
    LimitExceeded TooMany { what: &'static str } =>
        "Maximum number of {what} for this API has been reached. Please contact your administrator if you need additional {what}.";

    /// A referenced deployment is not there.
    BadRequest DeploymentDoesNotExist => "Deployment id does not exist";
    /// `description: ""` at creation.
    BadRequest EmptyDescription => "Description cannot be an empty string";
    /// More than one type.
    BadRequest MultipleEndpointTypes => "Cannot create an api with multiple Endpoint Types.";
    /// `types: []`.
    BadRequest NoEndpointType => "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.";
    /// PATCH with an unknown type.
    BadRequest InvalidEndpointType => "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE";
    /// PRIVATE with `ipv4`.
    BadRequest PrivateNeedsDualstack => "Only dualstack ipAddressType is supported for Private APIs.";
    /// PATCH with an unknown address type.
    BadRequest InvalidIpAddressType => "ipAddressType must be either ipv4 or dualstack.";
    /// Out of range or no number.
    BadRequest InvalidCompressionSize => "Invalid minimum compression size, must be between 0 and 10485760";
    /// PATCH with an unknown source.
    BadRequest InvalidApiKeySource => "Invalid API key source specified. Valid options are HEADER,AUTHORIZER";
    /// A name is missing.
    BadRequest EmptyName => "Name cannot be empty";
    /// A policy that is no JSON, or too long.
    BadRequest InvalidPolicy => "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.";
    /// A custom id with other characters.
    BadRequest InvalidCustomId { id: String } => "Invalid custom API identifier specified: {id}";
    /// cloneFrom names nothing.
    BadRequest InvalidCloneSource => "Invalid cloneFrom API identifier specified";

    /// Move below itself.
    BadRequest CyclicalResources => "Resources cannot be cyclical.";
    /// PATCH of the root's part.
    BadRequest RootPathPart => "Root resource cannot update its pathPart.";
    /// PATCH of the root's parent.
    BadRequest RootParent => "Root resource cannot update its parentId.";
    /// DELETE of the root.
    BadRequest RootDelete => "Root resource cannot be deleted.";
    /// A second variable part.
    BadRequest VariableSibling { sibling: String } =>
        "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed";
    /// A child of `{name+}`.
    BadRequest ChildOfGreedy { parent: String } =>
        "Cannot create a child of a resource with a greedy path variable: {parent}";
    /// Other characters.
    BadRequest InvalidPathPart =>
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.";

    /// An unknown verb.
    BadRequest InvalidHttpMethod =>
        "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY";
    /// An unknown authorization type.
    BadRequest InvalidAuthorizationType =>
        "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS,JWT";
    /// The type needs an authorizer.
    BadRequest InvalidAuthorizer =>
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.";
    /// A method names an unknown validator.
    BadRequest InvalidValidatorReference => "Invalid Request Validator identifier specified";
    /// A method names an unknown model.
    BadRequest InvalidModelReference { name: String } => "Invalid model identifier specified: {name}";
    /// One name in two locations.
    BadRequest AmbiguousParameter => "Parameter names must be unique across querystring, header and path";
    /// A parameter mapping that cannot be read.
    BadRequest InvalidMapping { errors: String } =>
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]";
    /// A content type that is none.
    BadRequest InvalidContentType { content_type: String } =>
        "Validation Result: warnings : [], errors : [Invalid content type specified: {content_type}]";

    /// CreateModel without a name.
    BadRequest EmptyModelName => "Model name must be non-empty";
    /// Other characters.
    BadRequest ModelNameCharacters { name: String } => "Model name must be alphanumeric: {name}";
    /// A model of JSON or XML without a schema.
    BadRequest EmptyModelSchema => "Model schema must have at least 1 property or array items defined";
    /// A schema that is none, or that names what is not there.
    BadRequest InvalidModel { errors: String } =>
        "Invalid model specified: Validation Result: warnings : [], errors : [{errors}]";
    /// A schema over 400 KB.
    BadRequest ModelTooLong => "Model schema cannot be greater than 400 KB";
    /// CreateRequestValidator on an unknown API.
    BadRequest InvalidRestApi => "Invalid REST API identifier specified";
    /// A validator's name is empty.
    BadRequest BlankValidatorName => "Request Validator name cannot be blank";
    /// PATCH of an entry of a gateway response without a value.
    BadRequest NullGatewayValue { member: &'static str } => "Invalid null or empty value in {member}";

    /// Another authorizer has the name.
    BadRequest AuthorizerExists { name: String } =>
        "Authorizer name must be unique. Authorizer {name} already exists in this RestApi.";
    /// No function's invocation ARN.
    BadRequest InvalidAuthorizerUri { uri: String } =>
        "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.";
    /// An identity source its type does not read.
    BadRequest InvalidIdentitySource { text: String, wanted: &'static str } =>
        "Invalid identity source specified: {text}. Identity source must be {wanted}";
    /// A REQUEST authorizer would cache under no key.
    BadRequest IdentitySourceMissing =>
        "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)";
    /// No regular expression.
    BadRequest InvalidIdentityExpression { expression: String } =>
        "Invalid identity validation expression specified: {expression}";
    /// Out of range, or no number.
    BadRequest InvalidAuthorizerTtl => "Authorizer result TTL must be between 0 and 3600";
    /// COGNITO_USER_POOLS without a pool.
    BadRequest NoProviderArn => "At least one provider ARN is required";
    /// A provider that is no user pool.
    BadRequest InvalidProviderArn { arn: String } =>
        "Invalid provider ARN specified: {arn}. Provider ARN should be a valid Cognito user pool ARN";
    /// A member the type does not have.
    BadRequest UnsupportedAuthorizerMember { member: &'static str, kind: String } =>
        "{member} is not supported for {kind} authorizers";
    /// Everything that is wrong with the issuers of a JWT authorizer.
    BadRequest InvalidJwtConfiguration { reasons: String } => "Invalid JWT configuration specified: {reasons}";

    /// No upstream verb.
    BadRequest EmptyIntegrationMethod => "Enumeration value for HttpMethod must be non-empty";
    /// An unknown upstream verb.
    BadRequest InvalidIntegrationMethod => "Enumeration value for HttpMethod must be valid";
    /// No URL.
    BadRequest InvalidHttpEndpoint => "Invalid HTTP endpoint specified for URI";
    /// No ARN.
    BadRequest InvalidArn => "Invalid ARN specified in the request";
    /// An ARN that says neither path nor action.
    BadRequest ArnWithoutPath => "AWS ARN for integration must contain path or action";
    /// AWS_PROXY to another service.
    BadRequest UnsupportedAwsProxy =>
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.";
    /// AWS without credentials.
    BadRequest RoleMissing => "Role ARN must be specified for AWS integrations";
    /// Out of range.
    BadRequest InvalidTimeout { most: u32 } => "Timeout should be between 50 ms and {most} ms";
    /// Settings beyond AWS that make no sense.
    BadRequest InvalidSettings { why: String } => "Invalid settings specified: {why}";
    /// PATCH with a word outside a set.
    BadRequest InvalidEnumeration { what: &'static str, options: String } =>
        "Invalid {what} specified. Valid options are {options}";
    /// A template over 300 KB.
    BadRequest TemplateTooLong => "Mapping template cannot be greater than 300 KB";

    /// CreateDeployment of nothing.
    BadRequest NoMethods => "The REST API doesn't contain any methods";
    /// CreateDeployment with a loose end.
    BadRequest NoIntegration => "No integration defined for method";
    /// The compiler refuses.
    BadRequest NotDeployable { diagnostics: String } => "Invalid deployment content specified. {diagnostics}";
    /// Canary deployment to a stage that is not there.
    BadRequest CanaryNeedsStage { stage: String } =>
        "Invalid deployment content specified.Stage {stage} must already be created before making a canary release deployment";
    /// Canary deployment to no stage.
    BadRequest CanaryNeedsStageName { value: &'static str } =>
        "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is {value}";
    /// DeleteDeployment in use; AWS's sentence, which programs look for, and then who uses it.
    BadRequest DeploymentInUse { users: String } =>
        "Active stages pointing to this deployment must be moved or deleted: {users}";
    /// DeleteDeployment in use by canaries alone.
    BadRequest DeploymentInUseByCanary { users: String } =>
        "Active stages with canary settings pointing to this deployment must be moved or deleted: {users}";
    /// A `embed` value that is not supported.
    BadRequest InvalidEmbed { value: String } => "Invalid embed value specified: {value}";

    /// Other characters.
    BadRequest InvalidStageName => "Stage name only allows a-zA-Z0-9_-";
    /// A variable's name.
    BadRequest InvalidVariableName { name: String } =>
        "Invalid stage variable name: {name}. Stage variable names only allow a-zA-Z0-9_ and at most 64 characters";
    /// A variable's value.
    BadRequest InvalidVariableValue { name: String } =>
        "Invalid stage variable value for {name}. Stage variable values only allow [A-Za-z0-9-._~:/?#&=,]+ and at most 512 characters";
    /// More than 100.
    BadRequest TooManyVariables => "A stage can have at most 100 stage variables";
    /// A stage path that is not there.
    BadRequest InvalidStagePath { path: String } => "Invalid method setting path: {path}. Must be one of: [/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, /{{resourcePath}}/{{httpMethod}}/metrics/enabled, /{{resourcePath}}/{{httpMethod}}/logging/dataTrace, /{{resourcePath}}/{{httpMethod}}/logging/loglevel, /{{resourcePath}}/{{httpMethod}}/throttling/burstLimit/{{resourcePath}}/{{httpMethod}}/throttling/rateLimit/{{resourcePath}}/{{httpMethod}}/caching/ttlInSeconds, /{{resourcePath}}/{{httpMethod}}/caching/enabled, /{{resourcePath}}/{{httpMethod}}/caching/dataEncrypted, /{{resourcePath}}/{{httpMethod}}/caching/requireAuthorizationForCacheControl, /{{resourcePath}}/{{httpMethod}}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{{variable_name}}, /tracingEnabled]";
    /// Remove of something that is not there; the trailing space is AWS's.
    BadRequest NoMethodSetting { path: String } =>
        "Cannot remove method setting {path} because there is no method setting for this method ";
    /// An access-log path that is not there.
    BadRequest InvalidAccessLogPath =>
        "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]";
    /// An access-log value that is empty.
    BadRequest EmptyAccessLogValue => "Access Log value must not be empty";
    /// A canary path with another op than replace.
    BadRequest InvalidCanaryOperation { op: &'static str, path: String } => "Invalid {op} operation with path: {path}";
    /// Copy between other paths.
    BadRequest InvalidCopy { path: String, from: String } =>
        "Invalid copy operation with path: {path} and from {from}. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]";
    /// Copy without a canary.
    BadRequest NoCanary => "Promotion not available. Canary does not exist.";
    /// A share of traffic that is none.
    BadRequest InvalidPercentTraffic => "Invalid percentTraffic specified, must be between 0.0 and 100.0";
    /// A setting's value that is none.
    BadRequest InvalidSetting { value: String, path: String } => "Invalid value '{value}' specified for path: {path}";

    /// A path a family does not have; two spaces as AWS writes it.
    BadRequest PatchPathAmong { path: String, op: &'static str, among: &'static str } =>
        "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{among}]";
    /// An op a family does not have.
    BadRequest PatchOpUnsupported { path: String, op: &'static str } =>
        "Invalid patch path  '{path}' specified for op '{op}'. Please choose supported operations";
    /// A path a family does not have.
    BadRequest PatchPath { path: String } => "Invalid patch path {path}";
    /// Add or remove of a scalar.
    BadRequest PatchReplaceOnly => "Invalid patch operation specified. Must be one of: [replace]";
    /// Another op on endpoint types.
    BadRequest PatchOpOfTypes => "Invalid patch operation specified. Must be 'add'|'remove'|'replace'";
    /// A value is missing or no scalar of its kind.
    BadRequest PatchValue { value: String, path: String } => "Invalid patch value '{value}' specified for path '{path}'";

    /// A test call with a header no request can have.
    BadRequest InvalidTestHeader { name: String } => "Invalid header specified: {name}";
    /// A test call for a certificate that could not be shown.
    BadRequest TestClientCertificate => "Client certificates are not supported in test calls by this release";
    /// Unknown documentation part.
    NotFound InvalidDocumentationPart => "Invalid Documentation part identifier specified";
    /// Unknown documentation version.
    NotFound InvalidDocumentationVersion => "Invalid Documentation version identifier specified";
    /// Two parts about one thing.
    Conflict DocumentationPartExists { location: String } =>
        "Documentation part already exists for the specified location: {location}.";
    /// CreateDocumentationVersion twice.
    Conflict DocumentationVersionExists => "Documentation version already exists for this REST API";
    /// A location its type does not have. The reason is the model's.
    BadRequest InvalidDocumentationLocation { reason: InvalidLocation } => "{reason}";
    /// Properties that are no text.
    BadRequest EmptyDocumentationProperties => "Documentation part properties must be non-empty";
    /// Properties that are no JSON object.
    BadRequest InvalidDocumentationProperties => "Documentation part properties must be a valid JSON object";
    /// A version without a name.
    BadRequest EmptyDocumentationVersion => "Documentation version must be non-empty";
    /// A version's name that is no name.
    BadRequest UnusableDocumentationVersion =>
        "Documentation version can be at most 128 characters and must not contain control characters";
    /// A document that says nothing of documentation.
    BadRequest InvalidDocumentationImport => "Unable to build importer with provided input.";
    /// Unknown form of an export.
    BadRequest InvalidExportType { value: String } =>
        "Invalid export type specified: {value}. Valid options are swagger,oas30";
    /// Unknown extensions of an export.
    BadRequest InvalidExportExtension { value: String, options: String } =>
        "Invalid extensions specified: {value}. Valid options are {options}";
    /// A notation we do not write.
    BadRequest InvalidExportAccept { value: String } =>
        "Invalid Accept header specified: {value}. Valid options are application/json,application/yaml";
    /// What the exporter says.
    BadRequest ExportFailed { message: String } => "{message}";
    /// Unknown SDK type.
    NotFound InvalidSdkType => "Invalid SDK type identifier specified";
    /// A SDK cannot be had.
    BadRequest SdkNotGenerated { sdk: String } =>
        "SDK generation is not part of this release: no {sdk} SDK can be generated. \
         Export the API as OpenAPI and use a generator of your choice";

    /// A tag's key or value.
    BadRequest InvalidTag { reason: &'static str } => "Invalid tag specified: {reason}";

    /// A value too short to be hard to guess.
    BadRequest ApiKeyValueTooShort { least: usize } => "API Key value should be at least {least} characters";
    /// A value too long for a header.
    BadRequest ApiKeyValueTooLong => "API Key value exceeds maximum size of 128 characters";
    /// A value no header can carry.
    BadRequest ApiKeyValueCharacters => "API Key value should only contain visible ASCII characters";
    /// A name over 1,024 characters.
    BadRequest InvalidApiKeyName => "Invalid API Key name, can be at most 1024 characters.";
    /// A description over 125,000 characters.
    BadRequest InvalidApiKeyDescription => "Invalid API Key description specified.";
    /// A stage key that is none.
    BadRequest InvalidStageKey { value: String } => "Invalid stage key specified: {value}. Must be of the form restApiId/stageName";
    /// An import that cannot be read at all.
    BadRequest InvalidApiKeyFile { reason: String } => "Invalid API Key file: {reason}";
    /// An import without a column it needs.
    BadRequest MissingColumn { column: &'static str } => "Missing required column '{column}'";
    /// An API stage is missing, malformed or named twice.
    BadRequest InvalidApiStage => "Invalid API Stage specified";
    /// DeleteUsagePlan in use.
    BadRequest UsagePlanInUse { plan: String, stages: String } =>
        "Cannot delete Usage Plan {plan} because there are API Stages associated with it, including {stages}";
    /// A quota without limit or period, or out of range.
    BadRequest InvalidQuota { reason: &'static str } => "Usage Plan quota {reason}";
    /// A limit of requests that is none.
    BadRequest InvalidThrottle { reason: &'static str } => "Usage Plan throttle {reason}";
    /// A key of a method-level throttle.
    BadRequest InvalidThrottleMethod { key: String } =>
        "Invalid throttle path specified: {key}. Must be of the form /resourcePath/httpMethod";
    /// Dates of GetUsage that are none.
    BadRequest InvalidUsageDates { dates: String } => "Invalid {dates} specified. Dates must have the form YYYY-MM-DD";
    /// A range of GetUsage.
    BadRequest InvalidUsageRange { reason: &'static str } => "Invalid date range specified: {reason}";
    /// UpdateUsage of a plan without a quota.
    BadRequest NoQuota { plan: String } => "Usage Plan {plan} does not have a quota";

    /// An unreadable document.
    BadRequest InvalidDocument => "Invalid OpenAPI input.";
    /// What the importer says.
    BadRequest ImportFailed { message: String } => "{message}";
    /// Warnings under `failonwarnings`.
    BadRequest ImportWarnings { warnings: String } => "Warnings found during import: {warnings}";
    /// Rollback without a way back.
    BadRequest NoEarlierDeployment => "There is no earlier deployment to go back to";
    /// Apply where several APIs have the name.
    Conflict AmbiguousName { name: String, ids: String } =>
        "Several APIs are named {name}: {ids}. Rename all but one, or choose another name";
    /// An access key that is not there; IAM's text.
    NotFound InvalidAccessKey { id: String } => "The Access Key with id {id} cannot be found.";
    /// Other characters, or too long; IAM's text.
    BadRequest InvalidAccessKeyName =>
        "The specified value for name is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- and at most 64 of them";
    /// Too many access keys; IAM's text.
    LimitExceeded TooManyAccessKeys { limit: usize } => "Cannot exceed quota for AccessKeys: {limit}";
    /// A policy document that cannot be read.
    BadRequest MalformedPolicy { reason: String } => "Malformed policy document: {reason}";
    /// Neither a policy document nor the name of one.
    BadRequest UnknownPolicyName { name: String, known: String } =>
        "No policy is named {name:?}. Give a policy document, or one of the names {known}";

    /// A list position that is not ours.
    BadRequest InvalidPosition => "Invalid position parameter specified";
}
