//! One line that helps for each answer the gateway made itself, for people at a terminal.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use tidegate_engine::Record;
use tidegate_engine::explain::nearest;
use tidegate_engine::head::Head;
use tidegate_engine::respond::Failure;
use tidegate_engine::snapshot::World;

/// Where the lines go.
#[derive(Clone)]
pub struct Hints {
    lines: SyncSender<String>,
}

/// Writes one line somewhere.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

impl Hints {
    /// Starts the thread that prints.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(print: Print) -> std::io::Result<Self> {
        // A flood of errors must not become a flood of waiting lines; what does not fit is not worth reading.
        let (lines, queue) = sync_channel::<String>(64);
        std::thread::Builder::new().name("hints".into()).spawn(move || {
            for line in queue {
                print(&line);
            }
        })?;
        Ok(Self { lines })
    }

    /// Says what went wrong with a request, and what was probably meant.
    pub fn say(&self, world: &World, record: &Record<'_>, request: &Head, failure: Failure) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (method, path) = (text(request.bytes(request.method_text)), text(request.path()));
        let near = match failure {
            Failure::NoRoute => nearest_route(world, record, &path),
            Failure::UnknownStage => stages(world, record),
            Failure::UnknownApi => Some(format!("host {}", text(request.authority()))),
            _ => None,
        };
        let near = near.map(|n| format!("; {n}")).unwrap_or_default();
        let line = format!(
            "{} {} {method} {path}: {}{near} [api={} stage={}]",
            record.status,
            record.error.map_or_else(String::new, camel),
            failure.words(),
            record.api,
            record.stage
        );
        let _ = self.lines.try_send(line);
    }
}

/// `MISSING_AUTHENTICATION_TOKEN` as `MissingAuthenticationToken`.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_owned() + &rest.to_ascii_lowercase()
        })
        .collect()
}

fn nearest_route(world: &World, record: &Record<'_>, path: &str) -> Option<String> {
    let api = world.api(record.api)?;
    let stage = api.stages().iter().find(|s| *s.name == *record.stage)?;
    let prefix = format!("/{}", record.stage);
    let wanted = path.strip_prefix(&prefix).unwrap_or(path);
    nearest(wanted, stage.link().routes().map(|(_, path)| path)).map(|p| format!("nearest {p}"))
}

fn stages(world: &World, record: &Record<'_>) -> Option<String> {
    let api = world.api(record.api)?;
    let names: Vec<&str> = api.stages().iter().map(|s| &*s.name).collect();
    Some(if names.is_empty() {
        "it has none".into()
    } else {
        format!("it has {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_for_people() {
        assert_eq!(camel("MISSING_AUTHENTICATION_TOKEN"), "MissingAuthenticationToken");
        assert_eq!(camel("DEFAULT_4XX"), "Default4xx");
    }
}
