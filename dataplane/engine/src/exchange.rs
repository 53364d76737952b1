//! One request's context: what the engine may know, and the ids it gives out.
//!
//! Time and chance enter through [`Ctx`] alone, so that a recorded request replays exactly.

pub mod calendar;

use std::net::IpAddr;

use crate::explain::Trace;
use crate::integration::credentials::Credentials;
use crate::mapping::template::Limits;
use crate::snapshot::World;

/// Everything the engine may look at while it decides one request.
///
/// A driver makes one for each call into the engine. `world` must be the same for all calls of one exchange: what the engine
/// hands out between calls ([`crate::Relay`], [`crate::Wait`]) holds indices into it.
pub struct Ctx<'w> {
    /// The objects to decide by, pinned by the driver for the exchange.
    pub world: &'w World,
    /// The listener the request came in by.
    pub listener: &'w Listener,
    /// Address of the immediate peer.
    pub peer: IpAddr,
    /// When the request began.
    pub now: Now,
    /// Sixteen random bytes of this request: its id, its trace id and its canary draw come from here.
    pub entropy: [u8; 16],
    /// What calls to AWS services are signed with. Secrets come from the driver, never with the world.
    pub credentials: &'w Credentials,
    /// Steps that may be taken here, as templates count them: some tens of nanoseconds each. For what takes more the engine asks to be
    /// called again where nobody else waits: [`Wait::Elsewhere`](crate::Wait::Elsewhere).
    pub patience: u64,
    /// Where heads and bodies are written; empty at [`crate::begin`], kept until the exchange ends.
    pub scratch: &'w mut Vec<u8>,
    /// Records each phase's decision when someone asked for it.
    pub trace: Option<&'w mut Trace>,
}

impl Ctx<'_> {
    /// As many steps as a template may take at all: here anything may be done.
    pub const UNHURRIED: u64 = Limits::API_GATEWAY.steps;

    /// Whether somebody waits for whatever takes long here.
    pub(crate) fn is_hurried(&self) -> bool {
        self.patience < Self::UNHURRIED
    }

    /// Whether work of so many steps is too much for here.
    pub(crate) fn is_too_long(&self, steps: u64) -> bool {
        self.is_hurried() && steps > self.patience
    }

    /// Records a decision if a trace is kept; the text is only made then.
    pub(crate) fn note(&mut self, phase: &'static str, decision: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.note(phase, decision());
        }
    }

    /// Whether a trace with values is kept.
    pub(crate) fn keeps_values(&self) -> bool {
        self.trace.as_ref().is_some_and(|trace| trace.values)
    }

    /// Adds a value to the last decision if a trace with values is kept.
    pub(crate) fn value(&mut self, text: impl FnOnce() -> String) {
        if self.keeps_values() {
            self.detail(text);
        }
    }

    /// Adds a detail to the last decision if a trace is kept.
    pub(crate) fn detail(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.detail(text());
        }
    }
}

/// What a listener is: settings of the node's operator, not of an API.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Whether `/_aws/execute-api/...` and `/restapis/.../_user_request_/...` are understood where Host names no API.
    pub path_forms: bool,
    /// `http` or `https`, as callers see it.
    pub scheme: &'static str,
    /// Port callers connect to.
    pub port: u16,
    /// Largest request body, bytes. AWS: 10,485,760.
    pub max_body: u64,
}

impl Default for Listener {
    fn default() -> Self {
        Self { path_forms: true, scheme: "http", port: 80, max_body: 10_485_760 }
    }
}

/// The moment a request began.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Unix time in milliseconds.
    pub unix_ms: u64,
}

/// What tells one request from others: `$context.requestId`, `$context.extendedRequestId`, its trace root, and who signed it.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    request: [u8; 36],
    extended: [u8; 16],
    trace: [u8; 35],
    /// Which of those whom the node knows it is who signed the request; nobody where nobody had to.
    pub(crate) caller: Option<u32>,
    /// Whether its body came in a content coding, and was decoded.
    pub(crate) decoded: bool,
}

impl Ids {
    /// Derives the ids of a request from its random bytes and its time.
    pub fn new(entropy: [u8; 16], now: Now) -> Self {
        let [a, b, c, d] = words(entropy);
        let (b, c) = (b & 0xffff_0fff | 0x4000, c & 0x3fff_ffff | 0x8000_0000);
        let mut request = [b'-'; 36];
        request[..8].copy_from_slice(&hex(a));
        request[9..13].copy_from_slice(&hex(b)[..4]);
        request[14..18].copy_from_slice(&hex(b)[4..]);
        request[19..23].copy_from_slice(&hex(c)[..4]);
        request[24..28].copy_from_slice(&hex(c)[4..]);
        request[28..].copy_from_slice(&hex(d));

        let low = mix(u64::from_le_bytes(first8(&entropy)) ^ 0x9e37_79b9_7f4a_7c15);
        let high = mix(u64::from_le_bytes(first8(&entropy[8..])) ^ 0xd1b5_4a32_d192_ed03);
        let mut raw = [0; 16];
        raw[..8].copy_from_slice(&low.to_le_bytes());
        raw[8..].copy_from_slice(&high.to_le_bytes());

        // Eleven bytes in base64 are fifteen characters and one `=`, as AWS's extended ids end.
        let mut extended = [b'='; 16];
        let digit = |bits: u64, at: usize| BASE64[(bits >> (58 - at)) as usize & 0x3f];
        let first = u64::from_be_bytes(first8(&raw));
        // The eleventh digit begins four bits into the eighth byte; the fifteenth ends two bits behind the eleventh byte.
        let rest = u64::from_be_bytes(first8(&raw[7..])) >> 32 << 32;
        for (i, place) in extended.iter_mut().take(15).enumerate() {
            *place = if i < 10 { digit(first, 6 * i) } else { digit(rest, 6 * (i - 10) + 4) };
        }

        // 1-{8 hex of seconds}-{24 hex of chance}
        let [_, e, f, g] = words(raw);
        let mut trace = [b'-'; 35];
        trace[0] = b'1';
        trace[2..10].copy_from_slice(&hex((now.unix_ms / 1000) as u32));
        trace[11..19].copy_from_slice(&hex(e));
        trace[19..27].copy_from_slice(&hex(f));
        trace[27..].copy_from_slice(&hex(g));
        Self { request, extended, trace, caller: None, decoded: false }
    }

    /// Takes over a caller's `x-amzn-RequestId` if it is a UUID. Source: developer guide, `$context.requestId`.
    pub fn adopt(&mut self, sent: &[u8]) {
        let uuid_shaped = sent.len() == 36
            && sent.iter().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => *b == b'-',
                _ => b.is_ascii_hexdigit(),
            });
        if uuid_shaped {
            self.request.copy_from_slice(sent);
        }
    }

    /// Both ids as the bytes of header values.
    pub(crate) fn header_values(&self) -> (&[u8; 36], &[u8; 16]) {
        (&self.request, &self.extended)
    }

    /// The trace root as the bytes of a header's value.
    pub(crate) fn trace_value(&self) -> &[u8; 35] {
        &self.trace
    }

    /// `$context.requestId`.
    pub fn request(&self) -> &str {
        std::str::from_utf8(&self.request).unwrap_or_default()
    }

    /// `$context.extendedRequestId`.
    pub fn extended(&self) -> &str {
        std::str::from_utf8(&self.extended).unwrap_or_default()
    }

    /// Trace root: `1-{8 hex}-{24 hex}`.
    pub fn trace(&self) -> &str {
        std::str::from_utf8(&self.trace).unwrap_or_default()
    }
}

/// The canary draw of a request, uniform in [0, 100).
pub fn draw(entropy: [u8; 16]) -> f64 {
    let bits = mix(u64::from_le_bytes(first8(&entropy[4..])));
    (bits >> 11) as f64 / (1u64 << 53) as f64 * 100.0
}

fn first8(bytes: &[u8]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[..8]);
    out
}

/// The finaliser of SplitMix64: every output bit depends on every input bit.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Four words as the bytes stand.
fn words(bytes: [u8; 16]) -> [u32; 4] {
    let all = u128::from_be_bytes(bytes);
    [(all >> 96) as u32, (all >> 64) as u32, (all >> 32) as u32, all as u32]
}

/// A word's eight hexadecimal digits, all at once: a byte of `nibbles` each.
fn hex(word: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut nibbles = u64::from(word);
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (nibbles + 6 * EACH) >> 4 & EACH;
    let to_letter = u64::from(b'a' - b'0' - 10);
    (nibbles + u64::from(b'0') * EACH + letters * to_letter).to_be_bytes()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_shapes() {
        let ids = Ids::new([0xab; 16], Now { unix_ms: 1_700_000_000_000 });
        assert_eq!(ids.request(), "abababab-abab-4bab-abab-abababababab");
        assert!(ids.extended().ends_with('=') && ids.extended().len() == 16);
        assert!(ids.trace().starts_with("1-6553f100-") && ids.trace().len() == 35);
    }

    #[test]
    fn ids_show_every_bit_of_chance() {
        use base64::Engine;

        let entropy = std::array::from_fn(|at| 0x11 * at as u8);
        let ids = Ids::new(entropy, Now { unix_ms: 0x89ab_cdef * 1000 });
        assert_eq!(ids.request(), "00112233-4455-4677-8899-aabbccddeeff");
        assert!(ids.trace().starts_with("1-89abcdef-"));
        let extended = base64::prelude::BASE64_STANDARD_NO_PAD.decode(&ids.extended()[..15]);
        let extended = extended.expect("the bits behind the eleventh byte are zero");
        // The trace begins with the fifth byte of the same chance.
        let shared: String = extended[4..].iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(ids.trace()[11..].starts_with(&shared), "{shared} {}", ids.trace());
    }

    #[test]
    fn a_uuid_of_the_caller_is_adopted_and_nothing_else() {
        let mut ids = Ids::new([1; 16], Now { unix_ms: 0 });
        let own = ids.request().to_owned();
        ids.adopt(b"not-a-uuid");
        assert_eq!(ids.request(), own);
        ids.adopt(b"0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_eq!(ids.request(), "0f8fad5b-d9cb-469f-a165-70867728950e");
    }

    #[test]
    fn draws_are_uniform_enough() {
        let mut below = 0;
        for i in 0..100_000u64 {
            let mut entropy = [0; 16];
            entropy[4..12].copy_from_slice(&i.to_le_bytes());
            let d = draw(entropy);
            assert!((0.0..100.0).contains(&d));
            below += usize::from(d < 10.0);
        }
        assert!((9_500..10_500).contains(&below), "{below} of 100,000 draws below 10 percent");
    }
}
