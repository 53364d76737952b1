//! An admin API in this process that starts anew after some calls, so that what one input leaves behind stays small.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tidegate_control::app::{App, Settings};
use tidegate_control::compile::EngineCompiler;
use tidegate_control::rest::Rest;
use tidegate_control::store::SqliteStore;
use tidegate_control::vault::Vault;

/// The admin API with its store.
pub struct Control {
    runtime: tokio::runtime::Runtime,
    rest: Rest,
    calls: u32,
    _directory: TempDir,
}

impl Control {
    /// An empty one.
    pub fn start() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let directory = directory.expect("a directory can be made");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let _entered = runtime.enter();
        let store = SqliteStore::open(directory.path()).expect("the directory is ours");
        let vault = Vault::open(directory.path(), None).expect("the directory is ours");
        let mut settings = Settings::default();
        settings.limits.api_keys_per_import = 50;
        let compiler = Arc::new(EngineCompiler);
        let app = App::new(Arc::new(store), compiler, Arc::new(vault), settings);
        drop(_entered);
        Self { runtime, rest: Rest::new(Arc::new(app), None), calls: 0, _directory: directory }
    }

    /// Whether it has been called so often that a new one should take its place.
    pub fn is_worn(&self) -> bool {
        self.calls > 2_000
    }

    /// Sends a call and gives its status and its body. The gateway never fails itself, whatever is asked.
    pub fn call(&mut self, method: &str, target: &str, body: &[u8]) -> (u16, Value) {
        self.calls += 1;
        let request = Request::builder().method(method).uri(target);
        let request = request.body(Bytes::copy_from_slice(body)).expect("the target is a URI");
        self.runtime.block_on(async {
            let answer = self.rest.answer(request).await;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.expect("a whole body is there").to_bytes();
            assert!(status < 500, "{status} {}", String::from_utf8_lossy(&body));
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }
}
