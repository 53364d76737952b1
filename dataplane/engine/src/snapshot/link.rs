//! Links a bundle with a stage's variables: everything a request needs, computed once and away from the workers.

use std::sync::Arc;

use tidegate_proto::v1;

use crate::head::Method;
use crate::integration::aws;
use crate::integration::endpoints::Endpoints;
use crate::integration::http::{self, Conversion, Http};
use crate::integration::lambda::LambdaProxy;
use crate::integration::mapped::{Endpoint, Mapped};
use crate::integration::mappings::Mappings;
use crate::mapping::json;
use crate::mapping::media::BinaryTypes;
use crate::respond::cors::Cors;
use crate::respond::custom::GatewayResponses;
use crate::route::tree;
use crate::snapshot::bundle::{self, BundleId, Problem, RefuseBundle};
use crate::snapshot::{Settings, Upstream, Upstreams};
use crate::validate::Validator;
use crate::validate::models::Models;
use crate::validate::responses::ResponseModels;

/// One deployment, ready to serve under one set of stage variables.
#[derive(Debug)]
pub struct Link {
    /// The bundle it was made from.
    pub bundle: BundleId,
    /// Methods whose configuration is good but whose variables are not: each answers API_CONFIGURATION_ERROR.
    pub broken: Vec<Problem>,
    pub(crate) tree: tree::Tree,
    pub(crate) methods: Box<[LinkedMethod]>,
    pub(crate) resources: Box<[LinkedResource]>,
    pub(crate) fall_through: bool,
    pub(crate) gateway: GatewayResponses,
    /// The stage's variables, for templates.
    pub(crate) variables: Box<[(String, String)]>,
    /// Bytes from which on bodies are compressed and decompressed; `None`: never.
    pub(crate) compression: Option<u32>,
    /// What answers say of other origins; `None`: what integrations say.
    pub(crate) cors: Option<Box<Cors>>,
    /// Largest body of a request, and of an answer that is not streamed, bytes.
    pub(crate) payload: u64,
}

#[derive(Debug)]
pub(crate) struct LinkedResource {
    pub(crate) id: Box<str>,
    pub(crate) path: Box<str>,
}

/// One method, ready to serve.
#[derive(Debug)]
pub(crate) struct LinkedMethod {
    pub(crate) resource: u32,
    /// `None` is `ANY`.
    pub(crate) verb: Option<Method>,
    /// Names of its path parameters, in path order.
    pub(crate) params: Box<[Box<str>]>,
    pub(crate) authorize: Authorize,
    pub(crate) validator: Option<Box<Validator>>,
    /// What answers are checked against; `None`: they are not.
    pub(crate) responses: Option<Box<ResponseModels>>,
    pub(crate) integration: Integration,
}

/// Who may call a method.
#[derive(Debug)]
pub(crate) enum Authorize {
    Anyone,
    /// Who signs the request, and has a policy that lets it.
    Iam,
    Forward(ForwardAuth),
}

/// Forward authentication: an HTTP service sees the request's head, and any 2xx admits it.
#[derive(Debug)]
pub(crate) struct ForwardAuth {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) target: Box<[u8]>,
}

#[derive(Debug)]
pub(crate) enum Integration {
    HttpProxy(Box<Http>),
    LambdaProxy(Box<LambdaProxy>),
    /// A service of AWS, Firehose as a rule, that gets the caller's body as it comes and whose answer is passed on.
    ServiceProxy(Box<aws::Service>),
    Mapped(Box<Mapped>),
    /// Its variables make no sense; says why.
    Broken(Box<str>),
}

/// What linking shares across bundles.
#[derive(Debug, Default)]
pub struct Linker {
    pub(crate) upstreams: Upstreams,
    pub(crate) endpoints: Endpoints,
}

impl Linker {
    /// A linker that calls AWS services where its operator says.
    pub fn with_endpoints(endpoints: Endpoints) -> Self {
        Self { upstreams: Upstreams::default(), endpoints }
    }
}

/// Stage variables, looked up by name.
#[derive(Clone, Copy)]
pub(crate) struct Variables<'a>(pub(crate) &'a [(String, String)]);

impl Variables<'_> {
    /// A variable's value; `None` when the stage does not set it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Puts values into `${stageVariables.name}`; a missing one is empty, as on AWS. The flag says whether any was there.
    pub(crate) fn fold(&self, text: &str) -> (String, bool) {
        const OPEN: &str = "${stageVariables.";
        let (mut out, mut rest, mut any) = (String::with_capacity(text.len()), text, false);
        while let Some(at) = rest.find(OPEN) {
            let (before, after) = rest.split_at(at);
            let Some((name, behind)) = after[OPEN.len()..].split_once('}') else { break };
            out.push_str(before);
            out.push_str(self.get(name).unwrap_or_default());
            (rest, any) = (behind, true);
        }
        out.push_str(rest);
        (out, any)
    }

    /// All of them as a JSON object; `null` when there are none.
    fn json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in self.0 {
            out.push(if out.is_empty() { b'{' } else { b',' });
            json::put(&mut out, Some(name));
            out.push(b':');
            json::put(&mut out, Some(value));
        }
        if out.is_empty() {
            return b"null".to_vec();
        }
        out.push(b'}');
        out
    }
}

/// Why a method cannot be served: always, or only with these variables.
pub(crate) enum Unfit {
    /// The configuration itself: refuse the bundle.
    Always(String),
    /// The variables: this method answers 500.
    Here(String),
}

impl Link {
    /// Builds a link. Problems of the configuration refuse the bundle and are all listed; problems of the variables break single
    /// methods. `id` must be the id of `bytes`.
    pub fn build(
        id: BundleId,
        bytes: &[u8],
        variables: &[(String, String)],
        linker: &mut Linker,
    ) -> Result<Self, RefuseBundle> {
        if BundleId::of(bytes) != id {
            return Err(RefuseBundle::WrongId(id));
        }
        let bundle = bundle::decode(bytes)?;
        let settings = Settings::link(bundle.settings.as_ref()).map_err(|what| {
            RefuseBundle::Problems(vec![Problem::of_api(format!("settings: {what}"))])
        })?;
        let mut draft = Draft {
            linker,
            variables: Variables(variables),
            variables_json: Variables(variables).json().into(),
            binary: Arc::new(BinaryTypes::new(&bundle.binary_media_types)),
            bundle: &bundle,
            models: Models::new(&bundle.models),
            settings,
            tree: tree::Builder::new(),
            methods: Vec::new(),
            problems: Vec::new(),
            broken: Vec::new(),
        };
        draft.api_level();
        let gateway = draft.gateway_responses();
        for (at, resource) in bundle.resources.iter().enumerate() {
            for method in &resource.methods {
                draft.method(at as u32, resource, method);
            }
        }
        if !draft.problems.is_empty() {
            return Err(RefuseBundle::Problems(draft.problems));
        }
        let resources = bundle
            .resources
            .iter()
            .map(|r| LinkedResource { id: r.id.as_str().into(), path: r.path.as_str().into() })
            .collect();
        Ok(Self {
            bundle: id,
            broken: draft.broken,
            tree: draft.tree.build(),
            methods: draft.methods.into(),
            resources,
            gateway,
            variables: variables.into(),
            compression: bundle.minimum_compression_size,
            cors: draft.settings.cors,
            payload: draft.settings.payload,
            fall_through: bundle.routing.as_ref().is_some_and(|r| r.method_miss_falls_through),
        })
    }

    /// Every route as verb and path, for explanations.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.methods.iter().map(|m| {
            (m.verb.map_or("ANY", Method::as_str), &*self.resources[m.resource as usize].path)
        })
    }
}

struct Draft<'a> {
    linker: &'a mut Linker,
    variables: Variables<'a>,
    bundle: &'a v1::Bundle,
    models: Models<'a>,
    settings: Settings,
    variables_json: Arc<[u8]>,
    binary: Arc<BinaryTypes>,
    tree: tree::Builder,
    methods: Vec<LinkedMethod>,
    problems: Vec<Problem>,
    broken: Vec<Problem>,
}

impl Draft<'_> {
    /// What of the API as a whole this version cannot honour. Serving it anyway would be a silent lie, often an unsafe one.
    fn api_level(&mut self) {
        let bundle = self.bundle;
        let protocol = bundle.routing.as_ref().map(v1::Routing::protocol);
        let refused = [
            (protocol != Some(v1::Protocol::Rest), "only REST APIs are served yet"),
            (!bundle.policy.is_empty(), "resource policies are not supported yet"),
        ];
        for (_, what) in refused.iter().filter(|(found, _)| *found) {
            self.api_problem((*what).into());
        }
    }

    fn api_problem(&mut self, what: String) {
        self.problems.push(Problem::of_api(what));
    }

    fn gateway_responses(&mut self) -> GatewayResponses {
        GatewayResponses::link(&self.bundle.gateway_responses, self.variables).unwrap_or_else(
            |problems| {
                problems.into_iter().for_each(|what| self.api_problem(what));
                GatewayResponses::default()
            },
        )
    }

    fn method(&mut self, at: u32, resource: &v1::Resource, method: &v1::Method) {
        let problem = |what: String| Problem {
            resource: resource.path.clone(),
            verb: method.verb.clone(),
            what,
        };
        let verb = match method.verb.as_str() {
            "ANY" => None,
            text => match Method::from_bytes(text.as_bytes()) {
                Method::Other => {
                    self.problems.push(problem(format!("'{text}' is no method")));
                    return;
                }
                known => Some(known),
            },
        };
        let names = match self.tree.add(&resource.path, verb, self.methods.len() as u32) {
            Ok(names) => names,
            Err(error) => {
                self.problems.push(problem(error.to_string()));
                return;
            }
        };
        let authorize = match self.authorize(method) {
            Ok(authorize) => authorize,
            Err(what) => {
                self.problems.push(problem(what));
                return;
            }
        };
        let validator = match Validator::link(method, self.bundle, &mut self.models) {
            Ok(validator) => validator.map(Box::new),
            Err(what) => {
                self.problems.push(problem(what));
                return;
            }
        };
        let responses = match ResponseModels::link(method, &mut self.models) {
            Ok(responses) => responses.map(Box::new),
            Err(what) => {
                self.problems.push(problem(what));
                return;
            }
        };
        let integration = match self.integration(method, responses.is_some()) {
            Ok(integration) => integration,
            Err(Unfit::Always(what)) => {
                self.problems.push(problem(what));
                return;
            }
            Err(Unfit::Here(what)) => {
                let text = what.as_str().into();
                self.broken.push(problem(what));
                Integration::Broken(text)
            }
        };
        self.methods.push(LinkedMethod {
            resource: at,
            verb,
            params: names.into(),
            authorize,
            validator,
            responses,
            integration,
        });
    }

    fn authorize(&mut self, method: &v1::Method) -> Result<Authorize, String> {
        if method.api_key_required {
            return Err("apiKeyRequired is not supported yet".into());
        }
        match method.authorization_type.as_str() {
            "NONE" => Ok(Authorize::Anyone),
            "AWS_IAM" => Ok(Authorize::Iam),
            "CUSTOM" => {
                let authorizer =
                    self.bundle.authorizers.iter().find(|a| a.id == method.authorizer_id);
                let authorizer = authorizer.ok_or("its authorizer does not exist")?;
                // Lambda authorizers need functions; a plain HTTP service is asked as other gateways ask one.
                if authorizer.r#type != "HTTP" {
                    return Err(format!(
                        "authorizers of type {} are not supported yet",
                        authorizer.r#type
                    ));
                }
                let url = http::Url::parse(&authorizer.uri).map_err(|e| e.to_string())?;
                let upstream = self.linker.upstreams.intern(url.scheme, url.host, url.port, true);
                Ok(Authorize::Forward(ForwardAuth { upstream, target: url.target().into() }))
            }
            other => Err(format!("authorization type {other} is not supported yet")),
        }
    }

    /// `checked` says whether the answers are compared with models.
    fn integration(&mut self, method: &v1::Method, checked: bool) -> Result<Integration, Unfit> {
        let Some(integration) = &method.integration else {
            return Err(Unfit::Always("No integration defined for method".into()));
        };
        let kind = integration.r#type();
        let name = kind.as_str_name().trim_start_matches("INTEGRATION_TYPE_");
        let streams = integration.response_transfer_mode == "STREAM";
        let proxies =
            matches!(kind, v1::IntegrationType::HttpProxy | v1::IntegrationType::AwsProxy);
        if streams && !proxies {
            return Err(Unfit::Always(format!(
                "responseTransferMode STREAM is for HTTP_PROXY and AWS_PROXY, not for {name}"
            )));
        }
        if streams && checked {
            return Err(Unfit::Always(
                "response validation needs whole answers, and responseTransferMode is STREAM; set the method's to off"
                    .into(),
            ));
        }
        match kind {
            v1::IntegrationType::HttpProxy => {
                let conversion = Conversion::link(integration, &self.binary)?;
                let whole = checked || conversion.as_ref().is_some_and(|c| c.changes_replies());
                let mut http = self.http(integration, whole)?;
                http.conversion = conversion;
                Ok(Integration::HttpProxy(http))
            }
            v1::IntegrationType::Http => {
                let endpoint = Endpoint::Http(self.http(integration, false)?);
                self.mapped(endpoint, method, integration)
            }
            v1::IntegrationType::Mock => self.mapped(Endpoint::Mock, method, integration),
            v1::IntegrationType::Aws => {
                let mappings = aws::mappings(integration, self.variables)?;
                let service = Box::new(self.service(integration, mappings)?);
                let endpoint = if aws::is_lambda(&integration.uri) {
                    Endpoint::Lambda(service)
                } else {
                    Endpoint::Service(service)
                };
                self.mapped(endpoint, method, integration)
            }
            v1::IntegrationType::AwsProxy if aws::is_lambda(&integration.uri) => {
                // They are checked, and then the event holds everything anyway: recorded.
                aws::mappings(integration, self.variables)?;
                // Source: developer guide, "Set up a Lambda proxy integration with payload response streaming in API Gateway".
                let path = integration.uri.rsplit('/').next().unwrap_or_default();
                if streams != (path == "response-streaming-invocations") {
                    return Err(Unfit::Always(
                        "responseTransferMode STREAM goes with the URI                          .../2021-11-15/functions/{arn}/response-streaming-invocations, and BUFFERED with                          .../2015-03-31/functions/{arn}/invocations"
                            .into(),
                    ));
                }
                let mut service = self.service(integration, Mappings::default())?;
                service.content_type = Some("application/json");
                let variables = self.variables_json.clone();
                let binary = self.binary.clone();
                Ok(Integration::LambdaProxy(Box::new(LambdaProxy {
                    service,
                    variables,
                    binary,
                    streams,
                })))
            }
            v1::IntegrationType::AwsProxy => {
                if streams {
                    return Err(Unfit::Always(
                        "responseTransferMode STREAM of AWS_PROXY is for Lambda functions".into(),
                    ));
                }
                let mappings = aws::mappings(integration, self.variables)?;
                self.service(integration, mappings).map(|s| Integration::ServiceProxy(Box::new(s)))
            }
            _ => Err(Unfit::Always(format!("integrations of type {name} are not supported yet"))),
        }
    }

    fn http(&mut self, from: &v1::Integration, whole: bool) -> Result<Box<Http>, Unfit> {
        let (upstreams, settings) = (&mut self.linker.upstreams, &self.settings);
        http::link(from, self.variables, upstreams, settings, whole, &self.bundle.api_id)
            .map(Box::new)
    }

    fn service(
        &mut self,
        from: &v1::Integration,
        mappings: Mappings,
    ) -> Result<aws::Service, Unfit> {
        let (linker, settings) = (&mut *self.linker, &self.settings);
        aws::link(from, mappings, self.variables, linker, settings, &self.bundle.api_id)
    }

    fn mapped(
        &self,
        endpoint: Endpoint,
        method: &v1::Method,
        from: &v1::Integration,
    ) -> Result<Integration, Unfit> {
        Mapped::link(endpoint, method, from, self.variables, &self.binary)
            .map(|made| Integration::Mapped(Box::new(made)))
    }
}
