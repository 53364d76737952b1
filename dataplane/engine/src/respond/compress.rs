//! Compression: which answers are coded for callers that ask for it, and what coded request bodies hold.
//!
//! Source: developer guide, "Payload compression for REST APIs in API Gateway".

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::exchange::Ctx;
use crate::head::{Head, Known};
use crate::respond::{Failure, line, lines};
use crate::step::{Answer, Body};

/// A content coding that AWS knows, apart from `identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// The zlib format (RFC 1950), as HTTP means it.
    Deflate,
}

impl Coding {
    fn parse(name: &[u8]) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case(b"gzip") => Some(Self::Gzip),
            _ if name.eq_ignore_ascii_case(b"deflate") => Some(Self::Deflate),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// The coding a caller asks for: one it names itself, among those it wants most. `*` names none.
    pub(crate) fn wanted(head: &Head) -> Option<Self> {
        let mut best: Option<(u32, Option<Self>)> = None;
        let fields = head.fields.iter().filter(|field| field.known == Known::AcceptEncoding);
        for item in fields.flat_map(|field| head.bytes(field.value).split(|b| *b == b',')) {
            let mut parts = item.split(|b| *b == b';');
            let name = parts.next().unwrap_or_default().trim_ascii();
            let quality = parts.find_map(quality).unwrap_or(1_000);
            if quality == 0 || name.is_empty() {
                continue;
            }
            let coding = Self::parse(name);
            best = match best {
                Some((held, found)) if held > quality || (held == quality && found.is_some()) => {
                    best
                }
                _ => Some((quality, coding)),
            };
        }
        best?.1
    }

    fn encode(self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let out = Vec::with_capacity(bytes.len() / 2);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }

    /// Decodes at most `limit` bytes, so that a small body cannot become an endless one.
    fn decode(self, bytes: &[u8], limit: u64) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        // One byte more tells a body that is too long from one that just fits.
        let most = limit.saturating_add(1);
        let read = match self {
            Self::Gzip => GzDecoder::new(bytes).take(most).read_to_end(&mut out),
            Self::Deflate => ZlibDecoder::new(bytes).take(most).read_to_end(&mut out),
        };
        match read {
            Ok(_) if out.len() as u64 > limit => Err(Failure::TooLarge(limit)),
            Ok(_) => Ok(out),
            Err(_) => Err(Failure::BadCoding),
        }
    }
}

/// `q=0.5` in thousandths.
fn quality(parameter: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(parameter).ok()?.trim();
    let value: f64 = text.strip_prefix("q=").or_else(|| text.strip_prefix("Q="))?.parse().ok()?;
    Some((value.clamp(0.0, 1.0) * 1_000.0) as u32)
}

/// Steps that it takes to decode a body of so many bytes, at most: deflate makes up to 1,032 of each. A step is as long as one of a
/// template.
pub(crate) fn decoding_steps(coded: usize, limit: u64) -> u64 {
    (coded as u64).saturating_mul(1_032).min(limit) / 64
}

/// Steps that it takes to compress so many bytes.
pub(crate) fn encoding_steps(plain: usize) -> u64 {
    plain as u64 / 4
}

/// Whether a request says that its body is coded.
pub(crate) fn is_coded(head: &Head) -> bool {
    head.last(Known::ContentEncoding).is_some_and(|sent| !sent.eq_ignore_ascii_case(b"identity"))
}

/// A request's body as it was before its sender coded it; `None` of one that is not coded, or shorter than `threshold`, which is
/// left alone.
pub(crate) fn decoded(
    head: &Head,
    body: &[u8],
    threshold: u32,
    limit: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    if !is_coded(head) || (body.len() as u64) < u64::from(threshold) || body.is_empty() {
        return Ok(None);
    }
    let sent = head.last(Known::ContentEncoding).unwrap_or_default();
    Coding::parse(sent.trim_ascii()).ok_or(Failure::BadCoding)?.decode(body, limit).map(Some)
}

/// What a coded body holds, at most `limit` bytes of it; `None` when its coding is unknown or the body is not in it.
pub(crate) fn plain<'b>(coding: &[u8], body: &'b [u8], limit: u64) -> Option<Cow<'b, [u8]>> {
    if coding.eq_ignore_ascii_case(b"identity") {
        return Some(Cow::Borrowed(body));
    }
    Coding::parse(coding)?.decode(body, limit).ok().map(Cow::Owned)
}

/// An answer as the caller asks for it: coded, if it is at least `threshold` bytes long and not coded already.
pub(crate) fn encoded(cx: &mut Ctx<'_>, head: &Head, answer: Answer, threshold: u32) -> Answer {
    let Some(coding) = Coding::wanted(head) else { return answer };
    let bytes = answer.bytes(cx);
    // A part of something coded would be no part of the whole.
    let fits = !bytes.is_empty() && bytes.len() as u64 >= u64::from(threshold);
    if !fits || answer.status == 206 || is_coded_already(answer.fields.of(cx.scratch)) {
        return answer;
    }
    // Writing to memory does not fail; if it did, the answer as it is would be right, too.
    let Ok(coded) = coding.encode(bytes) else { return answer };
    let held = answer.fields.of(cx.scratch).to_vec();
    let fields = lines(cx, |out| {
        out.extend_from_slice(&held);
        line(out, b"Content-Encoding", coding.name().as_bytes());
    });
    cx.note("respond", || format!("compressed with {}", coding.name()));
    Answer { fields, body: Body::Whole(coded), ..answer }
}

fn is_coded_already(fields: &[u8]) -> bool {
    fields.split(|b| *b == b'\n').any(|line| {
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        Known::of(name) == Known::ContentEncoding
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_wanted_most_must_be_one_there_is() {
        for (fields, want) in [
            (&["gzip"][..], Some(Coding::Gzip)),
            (&["GZIP"], Some(Coding::Gzip)),
            (&["deflate"], Some(Coding::Deflate)),
            (&["gzip, deflate, br, zstd"], Some(Coding::Gzip)),
            (&["br, gzip"], Some(Coding::Gzip)),
            (&["br;q=1, gzip;q=0.8"], None),
            (&["gzip;q=0.5, deflate;q=0.9"], Some(Coding::Deflate)),
            (&["gzip;q=0"], None),
            (&["identity, gzip;q=0.5"], None),
            (&["identity;q=0.5", "gzip"], Some(Coding::Gzip)),
            (&["*"], None),
            (&[""], None),
            (&[], None),
            (&["gzip;q=nonsense"], Some(Coding::Gzip)),
        ] {
            let mut head = Head::default();
            for value in fields {
                head.push_field(b"Accept-Encoding", value.as_bytes());
            }
            assert_eq!(Coding::wanted(&head), want, "{fields:?}");
        }
    }

    #[test]
    fn what_was_coded_is_read_again_and_bombs_are_not() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let plain = vec![b'x'; 1_000_000];
            let coded = coding.encode(&plain).unwrap();
            assert!(coded.len() < 10_000);
            assert_eq!(coding.decode(&coded, 1_000_000).as_deref(), Ok(&plain[..]));
            assert_eq!(coding.decode(&coded, 999_999), Err(Failure::TooLarge(999_999)));
            assert_eq!(
                coding.decode(&coded[..coded.len() / 2], 1_000_000),
                Err(Failure::BadCoding)
            );
            assert_eq!(coding.decode(b"plain", 10), Err(Failure::BadCoding));
        }
    }
}
