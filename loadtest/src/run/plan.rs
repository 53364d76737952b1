//! What is sent: the target and one prepared request per path.

use std::{
    fmt::Write as _,
    net::{SocketAddr, ToSocketAddrs},
};

/// The prepared bytes of a load and where they go.
#[derive(Debug, Clone)]
pub struct Plan {
    pub address: SocketAddr,
    /// Sent in turn.
    pub requests: Vec<Box<[u8]>>,
    /// The method is HEAD: answers have no body.
    pub head: bool,
}

/// What a request is made of.
#[derive(Debug, Clone, Default)]
pub struct RequestParts<'a> {
    pub method: &'a str,
    /// Host header; the URL's authority when absent.
    pub host: Option<&'a str>,
    /// `Name: value` lines.
    pub headers: &'a [String],
    pub body: &'a [u8],
    /// Paths to cycle through instead of the URL's own.
    pub paths: &'a [String],
}

/// Why a request cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{0:?} is not a URL of the form http://HOST[:PORT][/path]; TLS is not spoken here")]
    Url(String),
    #[error("cannot resolve {0:?}")]
    Resolve(String, #[source] std::io::Error),
    #[error("{0:?} resolves to no address")]
    NoAddress(String),
    #[error("header {0:?} is not of the form 'name: value'")]
    Header(String),
    #[error("path {0:?} must begin with / and hold no spaces")]
    Path(String),
}

/// A URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Host and port as written.
    pub authority: String,
    /// Path with query; `/` when absent.
    pub path: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let wrong = || PlanError::Url(text.to_owned());
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        if authority.is_empty() || authority.contains('@') {
            return Err(wrong());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { authority: authority.to_owned(), path })
    }

    pub fn resolve(&self) -> Result<SocketAddr, PlanError> {
        let port_given =
            self.authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let target =
            if port_given { self.authority.clone() } else { format!("{}:80", self.authority) };
        let mut found =
            target.to_socket_addrs().map_err(|error| PlanError::Resolve(target.clone(), error))?;
        found.next().ok_or(PlanError::NoAddress(target))
    }
}

impl Plan {
    pub fn new(url: &Url, parts: &RequestParts<'_>) -> Result<Self, PlanError> {
        let own = [url.path.clone()];
        let paths = if parts.paths.is_empty() { &own[..] } else { parts.paths };
        let requests =
            paths.iter().map(|path| request(path, url, parts)).collect::<Result<_, _>>()?;
        Ok(Self { address: url.resolve()?, requests, head: parts.method == "HEAD" })
    }

    /// A plan of one GET.
    pub fn get(url: &str, host: Option<&str>) -> Result<Self, PlanError> {
        Self::new(
            &Url::parse(url)?,
            &RequestParts { method: "GET", host, ..RequestParts::default() },
        )
    }
}

fn request(path: &str, url: &Url, parts: &RequestParts<'_>) -> Result<Box<[u8]>, PlanError> {
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        return Err(PlanError::Path(path.to_owned()));
    }
    let host = parts.host.unwrap_or(&url.authority);
    let mut head = format!("{} {path} HTTP/1.1\r\nHost: {host}\r\n", parts.method);
    for header in parts.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| PlanError::Header(header.clone()))?;
        if name.is_empty() || name.contains(char::is_whitespace) || value.contains(['\r', '\n']) {
            return Err(PlanError::Header(header.clone()));
        }
        head.push_str(&format!("{name}: {}\r\n", value.trim()));
    }
    if !parts.body.is_empty() || matches!(parts.method, "POST" | "PUT" | "PATCH") {
        // Writing to a String does not fail.
        let _ = write!(head, "Content-Length: {}\r\n", parts.body.len());
    }
    head.push_str("\r\n");
    Ok([head.as_bytes(), parts.body].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, authority, path) in [
            ("http://127.0.0.1:80", "127.0.0.1:80", "/"),
            ("http://localhost/a?b=c", "localhost", "/a?b=c"),
            ("http://x:1?q", "x:1", "/?q"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.authority.as_str(), url.path.as_str()), (authority, path));
        }
        for text in ["https://x", "x", "http://", "http://a@b"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        assert_eq!(Url::parse("http://127.0.0.1").unwrap().resolve().unwrap().port(), 80);
    }

    #[test]
    fn one_request_per_path() {
        let url = Url::parse("http://127.0.0.1:9/x").unwrap();
        let (headers, paths) = (["X-A:  1".to_owned()], ["/a".to_owned(), "/b".to_owned()]);
        let parts = RequestParts {
            method: "POST",
            host: Some("h"),
            headers: &headers,
            body: b"hi",
            paths: &paths,
        };
        let plan = Plan::new(&url, &parts).unwrap();
        let want = "POST /b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(&*plan.requests[1], want.as_bytes());
        let bad = ["no colon".to_owned()];
        assert!(Plan::new(&url, &RequestParts { headers: &bad, ..parts }).is_err());
    }
}
