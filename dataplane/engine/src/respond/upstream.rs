//! What an upstream's head becomes on its way back through `HTTP_PROXY`.
//!
//! Source: recorded header behaviour of `HTTP_PROXY`. One deviation: `Content-Encoding` passes, as the developer guide's table
//! says, because the body passes unchanged and nobody could read it otherwise.

use crate::head::{Head, Known};
use crate::respond::line;

/// Writes the upstream's fields that the caller sees.
pub(crate) fn fields(out: &mut Vec<u8>, reply: &Head) {
    let mut typed = false;
    for field in &reply.fields {
        let name = reply.bytes(field.name);
        let dropped =
            field.known == Known::Via || (field.known == Known::Other && reply.nominated(name));
        if dropped {
            continue;
        }
        typed |= field.known == Known::ContentType;
        match Passed::of(field.known) {
            Passed::AsItIs => reply.put_line(field, out),
            passed => passed.put(out, field.known, name, reply.bytes(field.value)),
        }
    }
    if !typed {
        line(out, b"Content-Type", b"application/json");
    }
}

/// Writes a field of a proxied answer: as it is, under another name, or not at all.
pub(crate) fn put(out: &mut Vec<u8>, known: Known, name: &[u8], value: &[u8]) {
    Passed::of(known).put(out, known, name, value);
}

/// How a field of a proxied answer passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    AsItIs,
    /// Under another name, since the gateway writes one of its own.
    Remapped,
    /// Not at all: the codec frames the body anew.
    Dropped,
}

impl Passed {
    #[inline]
    fn of(known: Known) -> Self {
        match known {
            Known::TransferEncoding
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::Trailer
            | Known::Upgrade => Self::Dropped,
            Known::Connection
            | Known::ContentLength
            | Known::Date
            | Known::Server
            | Known::AmznRequestId
            | Known::AmzApigwId => Self::Remapped,
            _ => Self::AsItIs,
        }
    }

    fn put(self, out: &mut Vec<u8>, known: Known, name: &[u8], value: &[u8]) {
        match self {
            Self::AsItIs => line(out, name, value),
            Self::Remapped => {
                out.extend_from_slice(b"x-amzn-Remapped-");
                line(out, canonical(known).unwrap_or(name), value);
            }
            Self::Dropped => {}
        }
    }
}

/// How AWS spells a remapped name, whatever the upstream's spelling.
fn canonical(known: Known) -> Option<&'static [u8]> {
    Some(match known {
        Known::Connection => b"Connection",
        Known::ContentLength => b"Content-Length",
        Known::Date => b"Date",
        Known::Server => b"Server",
        _ => return None,
    })
}
