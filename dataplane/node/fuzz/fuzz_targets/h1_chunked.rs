//! Chunked bodies: no panic, no dependence on splits, and a round trip that changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_node::http::h1::chunked::{ChunkError, Decoder, LAST_CHUNK, encode};

fuzz_target!(|data: &[u8]| {
    // As a body from a peer.
    let whole = decode(data, data.len().max(1));
    assert_eq!(whole, decode(data, 1));
    assert_eq!(whole, decode(data, 3));
    if let Ok((payload, consumed, done)) = whole {
        assert!(
            consumed <= data.len() && payload.len() <= consumed && (done || consumed == data.len())
        );
    }

    // As a payload of ours, in chunks whose sizes come from the payload.
    let (mut wire, mut left) = (Vec::new(), data);
    while let Some(first) = left.first() {
        let (chunk, rest) = left.split_at(usize::from(*first % 19 + 1).min(left.len()));
        encode(chunk, &mut wire);
        left = rest;
    }
    wire.extend_from_slice(LAST_CHUNK);
    for step in [1, 7, wire.len()] {
        assert_eq!(decode(&wire, step), Ok((data.to_vec(), wire.len(), true)));
    }
});

/// The payload, how many bytes were consumed, and whether the body ended.
fn decode(data: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), ChunkError> {
    let (mut decoder, mut payload, mut consumed) = (Decoder::new(), Vec::new(), 0);
    for mut piece in data.chunks(step) {
        while !piece.is_empty() && !decoder.is_done() {
            let got = decoder.decode(piece)?;
            assert!(got.consumed > 0 && got.payload.end <= got.consumed);
            payload.extend_from_slice(&piece[got.payload]);
            consumed += got.consumed;
            piece = &piece[got.consumed..];
        }
    }
    Ok((payload, consumed, decoder.is_done()))
}
