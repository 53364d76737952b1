//! The helpful line for each error the gateway makes itself, with what the control plane can add to the node's words.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_proto::v1;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::super::client::Client;

/// A line of the node: what happened, and where.
#[derive(Debug, PartialEq, Eq)]
struct Hint<'l> {
    text: &'l str,
    /// API and stage, when the request had both.
    stage: Option<(&'l str, &'l str)>,
}

impl<'l> Hint<'l> {
    /// Reads `{text} [api={id} stage={name}]`.
    fn parse(line: &'l str) -> Self {
        let whole = Self { text: line, stage: None };
        let Some((text, place)) = line.rsplit_once(" [api=") else { return whole };
        let Some((api, stage)) = place.strip_suffix(']').and_then(|p| p.split_once(" stage="))
        else {
            return whole;
        };
        let both = !api.is_empty() && !stage.is_empty();
        Self { text, stage: both.then_some((api, stage)) }
    }

    /// The line for people. `changes` counts what is not deployed; `None` when nobody could say.
    fn line(&self, changes: Option<usize>) -> String {
        match (self.stage, changes) {
            (Some((api, stage)), Some(count)) if count > 0 => {
                let noun = if count == 1 { "change" } else { "changes" };
                format!(
                    "{}; {count} undeployed {noun} (run: tidegate deploy {api} --stage {stage})",
                    self.text
                )
            }
            _ => self.text.to_owned(),
        }
    }
}

/// Takes the node's lines and prints each with what can be added, in order. What does not fit in the queue is lost: a flood of
/// errors is no reason to fall behind.
pub(super) fn decorate(mut client: Client) -> mpsc::Sender<String> {
    let (lines, mut queue) = mpsc::channel::<String>(QUEUE);
    tokio::spawn(async move {
        let mut known: HashMap<(String, String), (Instant, Option<usize>)> = HashMap::new();
        while let Some(line) = queue.recv().await {
            let hint = Hint::parse(&line);
            let changes = match hint.stage {
                Some((api, stage)) => {
                    let key = (api.to_owned(), stage.to_owned());
                    let now = Instant::now();
                    known.retain(|_, (asked, _)| now.duration_since(*asked) < FRESH);
                    match known.get(&key) {
                        Some((_, changes)) => *changes,
                        None => {
                            let changes = count(&mut client, api, stage).await;
                            known.insert(key, (now, changes));
                            changes
                        }
                    }
                }
                None => None,
            };
            eprintln!("{}", hint.line(changes));
        }
    });
    lines
}

/// How many changes are not deployed; `None` when the control plane does not say so quickly.
async fn count(client: &mut Client, api: &str, stage: &str) -> Option<usize> {
    let address = v1::StageAddress { rest_api_id: api.to_owned(), stage_name: stage.to_owned() };
    let answer = timeout(PATIENCE, client.rpc().list_undeployed_changes(address)).await;
    Some(answer.ok()?.ok()?.into_inner().changes.len())
}

/// Lines that wait.
const QUEUE: usize = 64;

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long a line waits for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_and_put_together() {
        let text = "403 MissingAuthenticationToken GET /prod/pet: no such resource; nearest /pets";
        let line = format!("{text} [api=abc stage=prod]");
        let hint = Hint::parse(&line);
        assert_eq!(hint, Hint { text, stage: Some(("abc", "prod")) });
        assert_eq!(hint.line(None), text);
        assert_eq!(hint.line(Some(0)), text);
        let want = "; 2 undeployed changes (run: tidegate deploy abc --stage prod)";
        assert_eq!(hint.line(Some(2)), format!("{text}{want}"));
        assert!(hint.line(Some(1)).contains("1 undeployed change (run"));
    }

    #[test]
    fn lines_without_a_stage_stay_as_they_are() {
        for (line, text) in [
            ("403 x [api= stage=]", "403 x"),
            ("403 x [api=abc stage=]", "403 x"),
            ("403 x", "403 x"),
            ("403 GET /[api=1", "403 GET /[api=1"),
        ] {
            let hint = Hint::parse(line);
            assert_eq!((hint.text, hint.stage), (text, None), "{line}");
        }
    }
}
