//! A control plane and nodes in this process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use serde_json::json;
use tidegate_control::app::deployments::CreateDeployment;
use tidegate_control::app::imports::PutMode;
use tidegate_control::app::rest_apis::CreateRestApi;
use tidegate_control::app::{App, CompiledBundle, Compiler, Diagnostic, Settings};
use tidegate_control::compile::{EngineCompiler, compile};
use tidegate_control::grpc::{Grpc, GrpcConfig};
use tidegate_control::model::{ApiSettings, ContentHash, Snapshot};
use tidegate_control::publish::Publisher;
use tidegate_control::store::{SqliteStore, Store};
use tidegate_control::vault::Vault;
use tidegate_node::agent::{self, AgentConfig, AgentHandle, ControlPlane, Timing};
use tidegate_node::publication::Publication;
use tidegate_proto::v1;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The engine's compiler, and on request one that lets through what nodes refuse, or makes bundles large.
struct TestCompiler;

/// In an API's version: nodes refuse the bundle.
pub const UNFIT: &str = "unfit";
/// In an API's version: the bundle has some 2.5 MB.
pub const LARGE: &str = "large";

impl Compiler for TestCompiler {
    fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
        let compiled = compile(snapshot)?;
        let mut bundle = v1::Bundle::decode(&*compiled.bytes).unwrap();
        match snapshot.rest_api.version.as_deref() {
            Some(UNFIT) => bundle.resources[0].methods[0].api_key_required = true,
            Some(LARGE) => bundle.models.push(v1::Model {
                name: "large".into(),
                schema: "x".repeat(2_500_000),
                ..Default::default()
            }),
            _ => return Ok(compiled),
        }
        let bytes = bundle.encode_to_vec();
        Ok(CompiledBundle { id: ContentHash::of(&bytes), bytes })
    }

    fn check_settings(&self, settings: &ApiSettings) -> Result<(), String> {
        EngineCompiler.check_settings(settings)
    }
}

/// A control plane.
pub struct Control {
    pub app: App,
    pub publisher: Arc<Publisher>,
    pub address: SocketAddr,
    store: Arc<SqliteStore>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Control {
    /// Starts one on the store of a directory and on a free port.
    pub async fn start(directory: &Path) -> Self {
        Self::start_on(directory, "127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn start_on(directory: &Path, address: SocketAddr) -> Self {
        Self::start_with(directory, GrpcConfig::plain(address)).await
    }

    pub async fn start_with(directory: &Path, config: GrpcConfig) -> Self {
        let store = Arc::new(SqliteStore::open(directory).unwrap());
        let settings = Settings::default();
        let publisher = Publisher::open(store.clone(), &settings).await.unwrap();
        let app =
            App::new(store.clone(), Arc::new(TestCompiler), Arc::new(Vault::ephemeral()), settings);
        let (stop, stopped) = watch::channel(false);
        let grpc = Grpc::bind(&config).await.unwrap();
        let address = grpc.address();
        let router = grpc.router(publisher.clone(), stopped.clone()).await.unwrap();
        let following = tokio::spawn({
            let (publisher, stopped) = (publisher.clone(), stopped.clone());
            async move { publisher.run(stopped).await }
        });
        let serving = tokio::spawn(async move { grpc.serve(router, stopped).await.unwrap() });
        Self { app, publisher, address, store, stop, tasks: vec![following, serving] }
    }

    /// Ends it; the store may be opened again afterwards.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.unwrap();
        }
        let alive = Arc::downgrade(&self.store);
        drop((self.app, self.publisher, self.store));
        eventually("the store is closed", || alive.strong_count() == 0).await;
    }

    /// Creates an API with this id.
    pub async fn create(&self, id: &str, tags: &[(&str, &str)]) {
        let tags = tags
            .iter()
            .chain(&[("_custom_id_", id)])
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let input = CreateRestApi { name: id.to_owned(), tags: Some(tags), ..Default::default() };
        assert_eq!(self.app.create_rest_api(input).await.unwrap().id.as_str(), id);
    }

    /// Replaces an API's content by one MOCK method at `path`, and deploys it to `stage`. `version` speaks to the compiler.
    pub async fn deploy(&self, id: &str, stage: &str, path: &str, version: &str) {
        let document = json!({
            "openapi": "3.0.1",
            "info": { "title": id, "version": version },
            "paths": { path: { "get": {
                "responses": { "200": { "description": "" } },
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
                    "responses": { "default": { "statusCode": "200" } },
                },
            } } },
        });
        let bytes = document.to_string().into_bytes();
        self.app.put_rest_api(id, PutMode::Overwrite, &bytes, &[]).await.unwrap();
        let input = CreateDeployment { stage_name: Some(stage.to_owned()), ..Default::default() };
        self.app.create_deployment(id, input).await.unwrap();
    }

    /// Creates and deploys APIs that serve `/{id}` in stage `prod`.
    pub async fn populate(&self, ids: &[&str]) {
        for id in ids {
            self.create(id, &[]).await;
            self.deploy(id, "prod", &format!("/{id}"), "1").await;
        }
    }

    /// Sequence of the newest change.
    pub async fn head(&self) -> u64 {
        self.store.head().await.unwrap()
    }

    /// Waits until everything that is committed now is in the catalog.
    pub async fn published(&self) {
        let head = self.head().await;
        eventually("the catalog is up to date", || {
            self.publisher.catalog().revision().sequence >= head
        })
        .await;
    }

    /// Waits until a node has acknowledged everything that is committed now.
    pub async fn settled(&self, node: &str) -> v1::Node {
        let head = self.head().await;
        let has = || {
            let node = self.publisher.nodes.node(node)?;
            (node.connected && node.revision.is_some_and(|held| held.sequence >= head))
                .then_some(node)
        };
        eventually("the node has acknowledged", || has().is_some()).await;
        has().unwrap()
    }
}

/// A node's agent.
pub struct Edge {
    pub id: String,
    pub agent: AgentHandle,
    pub publication: Arc<Publication>,
}

impl Edge {
    /// Starts one on a data directory.
    pub fn start(id: &str, control: SocketAddr, directory: &Path) -> Self {
        Self::with(AgentConfig { data_dir: Some(directory.to_owned()), ..config(id, control) })
    }

    pub fn with(config: AgentConfig) -> Self {
        let publication = Arc::new(Publication::new());
        let id = config.node_id.clone().unwrap();
        let agent = agent::start(config, publication.clone(), Vec::new()).unwrap();
        Self { id, agent, publication }
    }

    /// Paths that serve in a stage.
    pub fn routes(&self, api: &str, stage: &str) -> Vec<String> {
        let world = self.publication.load();
        let stages = world.api(api).map(|api| api.stages()).unwrap_or_default();
        let stage = stages.iter().find(|held| &*held.name == stage);
        stage
            .map(|held| held.link().routes().map(|(_, path)| path.to_owned()).collect())
            .unwrap_or_default()
    }

    /// Waits until a stage serves exactly this path.
    pub async fn serves(&self, api: &str, path: &str) {
        let what = format!("{} serves {api}{path}", self.id);
        eventually(&what, || self.routes(api, "prod") == [path]).await;
    }

    /// Ids of the APIs it has.
    pub fn apis(&self) -> Vec<String> {
        let mut ids: Vec<_> =
            self.publication.load().apis().map(|api| api.id().to_owned()).collect();
        ids.sort();
        ids
    }

    pub async fn stop(self) {
        let agent = self.agent;
        tokio::task::spawn_blocking(move || agent.shutdown()).await.unwrap();
    }
}

/// Settings of a node that reconnects within milliseconds.
pub fn config(id: &str, control: SocketAddr) -> AgentConfig {
    AgentConfig {
        control: Some(ControlPlane::plain(format!("http://{control}"))),
        node_id: Some(id.to_owned()),
        timing: Timing {
            reconnect_base: Duration::from_millis(5),
            reconnect_cap: Duration::from_millis(50),
            disk_delay: Duration::from_millis(5),
            ..Timing::default()
        },
        ..AgentConfig::default()
    }
}

/// Waits for a condition; fails after a time no working system takes.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
