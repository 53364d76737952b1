//! What an execution log says of a failure: AWS's line where it is known, else the cause in our words.
//!
//! Sources: lines of execution logs as AWS's support articles and users report them. What stands in brackets behind AWS's words is ours.

use serde_json::Value;
use tidegate_engine::CallError;
use tidegate_engine::explain::Phase;
use tidegate_engine::respond::Failure;

use super::call::Answered;

/// What an integration answered, as far as a log needs it.
#[derive(Debug, Default)]
pub(super) struct Replied {
    status: u16,
    request_id: String,
    /// `errorMessage` of a function that failed.
    error_message: Option<String>,
}

impl Replied {
    /// Reads an answer.
    pub(super) fn of(answer: &Answered) -> Self {
        let mut fields = answer.head.iter();
        let id = fields.find(|(name, _, _)| name.eq_ignore_ascii_case(b"x-amzn-requestid"));
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        Self {
            status: answer.head.status,
            request_id: id
                .map(|(_, value, _)| String::from_utf8_lossy(value).into_owned())
                .unwrap_or_default(),
            error_message: said
                .and_then(|said| said.get("errorMessage")?.as_str().map(str::to_owned)),
        }
    }
}

/// The line for a failure. `call` is why the last call gave no answer, `phases` what the engine decided.
pub(super) fn fault(
    failure: Failure,
    call: Option<CallError>,
    replied: Option<&Replied>,
    phases: &[Phase],
) -> String {
    let last = |name: &str| phases.iter().rev().find(|phase| phase.name == name);
    let decided = |name: &str| last(name).map(|phase| phase.decision.as_str());
    let unknown = Replied::default();
    let replied = replied.unwrap_or(&unknown);
    let cause = match failure {
        Failure::UpstreamTimeout => return "Execution failed due to a timeout error".to_owned(),
        Failure::UpstreamNetwork => {
            return "Execution failed due to a network error communicating with endpoint"
                .to_owned();
        }
        Failure::InvalidBody => {
            let wrong = last("validate").map(|phase| phase.details.join(", ")).unwrap_or_default();
            return format!(
                "Request body does not match model schema for content type application/json: [{wrong}]"
            );
        }
        Failure::MissingParameters => {
            return decided("validate").unwrap_or(failure.words()).to_owned();
        }
        Failure::LambdaFailed => {
            let said = replied.error_message.as_deref().unwrap_or("null");
            return format!(
                "Lambda execution failed with status {} due to customer function error: {said}. Lambda request id: {}",
                replied.status, replied.request_id
            );
        }
        Failure::LambdaRefused if replied.status == 403 => {
            "Invalid permissions on Lambda function".to_owned()
        }
        Failure::LambdaRefused | Failure::LambdaInvalid => {
            return format!(
                "Lambda invocation failed with status: {}. Lambda request id: {}",
                replied.status, replied.request_id
            );
        }
        Failure::BadAddress if call == Some(CallError::Denied) => {
            "Invalid endpoint address (test calls may not reach it from here)".to_owned()
        }
        Failure::BadAddress => "Invalid endpoint address".to_owned(),
        Failure::Misconfigured => {
            let noted = phases.iter().rev().find(|phase| phase.name != "respond");
            let reason = noted.filter(|phase| phase.name != "route");
            let reason = reason.map_or(failure.words(), |phase| &phase.decision);
            reason.strip_prefix("cannot be carried out: ").unwrap_or(reason).to_owned()
        }
        Failure::BadConversion => "Unable to base64 decode the body.".to_owned(),
        Failure::BinaryTemplate | Failure::Untransformable => {
            let template = last("mapping");
            let is_response = template.is_some_and(|t| t.decision.starts_with("response"));
            let side = if is_response { "response" } else { "request" };
            let why = match template.and_then(|phase| Some((phase, phase.details.last()?))) {
                Some((phase, detail)) => format!("{}: {detail}", phase.decision),
                None => failure.words().to_owned(),
            };
            let why = why.trim_start_matches("Unable to transform request or response: ");
            format!("Unable to transform {side} ({why})")
        }
        Failure::NoIntegrationResponse => {
            // A function is selected by its error message; its status is 200.
            let mocked =
                decided("integration").and_then(|told| told.strip_prefix("MOCK of status "));
            let status = mocked.map_or_else(|| replied.status.to_string(), str::to_owned);
            format!("{}. Endpoint Response Status Code: {status}", failure.words())
        }
        Failure::NoMethodResponse => {
            let chosen = phases.iter().rev();
            let code = chosen.filter(|phase| phase.name == "respond");
            let mut code = code.filter_map(|p| p.decision.strip_prefix("integration response "));
            format!("{}: {}", failure.words(), code.next().unwrap_or_default())
        }
        Failure::NoStatusCode
        | Failure::LambdaMalformed
        | Failure::BadHeader
        | Failure::BadReplyJson => failure.words().to_owned(),
        Failure::ReplyTooLarge => too_large(MAX_BODY),
        // AWS's lines for these are not known.
        _ => return format!("Execution failed: {}", failure.words()),
    };
    format!("Execution failed due to configuration error: {cause}")
}

/// AWS's words, as users report them.
pub(super) fn too_large(length: u64) -> String {
    format!(
        "Integration response of reported length {length} is larger than allowed maximum of 10485760 bytes."
    )
}

/// Largest answer, bytes. Source: API Gateway quotas, "payload size".
const MAX_BODY: u64 = 10_485_760;

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &'static str, decision: &str, details: &[&str]) -> Phase {
        let details = details.iter().map(|text| (*text).to_owned()).collect();
        Phase { name, decision: decision.to_owned(), details }
    }

    #[test]
    fn failures_have_their_lines() {
        let replied = |status| Replied {
            status,
            request_id: "an-id".to_owned(),
            error_message: Some("it broke".to_owned()),
        };
        let config = "Execution failed due to configuration error: ";
        let phases = [
            phase("route", "GET /", &[]),
            phase("validate", "the body does not fit", &["one", "two"]),
            phase("mapping", "request template for text/plain", &["it failed at 1:2: so"]),
            phase("integration", "why it cannot be", &[]),
            phase("respond", "integration response 201", &[]),
            phase("respond", "gateway response 500", &[]),
        ];
        for (failure, call, status, want) in [
            (Failure::UpstreamTimeout, None, 0, "Execution failed due to a timeout error".into()),
            (
                Failure::UpstreamNetwork,
                Some(CallError::Network),
                0,
                "Execution failed due to a network error communicating with endpoint".into(),
            ),
            (
                Failure::BadAddress,
                Some(CallError::Unresolved),
                0,
                format!("{config}Invalid endpoint address"),
            ),
            (
                Failure::BadAddress,
                Some(CallError::Denied),
                0,
                format!("{config}Invalid endpoint address (test calls may not reach it from here)"),
            ),
            (Failure::Misconfigured, None, 0, format!("{config}why it cannot be")),
            (
                Failure::InvalidBody,
                None,
                0,
                "Request body does not match model schema for content type application/json: [one, two]".into(),
            ),
            (
                Failure::LambdaFailed,
                None,
                200,
                "Lambda execution failed with status 200 due to customer function error: it broke. Lambda request id: an-id".into(),
            ),
            (
                Failure::LambdaRefused,
                None,
                403,
                format!("{config}Invalid permissions on Lambda function"),
            ),
            (
                Failure::LambdaRefused,
                None,
                429,
                "Lambda invocation failed with status: 429. Lambda request id: an-id".into(),
            ),
            (Failure::LambdaMalformed, None, 200, format!("{config}Malformed Lambda proxy response")),
            (
                Failure::Untransformable,
                None,
                0,
                format!("{config}Unable to transform request (request template for text/plain: it failed at 1:2: so)"),
            ),
            (Failure::BadConversion, None, 0, format!("{config}Unable to base64 decode the body.")),
            (
                Failure::NoStatusCode,
                None,
                0,
                format!("{config}Unable to parse statusCode. It should be an integer that is defined in the request template."),
            ),
            (
                Failure::NoIntegrationResponse,
                None,
                403,
                format!("{config}No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 403"),
            ),
            (
                Failure::NoMethodResponse,
                None,
                200,
                format!("{config}Output mapping refers to an invalid method response: 201"),
            ),
        ] {
            assert_eq!(fault(failure, call, Some(&replied(status)), &phases), want);
        }
    }
}
