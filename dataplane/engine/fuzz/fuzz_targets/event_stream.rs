//! Event streams of Lambda: any bytes are a stream or none, in whatever pieces they come, and what is held of one is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::Streamed;
use tidegate_engine::head::{Field, Head, Known, Span};

/// The bytes as they are, or, so that checksums do not stop the fuzzer at once, as messages: each a byte for its kind, and its payload.
fn stream(data: &[u8]) -> Vec<u8> {
    let Some((0, rest)) = data.split_first() else { return data.to_vec() };
    let mut out = Vec::new();
    for message in rest.split(|byte| *byte == 0xff) {
        let (kind, payload) = message.split_first().unwrap_or((&0, &[]));
        let kind: &[u8] = if kind % 4 == 3 { b"InvokeComplete" } else { b"PayloadChunk" };
        let mut headers = b"\x0d:message-type\x07\0\x05event\x0b:event-type\x07\0".to_vec();
        headers.push(kind.len() as u8);
        headers.extend_from_slice(kind);
        let from = out.len();
        out.extend_from_slice(&((16 + headers.len() + payload.len()) as u32).to_be_bytes());
        out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        let prelude = crc32fast::hash(&out[from..]);
        out.extend_from_slice(&prelude.to_be_bytes());
        out.extend_from_slice(&headers);
        out.extend_from_slice(payload);
        let checksum = crc32fast::hash(&out[from..]);
        out.extend_from_slice(&checksum.to_be_bytes());
    }
    out
}

fn head() -> Head {
    let mut head = Head { status: 200, ..Head::default() };
    head.buf.extend_from_slice(b"Content-Type: application/vnd.amazon.eventstream\r\n");
    let (name, value) = (Span::new(0, 12), Span::new(14, head.buf.len() - 2));
    head.fields.push(Field { name, value, known: Known::ContentType });
    head
}

/// What a caller would see of a stream that comes in pieces of a length.
fn read(bytes: &[u8], piece: usize) -> (bool, Option<bool>, Vec<u8>) {
    let mut streamed = Streamed::new(&head());
    let mut body = Vec::new();
    for piece in bytes.chunks(piece) {
        streamed.read(piece);
        streamed.drain(&mut body);
    }
    let open = streamed.is_open();
    streamed.finish();
    streamed.drain(&mut body);
    (open, streamed.outcome().map(|outcome| outcome.is_ok()), body)
}

fuzz_target!(|data: &[u8]| {
    let bytes = stream(data);
    let whole = read(&bytes, bytes.len().max(1));
    let step = data.last().map_or(1, |byte| usize::from(byte % 7) + 1);
    assert!(whole == read(&bytes, step));
    assert!(whole.2.len() <= bytes.len());
});
