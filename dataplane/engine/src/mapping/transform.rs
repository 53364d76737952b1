//! What a mapping template makes of a body.
//!
//! Sources: developer guide, "Mapping template transformations" and "Variables for data transformations"; recorded keys of `$context`.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::exchange::Ctx;
use crate::explain::shown;
use crate::mapping::context::{Context, View};
use crate::mapping::parameter;
use crate::mapping::template::{
    Datum, Limits, Overrides, Place, Scope, Scratch, Source, Steps, Template, Trace,
};
use crate::respond::Failure;
use crate::snapshot::Unfit;

/// A template of a method, ready to render.
#[derive(Debug)]
pub(crate) enum Transform {
    /// An empty template: the body passes. Source: developer guide, "Method request behavior for payloads without mapping templates".
    Passes,
    /// The same text whatever the request.
    Constant(Box<[u8]>),
    /// One that looks at the exchange.
    Template(Box<Template>),
}

impl Transform {
    /// Compiles a template. `which` is what a refusal calls it.
    pub(crate) fn link(text: &str, which: &str) -> Result<Self, Unfit> {
        if text.is_empty() {
            return Ok(Self::Passes);
        }
        let template =
            Template::compile(text).map_err(|e| Unfit::Always(format!("{which}: {e}")))?;
        Ok(match template.constant() {
            Some(text) => Self::Constant(text.into_bytes().into()),
            None => Self::Template(Box::new(template)),
        })
    }

    /// What it renders to whatever the request; `None` when that depends. Of one that passes the body, nothing.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match self {
            Self::Passes => Some(&[]),
            Self::Constant(text) => Some(text),
            Self::Template(_) => None,
        }
    }

    /// Whether it renders nothing and lets the body pass.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Passes)
    }

    /// Renders it over a body. What it overrides is added to `overrides`.
    pub(crate) fn render(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        body: Vec<u8>,
        overrides: &mut Overrides,
    ) -> Result<Vec<u8>, Unrendered> {
        let template = match self {
            Self::Passes => return Ok(body),
            Self::Constant(text) => {
                cx.value(|| format!("template: {}", shown(text)));
                return Ok(text.to_vec());
            }
            Self::Template(template) => template,
        };
        cx.value(|| format!("template: {}", shown(template.source().as_bytes())));
        let mut steps = cx.keeps_values().then(Steps::default);
        let source = Seen { view, body: &body };
        let mut out = Vec::new();
        let rendered = SCRATCH.with_borrow_mut(|scratch| {
            let trace = steps.as_mut().map(|steps| steps as &mut dyn Trace);
            let mut scope = Scope { source: &source, scratch, overrides, trace };
            let steps = Limits::API_GATEWAY.steps.min(cx.patience);
            template.render(&mut scope, &Limits { steps, ..Limits::API_GATEWAY }, &mut out)
        });
        let mut room = MAX_TOLD;
        for (name, value) in steps.iter().flat_map(Steps::variables) {
            room = room.saturating_sub(name.len() + value.len());
            if room == 0 {
                cx.value(|| "… and more variables".to_owned());
                break;
            }
            cx.value(|| format!("{name} = {value}"));
        }
        if steps.is_some() {
            overrides
                .told()
                .iter()
                .for_each(|(what, value)| cx.value(|| format!("override of {what} = {value}")));
        }
        match rendered {
            Ok(()) => Ok(out),
            Err(error) if error.is_out_of_steps() && cx.is_hurried() => {
                Err(Unrendered::Hurried(body))
            }
            Err(error) => {
                cx.detail(|| format!("it failed at {error}"));
                Err(Unrendered::Failed(Failure::Untransformable))
            }
        }
    }
}

/// Why a template came to nothing.
#[derive(Debug)]
pub(crate) enum Unrendered {
    /// It cannot be rendered.
    Failed(Failure),
    /// It takes more steps than it may here. The body, to begin anew with elsewhere.
    Hurried(Vec<u8>),
}

/// Bytes of variables that an explanation tells of one template: it travels in one message.
const MAX_TOLD: usize = 256 << 10;

thread_local! {
    /// Work space of renders: a thread has one at a time, and none waits for anything. It keeps little between them.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// An exchange as templates see it.
struct Seen<'a> {
    view: &'a View<'a>,
    body: &'a [u8],
}

impl Source for Seen<'_> {
    fn body(&self) -> &[u8] {
        self.body
    }

    fn parameter(&self, place: Place, name: &str) -> Option<Cow<'_, str>> {
        let view = self.view;
        match place {
            Place::Path => view.param(name).map(path_value),
            Place::Query => parameter::query_values(view.head.query(), name).last().map(text),
            Place::Header => {
                let mut sent = view.head.iter().rev();
                let found =
                    sent.find(|(held, _, known)| *held == name.as_bytes() && view.sees(*known));
                found.map(|(_, value, _)| String::from_utf8_lossy(value))
            }
        }
    }

    fn parameters(&self, place: Place, each: &mut dyn FnMut(&str, &str)) {
        let view = self.view;
        match place {
            Place::Path => view.names.iter().for_each(|name| {
                if let Some(value) = view.param(name) {
                    each(name, &path_value(value));
                }
            }),
            Place::Query => parameter::query_pairs(view.head.query())
                .for_each(|(name, value)| each(&text(name), &text(value))),
            Place::Header => {
                let sent = view.head.iter().filter(|(_, _, known)| view.sees(*known));
                for (name, value, _) in sent {
                    each(&String::from_utf8_lossy(name), &String::from_utf8_lossy(value));
                }
            }
        }
    }

    fn context(&self, name: &str) -> Option<Datum<'_>> {
        if let Some(variable) = Context::parse(name) {
            return self.datum(variable);
        }
        // `$context.identity` as a whole.
        let mut members = Map::new();
        for inner in CONTEXT.iter().filter_map(|held| held.strip_prefix(name)?.strip_prefix('.')) {
            let variable = Context::parse(&format!("{name}.{inner}"))?;
            let value = match self.datum(variable) {
                None | Some(Datum::Null) => Value::Null,
                Some(_) => Value::String(self.view.context(variable).into_owned()),
            };
            members.insert(inner.to_owned(), value);
        }
        let any = !members.is_empty();
        any.then(|| Datum::Json(Cow::Owned(Value::Object(members).to_string())))
    }

    fn contexts(&self, each: &mut dyn FnMut(&str, Datum<'_>)) {
        for name in CONTEXT {
            if let Some(datum) = Context::parse(name).and_then(|variable| self.datum(variable)) {
                each(name, datum);
            }
        }
    }

    fn stage_variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut held = self.view.stage_variables().iter();
        held.find(|(held, _)| held == name).map(|(_, value)| Cow::Borrowed(value.as_str()))
    }

    fn stage_variables(&self, each: &mut dyn FnMut(&str, &str)) {
        self.view.stage_variables().iter().for_each(|(name, value)| each(name, value));
    }
}

impl Seen<'_> {
    fn datum(&self, variable: Context) -> Option<Datum<'_>> {
        let view = self.view;
        Some(match variable {
            Context::Unset => Datum::Null,
            Context::AccessKey
            | Context::CallersAccount
            | Context::Caller
            | Context::User
            | Context::UserArn => {
                let told = view.signed_by(variable);
                told.map_or(Datum::Null, |text| Datum::Text(Cow::Borrowed(text)))
            }
            Context::RequestTimeEpoch => {
                i64::try_from(view.unix_ms).map_or(Datum::Null, Datum::Number)
            }
            // There only where the stage has a canary; recorded.
            Context::IsCanaryRequest => Datum::Bool(view.world.facts(view.place).canary?),
            variable => Datum::Text(view.context(variable)),
        })
    }
}

/// The members of `$context`, without the overrides, which are the template's own; recorded.
const CONTEXT: [&str; 28] = [
    "accountId",
    "apiId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "identity.accessKey",
    "identity.accountId",
    "identity.caller",
    "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType",
    "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId",
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "isCanaryRequest",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
];

/// A path parameter decoded.
fn path_value(sent: &[u8]) -> Cow<'_, str> {
    text(percent_encoding::percent_decode(sent).collect())
}

fn text(bytes: Vec<u8>) -> Cow<'static, str> {
    Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}
