//! HTTP/1.1 as bytes in and values out: heads, chunked bodies, writers. No sockets, no clock, no allocation per message.
//!
//! The codec is strict where peers are known to disagree, because a byte that two parsers read in two ways is a smuggled
//! request. What it accepts has one meaning, and since forwarded heads are always written anew by [`write`], whatever it
//! tolerated does not travel on.

pub mod body;
pub mod chunked;
pub mod framing;
pub mod lines;
pub mod request;
pub mod response;
pub mod serve;
pub mod write;

#[cfg(test)]
mod tests;

pub use framing::{Framing, FramingError};
pub use lines::HeadError;
pub use request::{RequestError, RequestInfo};
pub use response::{ResponseError, ResponseInfo};

/// How large a message head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole head in bytes, empty lines around it included: what a connection must be ready to buffer.
    pub head_bytes: usize,
    /// The request target in bytes.
    pub target_bytes: usize,
    /// All field lines together in bytes: names, values, white space and line ends.
    pub fields_bytes: usize,
    /// Number of field lines.
    pub fields: usize,
}

impl Limits {
    /// For requests. The two 10,240s are API Gateway's quotas for the URL and for "all header values, including names,
    /// values, line terminators and any white space"; the head has room for both and a start line.
    pub const REQUEST: Self =
        Self { head_bytes: 20_992, target_bytes: 10_240, fields_bytes: 10_240, fields: 100 };

    /// For upstream responses, which may carry more: cookies, policies.
    pub const RESPONSE: Self =
        Self { head_bytes: 33_280, target_bytes: 0, fields_bytes: 32_768, fields: 200 };
}

/// Whether received bytes start an HTTP/2 connection with prior knowledge; `None` until there are enough bytes to say.
///
/// Source: RFC 9113 section 3.4.
pub fn is_h2_preface(bytes: &[u8]) -> Option<bool> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let seen = bytes.len().min(PREFACE.len());
    if bytes[..seen] != PREFACE[..seen] {
        return Some(false);
    }
    (seen == PREFACE.len()).then_some(true)
}
