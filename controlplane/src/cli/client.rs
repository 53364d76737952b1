//! Calls to a control plane.

use std::path::PathBuf;
use std::time::Duration;

use tidegate_proto::v1;
use tidegate_proto::v1::management_client::ManagementClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Response, Status};

use super::error::CliError;

/// A connection to a control plane, made with the first call.
#[derive(Debug, Clone)]
pub(super) struct Client {
    rpc: ManagementClient<Channel>,
    control: String,
}

/// How far the nodes are with the newest revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// Connected nodes that serve it.
    pub(super) serving: usize,
    /// Connected nodes.
    pub(super) connected: usize,
}

impl Settled {
    /// As a person says it.
    pub(super) fn words(self) -> String {
        let Self { serving, connected } = self;
        match connected {
            0 => "no node is connected".to_owned(),
            1 if serving == 1 => "served by 1 node".to_owned(),
            all if serving == all => format!("served by {all} nodes"),
            _ => format!("served by {serving} of {connected} nodes so far; see `tidegate nodes`"),
        }
    }
}

/// Where the control plane is, and what to show it. The names are those of flags, which no command may use for its own.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Control {
    /// The control plane's gRPC address
    #[arg(
        long,
        global = true,
        env = "TIDEGATE_CONTROL",
        value_name = "URL",
        default_value = "http://127.0.0.1:4701"
    )]
    control: String,
    /// Certificates that sign the control plane's, PEM; for an https address
    #[arg(long, global = true, env = "TIDEGATE_CONTROL_CA", value_name = "FILE")]
    control_ca: Option<PathBuf>,
    /// The operator's certificate, PEM; where the control plane asks for one
    #[arg(
        long,
        global = true,
        env = "TIDEGATE_CONTROL_CERT",
        value_name = "FILE",
        requires = "control_key"
    )]
    control_cert: Option<PathBuf>,
    /// Key of that certificate, PEM
    #[arg(
        long,
        global = true,
        env = "TIDEGATE_CONTROL_KEY",
        value_name = "FILE",
        requires = "control_cert"
    )]
    control_key: Option<PathBuf>,
}

impl Control {
    /// One that speaks plaintext.
    pub(super) fn plain(url: &str) -> Self {
        Self { control: url.to_owned(), ..Self::default() }
    }

    fn tls(&self) -> Result<ClientTlsConfig, CliError> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|cause| CliError::File { path: path.clone(), cause })
        };
        let ca = self.control_ca.as_ref().ok_or_else(|| {
            CliError::Usage(format!(
                "{} needs --control-ca FILE, with the certificates that sign the control plane's",
                self.control
            ))
        })?;
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
        if let (Some(certificate), Some(key)) = (&self.control_cert, &self.control_key) {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(tls)
    }
}

impl Client {
    /// A client of a control plane.
    pub(super) fn open(control: &Control) -> Result<Self, CliError> {
        let url = &control.control;
        let bad = || CliError::Address(url.clone());
        let written = url.starts_with("http://") || url.starts_with("https://");
        let mut endpoint = Endpoint::from_shared(url.clone()).map_err(|_| bad())?;
        if !written || endpoint.uri().host().is_none() {
            return Err(bad());
        }
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(control.tls()?).map_err(|cause| {
                CliError::Usage(format!("the certificates for {url} cannot be used: {cause}"))
            })?;
        }
        let channel = endpoint.connect_timeout(CONNECT).connect_lazy();
        let rpc = ManagementClient::new(channel).max_decoding_message_size(usize::MAX);
        Ok(Self { rpc, control: url.clone() })
    }

    /// The calls.
    pub(super) fn rpc(&mut self) -> &mut ManagementClient<Channel> {
        &mut self.rpc
    }

    /// What a call answered, or why not in words for the terminal.
    pub(super) fn told<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, CliError> {
        answer.map(Response::into_inner).map_err(|status| CliError::of(&self.control, &status))
    }

    /// Every API, in the order of their ids.
    pub(super) async fn apis(&mut self) -> Result<Vec<v1::RestApi>, CliError> {
        let mut apis = Vec::new();
        let mut position = String::new();
        loop {
            let paging = Some(v1::Paging { position, limit: 500 });
            let page = self.rpc.get_rest_apis(v1::GetRestApisRequest { paging }).await;
            let page = self.told(page)?;
            apis.extend(page.items);
            position = page.position;
            if position.is_empty() {
                return Ok(apis);
            }
        }
    }

    /// The API with this id, else the one with this name.
    pub(super) async fn api(&mut self, given: &str) -> Result<v1::RestApi, CliError> {
        let address = v1::RestApiAddress { rest_api_id: given.to_owned() };
        let found = self.rpc.get_rest_api(address).await;
        match self.told(found) {
            Err(CliError::Refused { name, .. }) if name == "NotFoundException" => {}
            other => return other,
        }
        let named = self.apis().await?.into_iter().filter(|api| api.name == given);
        one(given, named.collect())
    }

    /// Waits until `nodes` or more are connected and each of them serves what is newest now, for at most `limit`.
    pub(super) async fn settled(
        &mut self,
        nodes: usize,
        limit: Duration,
    ) -> Result<Settled, CliError> {
        let end = tokio::time::Instant::now() + limit;
        let mut goal = None;
        loop {
            let listed = self.rpc.list_nodes(v1::ListNodesRequest {}).await;
            let listed = self.told(listed)?;
            let goal = goal.get_or_insert(order(listed.head.as_ref()));
            let connected = listed.nodes.iter().filter(|node| node.connected);
            let serving = connected.clone().filter(|node| order(node.revision.as_ref()) >= *goal);
            let settled = Settled { serving: serving.count(), connected: connected.count() };
            let done = settled.serving == settled.connected && settled.connected >= nodes;
            if done || tokio::time::Instant::now() >= end {
                return Ok(settled);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// The only one of several.
fn one(name: &str, mut found: Vec<v1::RestApi>) -> Result<v1::RestApi, CliError> {
    if found.len() > 1 {
        let ids = found.iter().map(|api| api.id.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CliError::Ambiguous { name: name.to_owned(), ids });
    }
    found.pop().ok_or_else(|| CliError::UnknownApi(name.to_owned()))
}

fn order(revision: Option<&v1::Revision>) -> (u64, u64) {
    revision.map_or((0, 0), |revision| (revision.epoch, revision.sequence))
}

/// An unreachable host is told after this.
const CONNECT: Duration = Duration::from_secs(3);

/// Between two looks at what nodes serve; a change needs some 10 ms.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long commands that change something wait for the nodes.
pub(super) const SETTLE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_checked() {
        for bad in ["", "127.0.0.1:4701", "ftp://x", "http://", "https://x"] {
            assert!(Client::open(&Control::plain(bad)).is_err(), "{bad}");
        }
        assert!(Client::open(&Control::plain("http://127.0.0.1:4701")).is_ok());
    }

    #[test]
    fn a_name_must_be_of_one_api() {
        let api = |id: &str| v1::RestApi { id: id.to_owned(), ..v1::RestApi::default() };
        assert!(matches!(one("n", vec![]), Err(CliError::UnknownApi(_))));
        assert_eq!(one("n", vec![api("a")]).unwrap().id, "a");
        let error = one("n", vec![api("a"), api("b")]).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");
    }

    #[test]
    fn nodes_are_counted_in_words() {
        for (serving, connected, want) in [
            (0, 0, "no node is connected"),
            (1, 1, "served by 1 node"),
            (2, 2, "served by 2 nodes"),
            (1, 2, "served by 1 of 2 nodes so far; see `tidegate nodes`"),
        ] {
            assert_eq!(Settled { serving, connected }.words(), want);
        }
    }
}
