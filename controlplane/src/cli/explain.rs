//! `tidegate explain`: every phase's decision with the values behind it, and the exact request that would go upstream.

use serde_json::json;
use tidegate_proto::v1;

use super::Shown;
use super::body;
use super::client::Client;
use super::error::CliError;

/// Arguments of `tidegate explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The request's method, for example GET
    method: String,
    /// Where the request would go, for example http://{api}.execute-api.localhost/{stage}/path
    url: String,
    /// A header of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The request's body: a file, `-` for standard input, or the text itself
    #[arg(short = 'd', long, value_name = "FILE|TEXT|-")]
    body: Option<String>,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let request = v1::HttpRequest {
        headers: arguments.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
        method: arguments.method,
        url: arguments.url,
        body: body::read(arguments.body.as_deref())?,
    };
    let asked = v1::ExplainRequest { request: Some(request) };
    let explained = client.rpc().explain(asked).await;
    let explained = client.told(explained)?;
    Ok(Shown { text: text(&explained), json: shown(&explained) })
}

fn header(line: &str) -> Result<v1::Pair, CliError> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| CliError::Usage(format!("{line:?} is no header; write -H 'name: value'")))?;
    Ok(v1::Pair { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

/// Phases in two columns, then the request or the answer as it would stand on the wire.
fn text(explained: &v1::Explained) -> String {
    let width = explained.phases.iter().map(|phase| phase.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for phase in &explained.phases {
        lines.push(format!("{:width$}  {}", phase.name, phase.decision));
        for detail in &phase.details {
            // Values have lines of their own; they stand a little further in than what they belong to.
            let mut of_value = detail.lines();
            lines.push(format!("{:width$}    {}", "", of_value.next().unwrap_or_default()));
            lines.extend(of_value.map(|line| format!("{:width$}      {line}", "")));
        }
    }
    if let Some(upstream) = &explained.upstream {
        lines.push(String::new());
        lines.push("would send upstream".to_owned());
        lines.push(format!("  {} {}", upstream.method, upstream.url));
        message(&upstream.headers, &upstream.body, &mut lines);
    }
    if let Some(answer) = &explained.answer {
        lines.push(String::new());
        lines.push("would answer by itself".to_owned());
        lines.push(format!("  {}", answer.status));
        message(&answer.headers, &answer.body, &mut lines);
    }
    lines.join("\n")
}

fn message(headers: &[v1::Pair], body: &[u8], lines: &mut Vec<String>) {
    lines.extend(headers.iter().map(|header| format!("  {}: {}", header.name, header.value)));
    if !body.is_empty() {
        lines.push(String::new());
        lines.extend(String::from_utf8_lossy(body).lines().map(|line| format!("  {line}")));
    }
}

fn shown(explained: &v1::Explained) -> serde_json::Value {
    let headers = |headers: &[v1::Pair]| -> Vec<serde_json::Value> {
        headers.iter().map(|h| json!({ "name": h.name, "value": h.value })).collect()
    };
    let phases = explained.phases.iter().map(
        |phase| json!({ "name": phase.name, "decision": phase.decision, "details": phase.details }),
    );
    json!({
        "phases": phases.collect::<Vec<_>>(),
        "upstream": explained.upstream.as_ref().map(|request| json!({
            "method": request.method, "url": request.url, "headers": headers(&request.headers),
            "body": String::from_utf8_lossy(&request.body),
        })),
        "answer": explained.answer.as_ref().map(|answer| json!({
            "status": answer.status, "headers": headers(&answer.headers),
            "body": String::from_utf8_lossy(&answer.body),
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_split_at_the_first_colon() {
        let pair = header("X-A: b:c ").unwrap();
        assert_eq!((pair.name.as_str(), pair.value.as_str()), ("X-A", "b:c"));
        assert!(header("X-A").is_err());
    }

    #[test]
    fn an_explanation_reads_like_a_page() {
        let phase = |name: &str, decision: &str, details: &[&str]| v1::Phase {
            name: name.to_owned(),
            decision: decision.to_owned(),
            details: details.iter().map(|detail| (*detail).to_owned()).collect(),
        };
        let explained = v1::Explained {
            phases: vec![
                phase("address", "API abc", &[]),
                phase("route", "GET /pets/{id}", &["id = 7", "input: {\n}"]),
            ],
            upstream: Some(v1::HttpRequest {
                method: "GET".to_owned(),
                url: "http://up/pets/7".to_owned(),
                headers: vec![v1::Pair { name: "Host".to_owned(), value: "up".to_owned() }],
                body: Vec::new(),
            }),
            answer: None,
        };
        assert_eq!(
            text(&explained),
            "address  API abc\n\
             route    GET /pets/{id}\n           id = 7\n           input: {\n             }\n\n\
             would send upstream\n  GET http://up/pets/7\n  Host: up"
        );
    }
}
