//! One message head, whatever protocol it came by: a buffer, and offsets into it.
//!
//! A codec fills a [`Head`] and proves its shape (no CR, LF or NUL in a value, token characters in a name, a target without
//! spaces); the engine reads it. Nothing here borrows: parked requests keep offsets, and one `Head` serves a connection for
//! its whole life without allocating again.

mod hop;

use std::ops::Range;

use crate::respond;

pub use hop::names_fields;

/// A range of bytes inside a head's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The span from `start` to `end`. Heads are capped far below 4 GiB, so offsets fit in 32 bits.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes of `buf` that this span names.
    pub fn of(self, buf: &[u8]) -> &[u8] {
        &buf[self.range()]
    }

    /// As a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it spans nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A request method. Seven are API Gateway's; any other is kept as its text and matches no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// Any other token, for example `TRACE`; its text is in the head.
    Other,
}

impl Method {
    /// The seven methods that `ANY` stands for, in AWS's order.
    pub const ALL: [Self; 7] =
        [Self::Delete, Self::Get, Self::Head, Self::Options, Self::Patch, Self::Post, Self::Put];

    /// Reads a method token. Methods are case-sensitive.
    pub fn from_bytes(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }

    /// The method's token; [`Method::Other`] has none of its own.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Other => "OTHER",
        }
    }
}

/// The HTTP version a message came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// As `$context.protocol` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

/// How long the body that follows the head is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodySize {
    /// There is no body.
    #[default]
    Empty,
    /// Exactly so many bytes follow.
    Known(u64),
    /// The end is marked in the stream (chunked, HTTP/2 without a length, or until close).
    Unknown,
}

/// One header field: where its name and value are, and which well-known name it is.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name as received, case kept.
    pub name: Span,
    /// The value without surrounding white space.
    pub value: Span,
    /// Which name it is, compared once, so that later phases switch on a byte.
    pub known: Known,
}

macro_rules! known {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// Header names the gateway treats in some way of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Known { $($variant,)* Other }

        impl Known {
            /// Finds a name, in any case.
            pub fn of(name: &[u8]) -> Self {
                match name.len() {
                    $(n if n == $text.len() && name.eq_ignore_ascii_case($text) => Self::$variant,)*
                    _ => Self::Other,
                }
            }

            /// Every known name with its lower-case text.
            pub const ALL: &'static [(Self, &'static str)] = &[
                $((Self::$variant, match std::str::from_utf8($text) { Ok(s) => s, Err(_) => "" }),)*
            ];
        }
    };
}

impl Known {
    /// Whether a caller's field of this name is dropped at ingress: no template, mapping or event sees it; recorded.
    pub(crate) fn is_dropped_at_ingress(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::ContentLength
                | Self::ContentMd5
                | Self::Expect
                | Self::MaxForwards
                | Self::ProxyAuthenticate
                | Self::Server
                | Self::Te
                | Self::TransferEncoding
                | Self::Trailer
                | Self::Upgrade
                | Self::WwwAuthenticate
        )
    }
}

// Ordered by how often they are met, since lookup walks the names of equal length.
known! {
    Host = b"host",
    Date = b"date",
    Accept = b"accept",
    Cookie = b"cookie",
    Origin = b"origin",
    Server = b"server",
    Expect = b"expect",
    Referer = b"referer",
    Trailer = b"trailer",
    Upgrade = b"upgrade",
    Te = b"te",
    Via = b"via",
    Connection = b"connection",
    UserAgent = b"user-agent",
    KeepAlive = b"keep-alive",
    ContentMd5 = b"content-md5",
    ContentType = b"content-type",
    ContentLength = b"content-length",
    MaxForwards = b"max-forwards",
    Authorization = b"authorization",
    CacheControl = b"cache-control",
    AcceptEncoding = b"accept-encoding",
    ContentEncoding = b"content-encoding",
    TransferEncoding = b"transfer-encoding",
    ProxyConnection = b"proxy-connection",
    WwwAuthenticate = b"www-authenticate",
    ProxyAuthenticate = b"proxy-authenticate",
    ProxyAuthorization = b"proxy-authorization",
    Http2Settings = b"http2-settings",
    XForwardedFor = b"x-forwarded-for",
    XForwardedPort = b"x-forwarded-port",
    XForwardedProto = b"x-forwarded-proto",
    XApiKey = b"x-api-key",
    XHttpMethodOverride = b"x-http-method-override",
    AmznRequestId = b"x-amzn-requestid",
    AmzApigwId = b"x-amz-apigw-id",
    AmznTraceId = b"x-amzn-trace-id",
    AmznErrorType = b"x-amzn-errortype",
    AmznApigatewayApiId = b"x-amzn-apigateway-api-id",
}

/// A request or response head. See the module's text for who fills and who reads it.
#[derive(Debug)]
pub struct Head {
    /// What was received, from the first byte of the head on. The head is the first [`Head::len`] bytes; what lies behind it
    /// already belongs to the body or to the next message.
    pub buf: Vec<u8>,
    /// Length of the head in bytes, its final empty line included.
    pub len: usize,
    /// Protocol version.
    pub version: Version,
    /// Request method; [`Method::Other`] for a response.
    pub method: Method,
    /// The method's token as sent; empty for a response.
    pub method_text: Span,
    /// Request path as sent, from its first `/` to before `?`. Never decoded here.
    pub path: Span,
    /// Query string without its `?`; `None` when there is no `?`.
    pub query: Option<Span>,
    /// Host (and port) the request is for: from an absolute target or `:authority`, else the `Host` field.
    pub authority: Span,
    /// Response status; 0 for a request.
    pub status: u16,
    /// What follows.
    pub body: BodySize,
    /// Fields in the order received. For HTTP/2 without pseudo fields.
    pub fields: Vec<Field>,
    /// Whether a `Connection` field names anything but `close` and `keep-alive`, so that [`Head::nominated`] is free for
    /// nearly every message.
    pub nominates: bool,
    /// How many bytes of `buf` a codec has already searched for the end of the head without finding it.
    pub scanned: usize,
}

impl Default for Head {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Head {
    /// An empty head whose buffer holds `bytes` before it has to grow.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            buf: Vec::with_capacity(bytes),
            len: 0,
            version: Version::Http11,
            method: Method::Other,
            method_text: Span::default(),
            path: Span::default(),
            query: None,
            authority: Span::default(),
            status: 0,
            body: BodySize::Empty,
            fields: Vec::with_capacity(if bytes == 0 { 0 } else { 32 }),
            nominates: false,
            scanned: 0,
        }
    }

    /// Forgets what was parsed and keeps the received bytes.
    pub fn reset(&mut self) {
        self.len = 0;
        self.version = Version::Http11;
        self.method = Method::Other;
        self.method_text = Span::default();
        self.path = Span::default();
        self.query = None;
        self.authority = Span::default();
        self.status = 0;
        self.body = BodySize::Empty;
        self.fields.clear();
        self.nominates = false;
        self.scanned = 0;
    }

    /// Drops the first `bytes` received and moves the rest to the front, ready for the next message.
    pub fn consume(&mut self, bytes: usize) {
        self.reset();
        self.buf.drain(..bytes);
    }

    /// Received bytes behind the head.
    pub fn rest(&self) -> &[u8] {
        &self.buf[self.len..]
    }

    /// Appends a field, for builders of heads that were not parsed from one buffer (HTTP/2, explain, tests).
    pub fn push_field(&mut self, name: &[u8], value: &[u8]) {
        let name_span = self.push_bytes(name);
        let value_span = self.push_bytes(value);
        let known = Known::of(name);
        self.nominates |= known == Known::Connection && names_fields(value);
        self.fields.push(Field { name: name_span, value: value_span, known });
    }

    /// Appends bytes to the head and names where they are. Builders only: parsed heads never move.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Span {
        debug_assert_eq!(self.len, self.buf.len(), "a head with body bytes behind it cannot grow");
        let start = self.buf.len();
        self.buf.extend_from_slice(bytes);
        self.len = self.buf.len();
        Span::new(start, self.len)
    }

    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.buf)
    }

    /// Path as sent.
    pub fn path(&self) -> &[u8] {
        self.bytes(self.path)
    }

    /// Query string as sent, empty when there is none.
    pub fn query(&self) -> &[u8] {
        self.query.map_or(&[], |span| self.bytes(span))
    }

    /// Host and port the request is for.
    pub fn authority(&self) -> &[u8] {
        self.bytes(self.authority)
    }

    /// The last field of a well-known name: where several came, API Gateway's single-value views show the last.
    pub fn last(&self, known: Known) -> Option<&[u8]> {
        self.fields.iter().rev().find(|f| f.known == known).map(|f| self.bytes(f.value))
    }

    /// Appends a field as a line of a head: in one copy where it stands in the buffer as it is written, as it mostly does.
    pub(crate) fn put_line(&self, field: &Field, out: &mut Vec<u8>) {
        let (name, value) = (field.name.range(), field.value.range());
        match self.buf.get(name.start..value.end + 2) {
            Some(line)
                if value.start == name.end + 2
                    && line[name.len()..].starts_with(b": ")
                    && line.ends_with(b"\r\n") =>
            {
                out.extend_from_slice(line);
            }
            _ => respond::line(out, &self.buf[name], &self.buf[value]),
        }
    }

    /// Name and value of each field, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8], Known)> {
        self.fields.iter().map(|f| (self.bytes(f.name), self.bytes(f.value), f.known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_found_in_any_case() {
        for (known, text) in Known::ALL {
            assert_eq!(Known::of(text.as_bytes()), *known);
            assert_eq!(Known::of(text.to_uppercase().as_bytes()), *known);
        }
        assert_eq!(Known::of(b"x-anything"), Known::Other);
        assert_eq!(Known::of(b""), Known::Other);
    }

    #[test]
    fn consume_keeps_what_lies_behind_the_head() {
        let mut head = Head::with_capacity(64);
        head.push_field(b"Host", b"a");
        head.buf.extend_from_slice(b"body");
        assert_eq!(head.rest(), b"body");
        head.consume(head.len);
        assert_eq!((head.buf.as_slice(), head.len, head.fields.len()), (&b"body"[..], 0, 0));
    }

    #[test]
    fn the_last_of_repeated_fields_wins() {
        let mut head = Head::default();
        head.push_field(b"accept", b"a");
        head.push_field(b"Accept", b"b");
        assert_eq!(head.last(Known::Accept), Some(&b"b"[..]));
        assert_eq!(head.last(Known::Host), None);
    }
}
