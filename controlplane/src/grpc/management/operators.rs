//! Who may call the service, by the name in the certificate they showed.
//!
//! The port's client CA signs for nodes and operators alike; a node has no business here.

use std::sync::Arc;

use tonic::transport::CertificateDer;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::error::Refused;

/// Names of operators: DNS names or common names of their certificates. None: whoever is let in at the port may call.
#[derive(Debug, Clone, Default)]
pub struct Operators(Arc<[String]>);

impl Operators {
    /// These and nobody else, or everybody if there are none.
    pub fn new(names: &[String]) -> Self {
        Self(names.into())
    }

    /// Lets a call in whose connection showed the certificate of an operator.
    pub(super) fn admit(&self, connection: &http::Extensions) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let info = connection.get::<TlsConnectInfo<TcpConnectInfo>>();
        let shown = info.and_then(TlsConnectInfo::peer_certs);
        let names = shown.as_ref().and_then(|chain| chain.first()).map(names).unwrap_or_default();
        let is_operator =
            |name: &String| self.0.iter().any(|operator| operator.eq_ignore_ascii_case(name));
        if names.iter().any(is_operator) {
            return Ok(());
        }
        Err(Refused::NotOperator(match names.first() {
            Some(name) => format!(
                "{name:?} is not among the operators that --grpc-operator names, and may not call Management"
            ),
            None => {
                "a certificate that --grpc-operator names is needed to call Management".to_owned()
            }
        }))
    }
}

/// The names in a certificate: DNS names, then common names. None when it cannot be read.
fn names(certificate: &CertificateDer<'static>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let mut names = Vec::new();
    if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
        names.extend(alternatives.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        }));
    }
    let common = certificate.subject().iter_common_name();
    names.extend(common.filter_map(|name| name.as_str().ok()).map(str::to_owned));
    names
}
