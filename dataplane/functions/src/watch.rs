//! Notices new code and new declarations. The next invocations go to new processes; those that run are finished.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::host::Host;

/// Watches the host's file and the directories of its functions for as long as it runs.
pub async fn run(host: Arc<Host>) {
    let (tell, mut changed) = mpsc::channel::<PathBuf>(CHANGES);
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            // Where so much changes at once, what is in the queue will do.
            let _ = tell.try_send(path);
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!("changes of code and declarations are not noticed: {error}");
            return;
        }
    };
    let file = std::path::absolute(host.file()).unwrap_or_else(|_| host.file().to_owned());
    // Editors replace files: the folder stays.
    let folder = file.parent().unwrap_or(Path::new("/"));
    if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
        tracing::warn!("changes of {} are not noticed: {error}", file.display());
    }
    let mut watched = BTreeSet::new();
    loop {
        watch_directories(&mut watcher, &mut watched, &host);
        let Some(first) = changed.recv().await else { return };
        let mut paths = BTreeSet::from([first]);
        // An editor or an installer writes several files: wait for quiet, though not for ever.
        let end = tokio::time::Instant::now() + LONGEST;
        while let Ok(Some(path)) =
            tokio::time::timeout_at(end.min(tokio::time::Instant::now() + QUIET), changed.recv())
                .await
        {
            paths.insert(path);
        }
        apply(&host, &file, &paths);
    }
}

fn apply(host: &Host, file: &Path, paths: &BTreeSet<PathBuf>) {
    if paths.contains(file) {
        match host.reload() {
            Ok(()) => tracing::info!("{} is read again", file.display()),
            Err(error) => tracing::error!("{error}; the functions stay as they were"),
        }
    }
    for function in host.functions() {
        let declaration = function.declaration();
        let inside = |path: &&PathBuf| {
            let within = path.strip_prefix(&declaration.directory).ok();
            // The file itself may lie beside the code.
            *path != file && within.is_some_and(|within| !is_by_product(within))
        };
        if let Some(path) = paths.iter().find(inside).filter(|_| declaration.watch) {
            tracing::info!(
                "function {}: {} changed; new invocations go to new processes",
                declaration.name,
                path.display()
            );
            host.renew(&declaration.name);
        }
    }
}

/// Whether running code, not a person, writes such files.
fn is_by_product(path: &Path) -> bool {
    path.components().any(|component| match component {
        Component::Normal(name) => {
            name == "__pycache__" || name.as_encoded_bytes().starts_with(b".")
        }
        _ => false,
    })
}

/// Watches the directories of the functions as they are now.
fn watch_directories(
    watcher: &mut notify::RecommendedWatcher,
    watched: &mut BTreeSet<PathBuf>,
    host: &Host,
) {
    let functions = host.functions();
    let wanted: BTreeSet<&PathBuf> = functions
        .iter()
        .map(|function| function.declaration())
        .filter(|declaration| declaration.watch && declaration.directory.is_dir())
        .map(|declaration| &declaration.directory)
        .collect();
    watched.retain(|directory| {
        let keep = wanted.contains(directory);
        if !keep {
            // It may be gone, and its watch with it.
            let _ = watcher.unwatch(directory);
        }
        keep
    });
    for directory in wanted {
        if watched.contains(directory) {
            continue;
        }
        match watcher.watch(directory, RecursiveMode::Recursive) {
            Ok(()) => drop(watched.insert(directory.clone())),
            Err(error) => {
                tracing::warn!("changes in {} are not noticed: {error}", directory.display());
            }
        }
    }
}

/// Changed paths that wait to be looked at.
const CHANGES: usize = 4096;

/// Without a change for so long, what changed is whole.
const QUIET: Duration = Duration::from_millis(100);

/// A directory that never comes to rest is looked at all the same.
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_running_leaves_behind_is_no_change() {
        for (path, by_product) in [
            ("app.py", false),
            ("lib/x.js", false),
            ("__pycache__/app.cpython-311.pyc", true),
            ("lib/.cache/x", true),
            (".app.py.swp", true),
        ] {
            assert_eq!(is_by_product(Path::new(path)), by_product, "{path}");
        }
    }
}
