//! Why an operation was refused, with AWS's texts: the one place where they are written.
//!
//! Texts are from AWS's recorded answers where those are known (`admin-api` section 3); the rest follow their style.

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
    /// Not built yet.
    NotImplemented,
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
    BadRequest InvalidTimeout => "Timeout should be between 50 ms and 29000 ms";
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

    /// A tag's key or value.
    BadRequest InvalidTag { reason: &'static str } => "Invalid tag specified: {reason}";

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
    /// An operation of the service model that is not built.
    NotImplemented NotBuilt { operation: String } => "The operation {operation} is not implemented by this release";
}
