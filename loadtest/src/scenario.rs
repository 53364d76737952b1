//! What is asked in a comparison, and the OpenAPI documents that make Tidegate answer it.

pub mod github;

use std::net::SocketAddr;

/// One kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// One path, proxied to the upstream
    Proxy,
    /// One path, answered by the proxy itself with a constant body
    Mock,
    /// 609 paths in the shape of a large public API, asked in turn and proxied
    Routes,
    /// One path, answered by a Lambda function whose Invoke API is the upstream's; peers that call none proxy to it
    Function,
}

/// The body that every peer answers in [`Scenario::Mock`]: as long as the upstream's, 117 bytes.
pub const MOCK_BODY: &str = concat!(
    r#"{"message":"a constant answer, prepared once and sent as it is","#,
    r#""pad":"............................................"}"#
);

const PLAIN: &str = include_str!("../scenarios/plain.json");
const FUNCTION: &str = include_str!("../scenarios/function.json");
const MOCK: &str = include_str!("../scenarios/mock.json");

impl Scenario {
    /// Paths to ask, without any stage.
    pub fn paths(self) -> Vec<String> {
        match self {
            Self::Proxy | Self::Function => vec!["/item".to_owned()],
            Self::Mock => vec!["/mock".to_owned()],
            Self::Routes => github::routes().iter().map(github::Route::example).collect(),
        }
    }

    /// An OpenAPI document with API Gateway integrations to import.
    pub fn document(self, upstream: SocketAddr) -> String {
        match self {
            Self::Proxy => PLAIN.replace("UPSTREAM", &upstream.to_string()),
            Self::Function => FUNCTION.replace("UPSTREAM", &upstream.to_string()),
            Self::Mock => MOCK.replace("BODY", &MOCK_BODY.replace('"', "\\\"")),
            Self::Routes => github::document(&github::routes(), upstream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_json_and_name_the_upstream() {
        let upstream = SocketAddr::from(([127, 0, 0, 1], 4321));
        for scenario in [Scenario::Proxy, Scenario::Mock, Scenario::Routes, Scenario::Function] {
            let document: serde_json::Value =
                serde_json::from_str(&scenario.document(upstream)).unwrap();
            assert!(document["paths"].is_object());
            assert_eq!(document.to_string().contains("127.0.0.1:4321"), scenario != Scenario::Mock);
        }
        let mock: serde_json::Value =
            serde_json::from_str(&Scenario::Mock.document(upstream)).unwrap();
        let integration = &mock["paths"]["/mock"]["get"]["x-amazon-apigateway-integration"];
        assert_eq!(
            integration["responses"]["default"]["responseTemplates"]["application/json"],
            MOCK_BODY
        );
        assert_eq!(MOCK_BODY.len(), 117);
        serde_json::from_str::<serde_json::Value>(MOCK_BODY).unwrap();
    }
}
