//! `HTTP`, `AWS` and `MOCK`: integrations whose request and answer are mapped rather than passed on.
//!
//! Sources: developer guide, "Method request behavior for payloads without mapping templates", "Content type conversions",
//! "Set up mock integrations"; recorded behaviour of each.

use std::sync::Arc;

use tidegate_proto::v1;

use super::aws::Service;
use super::http::{Http, takes_body};
use super::lambda;
use super::mock::status_code;
use crate::exchange::{Ctx, Ids};
use crate::explain::shown;
use crate::head::{BodySize, Head, Known, Method};
use crate::mapping::body::Document;
use crate::mapping::context::{ReplyView, View};
use crate::mapping::media::{self, BinaryTypes, Handling, Payload};
use crate::mapping::template::Overrides;
use crate::mapping::transform::{Transform, Unrendered};
use crate::respond::responses::{Responses, accepted};
use crate::respond::{Failure, Refusal, Tail};
use crate::snapshot::{Place, Unfit, Variables};
use crate::step::{Answer, Body, Call, MAX_REPLY, Purpose, Reply};

/// An integration with its templates, its upstream and its responses.
#[derive(Debug)]
pub(crate) struct Mapped {
    endpoint: Endpoint,
    templates: Box<[RequestTemplate]>,
    passthrough: Passthrough,
    handling: Handling,
    pub(crate) responses: Responses,
    binary: Arc<BinaryTypes>,
}

/// Who answers.
#[derive(Debug)]
pub(crate) enum Endpoint {
    /// The request itself, by the status code that its template renders.
    Mock,
    Http(Box<Http>),
    Service(Box<Service>),
    /// A function of Lambda.
    Lambda(Box<Service>),
}

/// A request template.
#[derive(Debug)]
struct RequestTemplate {
    media: Box<str>,
    transform: Transform,
    /// What a `MOCK` with constant text answers whatever the request; `None` where that depends.
    selects: Option<Result<u16, Failure>>,
}

/// What becomes of a body no template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

/// What comes of a request.
pub(crate) enum Sent<'m> {
    /// An upstream is called. What the request template overrides is for the response, too.
    Call(Call, Overrides),
    /// Nothing is: the answer is chosen by this value.
    Selected(&'m Mapped, String, Overrides),
    /// The template takes longer than it may here.
    Hurried(Box<Unsent>),
}

/// A request on its way through its template.
#[derive(Debug)]
pub(crate) struct Unsent {
    /// The body as mappings see it, if one looks.
    document: Option<Document>,
    payload: Payload,
}

/// An answer on its way through its template.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// Which integration response it is.
    number: u16,
    /// The upstream's head, and its body as mappings see it, if one looks. Nothing where nobody was called.
    reply: Option<(Head, Option<Document>)>,
    payload: Payload,
    overrides: Overrides,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// There will be none but this.
    Refused(Refusal),
    /// The template takes longer than it may here.
    Hurried(Box<Unanswered>),
}

impl<R: Into<Refusal>> From<R> for NoAnswer {
    fn from(refused: R) -> Self {
        Self::Refused(refused.into())
    }
}

impl Mapped {
    /// Builds an integration on an endpoint.
    pub(crate) fn link(
        endpoint: Endpoint,
        method: &v1::Method,
        from: &v1::Integration,
        variables: Variables<'_>,
        binary: &Arc<BinaryTypes>,
    ) -> Result<Self, Unfit> {
        let responses = Responses::link(method, from, variables)?;
        let mut templates = Vec::new();
        for template in &from.request_templates {
            let which = format!("request template for {}", template.name);
            let transform = Transform::link(&template.value, &which)?;
            let constant = transform.constant().filter(|text| !text.is_empty());
            let selects = match (&endpoint, constant) {
                (Endpoint::Mock, Some(text)) => Some(select_mock(&responses, text)),
                _ => None,
            };
            let media = template.name.to_ascii_lowercase().into();
            templates.push(RequestTemplate { media, transform, selects });
        }
        Ok(Self {
            endpoint,
            templates: templates.into(),
            passthrough: match from.passthrough_behavior.as_str() {
                "NEVER" => Passthrough::Never,
                "WHEN_NO_TEMPLATES" => Passthrough::WhenNoTemplates,
                _ => Passthrough::WhenNoMatch,
            },
            handling: Handling::parse(&from.content_handling)?,
            responses,
            binary: binary.clone(),
        })
    }

    /// The template for a request; `None` when its body passes through.
    fn template(&self, head: &Head) -> Result<Option<&RequestTemplate>, Failure> {
        let sent = media::first(head, Known::ContentType);
        let of = |media: &[u8]| {
            self.templates.iter().find(|t| t.media.as_bytes().eq_ignore_ascii_case(media))
        };
        match of(sent).or_else(|| of(b"$default")) {
            Some(template) => Ok(Some(template)),
            None => match self.passthrough {
                Passthrough::WhenNoMatch => Ok(None),
                Passthrough::WhenNoTemplates if self.templates.is_empty() => Ok(None),
                Passthrough::WhenNoTemplates | Passthrough::Never => {
                    Err(Failure::UnsupportedMediaType)
                }
            },
        }
    }

    /// Answers at once a request whose answer was known when the method was linked; `None` for any other.
    pub(crate) fn constant(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        place: Place,
        ids: &Ids,
    ) -> Option<Result<Answer, Failure>> {
        if !matches!(self.endpoint, Endpoint::Mock) || !self.binary.is_empty() {
            return None;
        }
        let number = match self.template(view.head) {
            Ok(Some(RequestTemplate { selects: Some(Ok(number)), .. })) => *number,
            Ok(Some(RequestTemplate { selects: Some(Err(failure)), transform, .. })) => {
                let text = transform.constant().unwrap_or_default();
                if let Some(code) = status_code(&String::from_utf8_lossy(text)) {
                    cx.note("integration", || format!("MOCK of status {code}"));
                }
                return Some(Err(*failure));
            }
            Ok(_) => return None,
            Err(failure) => return Some(Err(failure)),
        };
        let response = self.responses.get(number);
        let (body, constant, template) =
            match self.responses.template(response, accepted(view.head)) {
                None => (Body::Empty, 0, None),
                Some((number, template)) => match template.transform.constant()? {
                    [] => (Body::Empty, 0, Some(template)),
                    _ => (Body::Constant(place), number, Some(template)),
                },
            };
        let status = response.status().inspect_err(|_| response.tell(cx));
        let answer = status.and_then(|status| {
            let fields = response.head(cx, view, ids, template)?;
            let tail = Tail { constant, ..Tail::new(*ids, Some(place)) };
            Ok(Answer { status, fields, body, tail })
        });
        if let Ok(answer) = &answer {
            let media = template.map_or("no media type", |template| template.media());
            cx.note("integration", || {
                format!("MOCK answers {} from the template for {media}", answer.status)
            });
        }
        Some(answer)
    }

    /// Whether the body of a request has to be there before anything can be sent.
    pub(crate) fn wants_body(&self, head: &Head) -> Result<bool, Failure> {
        self.template(head)?;
        Ok(head.body != BodySize::Empty)
    }

    /// Decides what to send, once the whole body is there.
    pub(crate) fn send(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        body: Vec<u8>,
    ) -> Result<Sent<'_>, Failure> {
        let reads_body = match &self.endpoint {
            Endpoint::Mock => false,
            Endpoint::Http(http) => http.reads_body,
            Endpoint::Service(service) | Endpoint::Lambda(service) => service.reads_body,
        };
        let document = if reads_body {
            Some(Document::read(&body).map_err(|_| Failure::BadJson)?)
        } else {
            None
        };
        let binary = self.binary.holds(media::first(view.head, Known::ContentType));
        let payload =
            Payload::of_request(body, binary, self.handling).map_err(|_| Failure::BadConversion)?;
        self.send_on(cx, view, Unsent { document, payload })
    }

    /// Decides what to send, from the request template on.
    pub(crate) fn send_on(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        unsent: Unsent,
    ) -> Result<Sent<'_>, Failure> {
        let Unsent { document, payload } = unsent;
        let view = &View { body: document.as_ref(), ..*view };
        let mut overrides = Overrides::default();
        let body = match self.transform(cx, view, payload, &mut overrides) {
            Ok(body) => body,
            Err(Unrendered::Failed(failure)) => return Err(failure),
            Err(Unrendered::Hurried(text)) => {
                let payload = Payload::Text(text);
                return Ok(Sent::Hurried(Box::new(Unsent { document, payload })));
            }
        };
        let view = &View { overrides: Some(&overrides), ..*view };
        match &self.endpoint {
            Endpoint::Mock => {
                let text = String::from_utf8_lossy(&body);
                let code = status_code(&text).ok_or(Failure::NoStatusCode)?;
                cx.note("integration", || format!("MOCK of status {code}"));
                Ok(Sent::Selected(self, code.to_string(), overrides))
            }
            Endpoint::Http(http) => {
                http.reach(cx, "HTTP")?;
                http.tell(cx, view);
                let request = http.mapped(cx, view)?;
                let body = if takes_body(request.method) { body } else { Vec::new() };
                let call = Call {
                    purpose: Purpose::Integrate,
                    upstream: http.upstream.clone(),
                    request,
                    body,
                    max_reply: MAX_REPLY,
                };
                Ok(Sent::Call(call, overrides))
            }
            Endpoint::Lambda(service) if service.method != Some(Method::Post) => {
                Err(Failure::NotPost)
            }
            Endpoint::Service(service) | Endpoint::Lambda(service) => {
                cx.note("integration", || format!("AWS, {}", service.upstream.authority));
                service.tell(cx, view);
                let call = service.call(cx, view, body)?;
                Ok(Sent::Call(call, overrides))
            }
        }
    }

    fn transform(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        payload: Payload,
        overrides: &mut Overrides,
    ) -> Result<Vec<u8>, Unrendered> {
        let template = self.template(view.head).map_err(Unrendered::Failed)?;
        cx.note("mapping", || match template {
            Some(template) => format!("request template for {}", template.media),
            None => "no request template; the body passes".to_owned(),
        });
        render(template.map(|template| &template.transform), cx, view, payload, overrides)
    }

    /// Answers with what an upstream said.
    pub(crate) fn answer(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        place: Place,
        reply: Reply,
        overrides: Overrides,
    ) -> Result<Answer, NoAnswer> {
        let selected = match &self.endpoint {
            Endpoint::Lambda(_) => lambda::selection(&reply)?,
            _ => reply.head.status.to_string(),
        };
        let number = self.responses.select(&selected).ok_or(Failure::NoIntegrationResponse)?;
        let document = if self.responses.get(number).reads_body {
            Some(Document::read(&reply.body).map_err(|_| Failure::BadReplyJson)?)
        } else {
            None
        };
        let media = media::first(&reply.head, Known::ContentType);
        let payload = self.reply_payload(cx, view, number, reply.body, media)?;
        let reply = Some((reply.head, document));
        self.answer_on(cx, view, ids, place, Unanswered { number, reply, payload, overrides })
    }

    /// Answers without an upstream.
    pub(crate) fn answer_selected(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        place: Place,
        selected: &str,
        overrides: Overrides,
    ) -> Result<Answer, NoAnswer> {
        let number = self.responses.select(selected).ok_or(Failure::NoIntegrationResponse)?;
        let payload = self.reply_payload(cx, view, number, Vec::new(), media::JSON)?;
        self.answer_on(cx, view, ids, place, Unanswered { number, reply: None, payload, overrides })
    }

    /// The body of an answer as its integration response wants it.
    fn reply_payload(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        number: u16,
        body: Vec<u8>,
        media: &[u8],
    ) -> Result<Payload, Failure> {
        let response = self.responses.get(number);
        response.status().inspect_err(|_| response.tell(cx))?;
        let (binary, wanted) = (self.binary.holds(media), self.binary.holds(accepted(view.head)));
        Payload::of_reply(body, binary, wanted, response.handling)
            .map_err(|_| Failure::BadConversion)
    }

    /// Answers, from the response template on.
    pub(crate) fn answer_on(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        place: Place,
        unanswered: Unanswered,
    ) -> Result<Answer, NoAnswer> {
        let Unanswered { number, reply, payload, mut overrides } = unanswered;
        let shown = reply.as_ref().map(|(head, body)| ReplyView { head, body: body.as_ref() });
        let view = &View { reply: shown, ..*view };
        let response = self.responses.get(number);
        let status = response.status()?;
        let accept = accepted(view.head);
        let template = self.responses.template(response, accept).map(|(_, template)| template);
        cx.note("mapping", || match template {
            Some(template) => format!("response template of {status} for {}", template.media()),
            None => format!("no response template of {status}; the body passes"),
        });
        let transform = template.map(|template| &template.transform);
        let body = match render(transform, cx, view, payload, &mut overrides) {
            Ok(body) => body,
            Err(Unrendered::Failed(failure)) => return Err(failure.into()),
            Err(Unrendered::Hurried(text)) => {
                let payload = Payload::Text(text);
                let unanswered = Unanswered { number, reply, payload, overrides };
                return Err(NoAnswer::Hurried(Box::new(unanswered)));
            }
        };
        let view = &View { overrides: Some(&overrides), ..*view };
        let fields = response.head(cx, view, ids, template)?;
        let status = overrides.status().unwrap_or(status);
        let body = if body.is_empty() { Body::Empty } else { Body::Whole(body) };
        Ok(Answer { status, fields, body, tail: Tail::new(*ids, Some(place)) })
    }
}

/// Renders a template over a body; without one, or with an empty one, the body passes.
fn render(
    template: Option<&Transform>,
    cx: &mut Ctx<'_>,
    view: &View<'_>,
    payload: Payload,
    overrides: &mut Overrides,
) -> Result<Vec<u8>, Unrendered> {
    cx.value(|| match &payload {
        Payload::Text(text) if text.is_empty() => "input: none".to_owned(),
        Payload::Text(text) => format!("input: {}", shown(text)),
        Payload::Binary(bytes) => format!("input: {} bytes, binary", bytes.len()),
    });
    let rendered = match (template, payload) {
        (Some(template), Payload::Text(text)) => template.render(cx, view, text, overrides)?,
        // Templates read text; AWS refuses to guess, as recorded.
        (Some(template), Payload::Binary(_)) if !template.passes() => {
            return Err(Unrendered::Failed(Failure::BinaryTemplate));
        }
        (_, payload) => return Ok(payload.into_bytes()),
    };
    cx.value(|| format!("output: {}", shown(&rendered)));
    Ok(rendered)
}

/// The response that a `MOCK`'s rendered template selects.
fn select_mock(responses: &Responses, rendered: &[u8]) -> Result<u16, Failure> {
    let text = String::from_utf8_lossy(rendered);
    let code = status_code(&text).ok_or(Failure::NoStatusCode)?;
    responses.select(&code.to_string()).ok_or(Failure::NoIntegrationResponse)
}
