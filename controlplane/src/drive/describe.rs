//! A described request as the head an engine reads.

use tidegate_engine::Listener;
use tidegate_engine::head::{BodySize, Head, Known, Method};
use tidegate_engine::integration::http::Url;
use tidegate_proto::v1;

use super::ExplainError;

/// A request as if it had arrived.
#[derive(Debug, Default)]
pub(super) struct Described {
    /// Its head.
    pub(super) head: Head,
    /// The listener its URL leads to.
    pub(super) listener: Listener,
}

/// Reads a description. A `Host` among its headers wins over the URL's authority.
pub(super) fn read(request: &v1::HttpRequest) -> Result<Described, ExplainError> {
    let url = Url::parse(&request.url).map_err(|_| ExplainError::Url(request.url.clone()))?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    if !is_token(&request.method) {
        return Err(ExplainError::Method(request.method.clone()));
    }
    let mut head = Head::default();
    head.method = Method::from_bytes(request.method.as_bytes());
    head.method_text = head.push_bytes(request.method.as_bytes());
    head.path = head.push_bytes(if url.path.is_empty() { "/" } else { url.path }.as_bytes());
    if !url.query.is_empty() {
        head.query = Some(head.push_bytes(url.query.as_bytes()));
    }
    let host = request.headers.iter().rev().find(|header| is_host(header));
    let authority = match host {
        Some(host) => host.value.trim().to_owned(),
        None => authority(&url),
    };
    head.authority = head.push_bytes(authority.as_bytes());
    head.push_field(b"Host", authority.as_bytes());
    for header in request.headers.iter().filter(|header| !is_host(header)) {
        let value = header.value.trim();
        if !is_token(&header.name) || value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
            return Err(ExplainError::Header(header.name.clone()));
        }
        // Framing belongs to connections; the length is the described body's.
        if !matches!(
            Known::of(header.name.as_bytes()),
            Known::ContentLength | Known::TransferEncoding
        ) {
            head.push_field(header.name.as_bytes(), value.as_bytes());
        }
    }
    if !request.body.is_empty() {
        let length = request.body.len();
        head.body = BodySize::Known(length as u64);
        head.push_field(b"Content-Length", length.to_string().as_bytes());
    }
    let listener = Listener {
        path_forms: true,
        scheme: url.scheme.as_str(),
        port: url.port,
        ..Listener::default()
    };
    Ok(Described { head, listener })
}

fn is_host(header: &v1::Pair) -> bool {
    header.name.eq_ignore_ascii_case("host")
}

/// As a client writes it into `Host`.
fn authority(url: &Url<'_>) -> String {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.to_owned() };
    if url.port == url.scheme.default_port() { host } else { format!("{host}:{}", url.port) }
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, headers: &[(&str, &str)]) -> v1::HttpRequest {
        let pair = |(name, value): &(&str, &str)| v1::Pair {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        v1::HttpRequest {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(pair).collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn urls_become_heads() {
        for (url, headers, authority, path, query) in [
            (
                "http://a.execute-api.localhost:4780/prod/x?q=1",
                &[][..],
                "a.execute-api.localhost:4780",
                "/prod/x",
                "q=1",
            ),
            ("https://a.execute-api.localhost", &[], "a.execute-api.localhost", "/", ""),
            ("http://[::1]:80/p", &[], "[::1]", "/p", ""),
            (
                "http://127.0.0.1:4780/prod",
                &[("host", "b.execute-api.x")],
                "b.execute-api.x",
                "/prod",
                "",
            ),
        ] {
            let described = read(&request(url, headers)).unwrap();
            let head = described.head;
            assert_eq!(head.authority(), authority.as_bytes(), "{url}");
            assert_eq!((head.path(), head.query()), (path.as_bytes(), query.as_bytes()), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert!(matches!(read(&request("/pets", &[])), Err(ExplainError::Url(_))));
        assert!(matches!(read(&request("ftp://a/", &[])), Err(ExplainError::Url(_))));
        let bad = request("http://a/", &[("x y", "1")]);
        assert!(matches!(read(&bad), Err(ExplainError::Header(_))));
        let bad = request("http://a/", &[("x", "1\r\ny: 2")]);
        assert!(matches!(read(&bad), Err(ExplainError::Header(_))));
        let bad = v1::HttpRequest { method: "G T".to_owned(), ..request("http://a/", &[]) };
        assert!(matches!(read(&bad), Err(ExplainError::Method(_))));
    }
}
