//! TestInvokeMethod: the method as it is configured now, deployed or not, run by the engine with real calls.
//!
//! Only the tested method is compiled, so that an unfinished API around it is not in the way. Who calls is not checked and
//! nothing is throttled. Sources: `admin-api` section 12, `rest-api-runtime` sections 23.2 and 27.

mod fault;
mod log;
mod request;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Serialize;
use tidegate_engine::exchange::Ids;
use tidegate_engine::explain::{Phase, Trace};
use tidegate_engine::head::Known;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::guard::AddressPolicy;
use tidegate_engine::mapping::media;
use tidegate_engine::respond::Failure;
use tidegate_engine::snapshot::{Upstream, World};
use tidegate_engine::{
    Answer, Body, BodyError, CallError, Ctx, Now, Opened, Outgoing, Relay, Reply, Step, Streamed,
    Wait, begin,
};
use tidegate_proto::v1;
use tokio::sync::Semaphore;

use super::call::{self, Answered, NoAnswer};
use super::describe::Described;
use super::{lines, world};
use crate::app::stages::check_variables;
use crate::app::{App, AppError, Settings, Workspace};
use crate::compile::compile;
use crate::model::{
    AuthorizationType, HttpMethod, Method, Resource, RestApi, Snapshot, StringMap, WireName as _,
};
use crate::publish;
use fault::{Replied, fault, too_large};
use log::Log;
use request::Asked;

/// What a test call sends; AWS's members.
#[derive(Debug, Clone, Default)]
pub struct TestInvokeMethod {
    /// Path and query; what of it does not fit the resource's path leaves its parameters as they stand there. `None`: the
    /// resource's path.
    pub path_with_query_string: Option<String>,
    /// The body, text.
    pub body: Option<String>,
    /// One value per header.
    pub headers: StringMap,
    /// All values of a header; wins over `headers`.
    pub multi_value_headers: BTreeMap<String, Vec<String>>,
    /// What the stage would have; there is no stage.
    pub stage_variables: StringMap,
    /// The certificate to show the upstream.
    pub client_certificate_id: Option<String>,
}

/// What came of a test call; AWS's members.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestInvocation {
    /// Status a caller would get.
    pub status: u16,
    /// The body; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// Headers, of several equal ones the last.
    pub headers: StringMap,
    /// All headers.
    pub multi_value_headers: BTreeMap<String, Vec<String>>,
    /// AWS's execution log, lines that end with a newline.
    pub log: String,
    /// Milliseconds from the request to the whole answer.
    pub latency: u64,
}

/// Runs a method. Dropping the future gives up calls under way.
pub async fn test_invoke(
    app: &App,
    api: &str,
    resource: &str,
    verb: &str,
    input: TestInvokeMethod,
) -> Result<TestInvocation, AppError> {
    check_variables(&input.stage_variables)?;
    if input.client_certificate_id.as_ref().is_some_and(|id| !id.is_empty()) {
        return Err(AppError::TestClientCertificate);
    }
    let workspace = match app.workspace(api).await {
        // As in all calls about methods.
        Err(AppError::InvalidApi { .. }) => return Err(AppError::InvalidResource),
        workspace => workspace?,
    };
    let resource = workspace.resource(resource)?;
    let wanted = HttpMethod::from_name(verb).ok_or(AppError::InvalidMethod)?;
    let methods = &resource.resource_methods;
    let method = methods.get(&wanted).or_else(|| methods.get(&HttpMethod::Any));
    let method = method.ok_or(AppError::InvalidMethod)?;
    let asked = Asked::new(&workspace.rest_api, resource, wanted, &input)?;

    // Each holds two bodies of up to 10 MB.
    let _slot = TESTS.acquire().await;
    let tested = alone(&workspace, resource, method);
    let settings = app.settings().clone();
    let variables = input.stage_variables;
    let vpc_links = publish::vpc_link_objects(&**app.store()).await?;
    let (policy, aws) = (settings.test_calls.clone(), settings.aws.clone());
    // Templates and schemas of one method can be large: off the threads that answer other callers.
    let built =
        tokio::task::spawn_blocking(move || build(&settings, &tested, &variables, vpc_links)).await;
    let built = built.unwrap_or_else(|cause| {
        tracing::error!(%cause, "a test could not be prepared");
        Err("the method could not be prepared".to_owned())
    });
    Ok(Test::new(&policy, &aws.credentials, asked).run(built).await)
}

/// The tested method as the only one of its API. Whoever tests may: no authorizer, key or policy is asked.
fn alone(workspace: &Workspace, resource: &Arc<Resource>, method: &Method) -> Snapshot {
    let method = Method {
        authorization_type: AuthorizationType::None,
        authorizer_id: None,
        authorization_scopes: None,
        api_key_required: false,
        ..method.clone()
    };
    let whole = workspace.rest_api.as_ref();
    let validator = method.request_validator_id.as_ref();
    Snapshot {
        rest_api: RestApi { policy: None, minimum_compression_size: None, ..whole.clone() },
        request_validators: validator
            .and_then(|id| workspace.request_validators.get(id))
            .map(|validator| validator.as_ref().clone())
            .into_iter()
            .collect(),
        resources: vec![Resource {
            resource_methods: BTreeMap::from([(method.http_method, method)]),
            ..resource.as_ref().clone()
        }],
        models: workspace.models.values().map(|model| model.as_ref().clone()).collect(),
        authorizers: Vec::new(),
        gateway_responses: workspace
            .gateway_responses
            .values()
            .map(|response| response.as_ref().clone())
            .collect(),
    }
}

/// Compiles and links as for a node; else why a node would refuse.
fn build(
    settings: &Settings,
    tested: &Snapshot,
    variables: &StringMap,
    vpc_links: Vec<v1::VpcLink>,
) -> Result<World, String> {
    let bundle = compile(tested).map_err(|diagnostics| {
        let each: Vec<String> = diagnostics.into_iter().map(|one| one.message).collect();
        each.join("; ")
    })?;
    let api = &tested.rest_api.id;
    let objects = world::Objects::single(request::STAGE, api, bundle, variables, vpc_links);
    world::build(settings, Some(objects)).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        cause.unwrap_or_else(|| error.to_string())
    })
}

/// One test under way.
struct Test<'p> {
    policy: &'p AddressPolicy,
    credentials: &'p Credentials,
    asked: Asked,
    entropy: [u8; 16],
    now: Now,
    since: Instant,
    log: Log,
    /// What was answered to the last call.
    replied: Option<Replied>,
    told_validation: bool,
}

/// How the engine, or a node in its place, ends a test.
enum End {
    /// With an answer, and the upstream's body where it is that.
    Answered(Box<Answer>, Bytes),
    /// It cannot be carried out.
    Refused(String),
}

impl<'p> Test<'p> {
    fn new(policy: &'p AddressPolicy, credentials: &'p Credentials, asked: Asked) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Now { unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) };
        let entropy = rand::random();
        let mut log = Log::new(Ids::new(entropy, now).request(), SystemTime::now);
        asked.log(&mut log);
        Self {
            policy,
            credentials,
            asked,
            entropy,
            now,
            since: Instant::now(),
            log,
            replied: None,
            told_validation: false,
        }
    }

    async fn run(mut self, built: Result<World, String>) -> TestInvocation {
        let world = match built {
            Ok(world) => world,
            Err(reason) => return self.refused(&reason),
        };
        let Described { head, listener } = std::mem::take(&mut self.asked.described);
        let (mut scratch, mut trace) = (Vec::new(), Trace::default());
        let mut cx = Ctx {
            world: &world,
            listener: &listener,
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now: self.now,
            entropy: self.entropy,
            credentials: self.credentials,
            patience: Ctx::UNHURRIED,
            scratch: &mut scratch,
            trace: Some(&mut trace),
        };
        let mut failed = None;
        let mut step = begin(&mut cx, &head);
        let end = loop {
            step = match step {
                Step::Wait(Wait::Body(limit, next)) => {
                    let body = self.asked.body.to_vec();
                    let fits = u64::try_from(body.len()).is_ok_and(|length| length <= limit);
                    let got = if fits { Ok(body) } else { Err(BodyError::TooLarge) };
                    next.give(&mut cx, &head, got)
                }
                Step::Wait(Wait::Elsewhere(next)) => next.give(&mut cx, &head, Ok(())),
                Step::Wait(Wait::Open(mut call, next)) => {
                    self.tell_validation(cx.trace.as_deref());
                    let body = Bytes::from(std::mem::take(&mut call.body));
                    let got =
                        self.call(&world, &call.upstream, &call.request, cx.scratch, body).await;
                    let got = match got {
                        Err(NoAnswer::TooLarge(length)) => break End::Refused(too_large(length)),
                        Err(NoAnswer::Call(error)) => Err(error),
                        Ok(got) => {
                            let mut body = Streamed::new(&got.head);
                            body.read(&got.body);
                            body.finish();
                            Ok(Opened { body })
                        }
                    };
                    failed = got.as_ref().err().copied();
                    next.give(&mut cx, &head, got)
                }
                Step::Wait(Wait::Call(mut call, next)) => {
                    self.tell_validation(cx.trace.as_deref());
                    let body = Bytes::from(std::mem::take(&mut call.body));
                    let got =
                        self.call(&world, &call.upstream, &call.request, cx.scratch, body).await;
                    let got = match got {
                        Err(NoAnswer::TooLarge(length)) => break End::Refused(too_large(length)),
                        Err(NoAnswer::Call(error)) => Err(error),
                        Ok(got) if got.body.len() > call.max_reply => Err(CallError::ReplyTooLarge),
                        Ok(got) => Ok(Reply { head: got.head, body: got.body.into() }),
                    };
                    failed = got.as_ref().err().copied();
                    next.give(&mut cx, &head, got)
                }
                Step::Relay(relay) => match self.relay(&relay, &cx).await {
                    Err(NoAnswer::TooLarge(length)) => break End::Refused(too_large(length)),
                    Err(NoAnswer::Call(error)) => {
                        failed = Some(error);
                        let answer = relay.reply(&mut cx, &head, Err(error));
                        break End::Answered(Box::new(answer), Bytes::new());
                    }
                    Ok(got) => {
                        let answer = relay.reply(&mut cx, &head, Ok(&got.head));
                        break End::Answered(Box::new(answer), got.body);
                    }
                },
                Step::Answer(answer) => break End::Answered(Box::new(answer), Bytes::new()),
            };
        };
        let (mut answer, relayed) = match end {
            End::Answered(answer, relayed) => (*answer, relayed),
            End::Refused(reason) => return self.refused(&reason),
        };
        let body = match &mut answer.body {
            Body::Upstream => relayed.to_vec(),
            Body::Streamed(streamed) => {
                let mut body = Vec::new();
                streamed.drain(&mut body);
                body
            }
            _ => answer.bytes(&cx).to_vec(),
        };
        let fields = lines(&answer.fields, cx.scratch);
        let fields = fields.into_iter().map(|field| (field.name, field.value)).collect();
        let failure = answer.failure().copied();
        if !matches!(failure, Some(Failure::MissingParameters | Failure::InvalidBody)) {
            self.tell_validation(Some(&trace));
        }
        match failure {
            None => self.succeeded(answer.status, fields, &body),
            Some(failure) => {
                self.log.line(fault(failure, failed, self.replied.as_ref(), &trace.phases));
                self.failed(answer.status, fields, &body)
            }
        }
    }

    async fn relay(&mut self, relay: &Relay, cx: &Ctx<'_>) -> Result<Answered, NoAnswer> {
        self.tell_validation(cx.trace.as_deref());
        let body = self.asked.body.clone();
        let upstream = relay.upstream(cx.world);
        self.call(cx.world, upstream, &relay.request, cx.scratch, body).await
    }

    /// Makes a call and tells of it.
    async fn call(
        &mut self,
        world: &World,
        upstream: &Upstream,
        outgoing: &Outgoing,
        scratch: &[u8],
        body: Bytes,
    ) -> Result<Answered, NoAnswer> {
        let target = String::from_utf8_lossy(outgoing.target.of(scratch));
        let uri = format!("{}://{}{target}", upstream.scheme.as_str(), upstream.authority);
        let sent = lines(&outgoing.fields, scratch);
        let sent = sent.iter().map(|field| (&*field.name, &*field.value));
        self.log.line(format_args!("Endpoint request URI: {uri}"));
        self.log.line(format_args!("Endpoint request headers: {}", log::headers(sent)));
        let text = String::from_utf8_lossy(&body).into_owned();
        self.log.line(format_args!("Endpoint request body after transformations: {text}"));
        self.log.line(format_args!("Sending request to {uri}"));
        let since = Instant::now();
        let targets = world.targets(upstream).map(|targets| &**targets);
        let got = call::send(self.policy, upstream, targets, outgoing, scratch, body).await?;
        let (status, waited) = (got.head.status, since.elapsed().as_millis());
        self.log.line(format_args!(
            "Received response. Status: {status}, Integration latency: {waited} ms"
        ));
        let fields: Vec<_> = got
            .head
            .iter()
            .map(|(name, value, _)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
            .collect();
        let fields = fields.iter().map(|(name, value)| (&**name, &**value));
        self.log.line(format_args!("Endpoint response headers: {}", log::headers(fields)));
        let media = media::first(&got.head, Known::ContentType);
        let text = log::body(&got.body, self.asked.binary.holds(media));
        self.log.line(format_args!("Endpoint response body before transformations: {text}"));
        self.replied = Some(Replied::of(&got));
        Ok(got)
    }

    /// Tells, once, that the request is valid, where a validator looked at it.
    fn tell_validation(&mut self, trace: Option<&Trace>) {
        let passed = ["the required parameters are there", "the body fits"];
        let looked = |phase: &Phase| {
            phase.name == "validate" && passed.iter().any(|told| phase.decision.starts_with(told))
        };
        if !self.told_validation && trace.is_some_and(|trace| trace.phases.iter().any(looked)) {
            self.told_validation = true;
            self.log.line("Request validation succeeded for content type application/json");
        }
    }

    fn succeeded(mut self, status: u16, fields: Fields, body: &[u8]) -> TestInvocation {
        // A test shows what the API answers, not what each request is given on its way.
        let mut fields = without(fields, &["x-amzn-RequestId", "x-amz-apigw-id"]);
        // In the order of what was recorded.
        fields.sort_by_key(|(name, _)| !name.eq_ignore_ascii_case("X-Amzn-Trace-Id"));
        let text = String::from_utf8_lossy(body);
        let shown = fields.iter().map(|(name, value)| (&**name, &**value));
        self.log.line(format_args!("Method response body after transformations: {text}"));
        self.log.line(format_args!("Method response headers: {}", log::map(shown)));
        self.log.line("Successfully completed execution");
        self.ended(status, fields, body)
    }

    /// The answer to what the gateway cannot carry out.
    fn refused(mut self, reason: &str) -> TestInvocation {
        self.log.line(format_args!("Execution failed due to configuration error: {reason}"));
        let kind = (ERROR_TYPE.to_owned(), "InternalServerErrorException".to_owned());
        self.ended(500, vec![kind], br#"{"message": "Internal server error"}"#)
    }

    /// Of a gateway response only its kind is shown, as recorded.
    fn failed(self, status: u16, mut fields: Fields, body: &[u8]) -> TestInvocation {
        fields.retain(|(name, _)| name.eq_ignore_ascii_case(ERROR_TYPE));
        self.ended(status, fields, body)
    }

    fn ended(mut self, status: u16, fields: Fields, body: &[u8]) -> TestInvocation {
        self.log.line(format_args!("Method completed with status: {status}"));
        let mut multi_value_headers = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &fields {
            multi_value_headers.entry(name.clone()).or_default().push(value.clone());
        }
        TestInvocation {
            status,
            body: String::from_utf8_lossy(body).into_owned(),
            headers: fields.into_iter().collect(),
            multi_value_headers,
            log: self.log.finish(),
            latency: u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Names and values of a head.
type Fields = Vec<(String, String)>;

fn without(mut fields: Fields, names: &[&str]) -> Fields {
    fields.retain(|(name, _)| !names.iter().any(|dropped| name.eq_ignore_ascii_case(dropped)));
    fields
}

const ERROR_TYPE: &str = "x-amzn-ErrorType";

/// Tests at once. More wait their turn: what they hold must not outgrow a small machine.
static TESTS: Semaphore = Semaphore::const_new(16);
