//! Chunked bodies: the rules, and that splits and round trips change nothing.

use proptest::prelude::*;

use super::*;

/// Decodes `input` in pieces that end at `cuts`; returns the payload and how many bytes the body took.
fn decode(input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Option<usize>), ChunkError> {
    let mut decoder = Decoder::new();
    let mut payload = Vec::new();
    let mut at = 0;
    let ends = cuts.iter().copied().filter(|cut| *cut < input.len()).chain([input.len()]);
    for end in ends {
        while at < end {
            let piece = &input[at..end];
            let got = decoder.decode(piece)?;
            assert!(got.consumed <= piece.len() && got.payload.end <= got.consumed);
            payload.extend_from_slice(&piece[got.payload]);
            at += got.consumed;
            assert_eq!(got.done, decoder.is_done());
            if got.done {
                assert_eq!(decoder.decode(b"x").unwrap().consumed, 0);
                return Ok((payload, Some(at)));
            }
            assert!(got.consumed > 0, "no progress");
        }
    }
    Ok((payload, None))
}

#[test]
fn bodies() {
    for (text, payload, used) in [
        ("0\r\n\r\n", "", Some(5)),
        ("5\r\nhello\r\n0\r\n\r\nGET", "hello", Some(15)),
        ("5\r\nhello\r\n1\r\n!\r\n000\r\n\r\n", "hello!", Some(23)),
        ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", Some(35)),
        ("0000000000000001\r\nx\r\n0\r\n\r\n", "x", Some(26)),
        ("1;a=b\r\nx\r\n0;c\r\n\r\n", "x", Some(17)),
        ("1;a=\"\t b\u{e9}\"\r\nx\r\n0\r\n\r\n", "x", Some(21)),
        ("0\r\nX: y\r\nContent-Length: 9\r\nZ:\r\n\r\nrest", "", Some(34)),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", Some(12)),
        ("5\r\nhel", "hel", None),
        ("5\r\nhello\r\n0\r\n\r", "hello", None),
        ("7fffffffffffffff\r\nx", "x", None),
    ] {
        let got = decode(text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(got, (payload.as_bytes().to_vec(), used), "{text:?}");
    }
}

#[test]
fn refusals() {
    let long = |byte: char, n: usize| std::iter::repeat_n(byte, n).collect::<String>();
    for (text, want) in [
        ("\r\n", ChunkError::SizeByte { byte: b'\r' }),
        (";a\r\n", ChunkError::SizeByte { byte: b';' }),
        (" 1\r\n", ChunkError::SizeByte { byte: b' ' }),
        ("1 \r\n", ChunkError::SizeByte { byte: b' ' }),
        ("1\t;a\r\n", ChunkError::SizeByte { byte: b'\t' }),
        ("0x1\r\n", ChunkError::SizeByte { byte: b'x' }),
        ("+1\r\n", ChunkError::SizeByte { byte: b'+' }),
        ("-1\r\n", ChunkError::SizeByte { byte: b'-' }),
        ("1_0\r\n", ChunkError::SizeByte { byte: b'_' }),
        ("g\r\n", ChunkError::SizeByte { byte: b'g' }),
        ("1\n", ChunkError::SizeByte { byte: b'\n' }),
        ("\u{661}\r\n", ChunkError::SizeByte { byte: 0xd9 }),
        ("8000000000000000\r\n", ChunkError::SizeOverflow),
        ("ffffffffffffffff\r\n", ChunkError::SizeOverflow),
        ("00000000000000001\r\n", ChunkError::SizeOverflow),
        ("10000000000000000\r\n", ChunkError::SizeOverflow),
        ("1\rx", ChunkError::LineEnd { byte: b'x' }),
        ("1\r\r\n", ChunkError::LineEnd { byte: b'\r' }),
        ("1;a\nx", ChunkError::ExtensionByte { byte: b'\n' }),
        ("1;a\rx", ChunkError::LineEnd { byte: b'x' }),
        ("1;\0\r\n", ChunkError::ExtensionByte { byte: 0 }),
        ("1\r\nxy", ChunkError::LineEnd { byte: b'y' }),
        ("1\r\nx\n", ChunkError::LineEnd { byte: b'\n' }),
        ("1\r\nx\ry", ChunkError::LineEnd { byte: b'y' }),
        ("1\r\nx\r\n\r\n", ChunkError::SizeByte { byte: b'\r' }),
        ("0\r\n\n", ChunkError::TrailerName { byte: b'\n' }),
        ("0\r\n\rx", ChunkError::LineEnd { byte: b'x' }),
        ("0\r\n a: b\r\n", ChunkError::TrailerName { byte: b' ' }),
        ("0\r\n: b\r\n", ChunkError::TrailerName { byte: b':' }),
        ("0\r\na : b\r\n", ChunkError::TrailerName { byte: b' ' }),
        ("0\r\nab\r\n", ChunkError::TrailerName { byte: b'\r' }),
        ("0\r\na: \0\r\n", ChunkError::TrailerValue { byte: 0 }),
        ("0\r\na: b\n", ChunkError::TrailerValue { byte: b'\n' }),
        ("0\r\na: b\rc", ChunkError::LineEnd { byte: b'c' }),
        ("0\r\na: b\r\n c: d\r\n", ChunkError::TrailerName { byte: b' ' }),
        (&format!("1;{}\r\n", long('a', 256)), ChunkError::ExtensionsTooLarge),
        (&format!("0\r\na:{}", long('a', 4_096)), ChunkError::TrailersTooLarge),
        (&format!("0\r\n{}", "a:\r\n".repeat(33)), ChunkError::TrailersTooLarge),
    ] {
        assert_eq!(decode(text.as_bytes(), &[]), Err(want), "{text:?}");
    }
    assert!(decode(format!("0\r\n{}\r\n", "a:\r\n".repeat(32)).as_bytes(), &[]).is_ok());
}

#[test]
fn extensions_are_counted_over_the_whole_body() {
    let chunk = "1;aaaaaaaaaaaaaaa\r\nx\r\n";
    assert!(decode(chunk.repeat(16).as_bytes(), &[]).is_ok());
    assert_eq!(decode(chunk.repeat(17).as_bytes(), &[]), Err(ChunkError::ExtensionsTooLarge));
}

#[test]
fn headers() {
    for (len, want) in
        [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (u64::MAX, "ffffffffffffffff\r\n")]
    {
        let len = NonZeroU64::new(len).unwrap();
        assert_eq!(encode_header(len, &mut [0; MAX_HEADER_BYTES]), want.as_bytes());
    }
    let mut out = Vec::new();
    encode(b"", &mut out);
    assert!(out.is_empty());
}

/// Bytes that reach deep into the decoder more often than random ones.
fn nearly_chunked() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"1\r\nx\r\n".to_vec()),
        Just(b"0\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"a: b\r\n".to_vec()),
        Just(b"3;e\r\nabc\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn encoding_then_decoding_in_any_split_is_identity(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..8),
        tail in proptest::collection::vec(any::<u8>(), 0..8),
        mut cuts in proptest::collection::vec(0usize..700, 0..20),
    ) {
        cuts.sort_unstable();
        let mut wire = Vec::new();
        for chunk in &chunks {
            encode(chunk, &mut wire);
        }
        wire.extend_from_slice(LAST_CHUNK);
        let len = wire.len();
        wire.extend_from_slice(&tail);
        prop_assert_eq!(decode(&wire, &cuts), Ok((chunks.concat(), Some(len))));
    }

    #[test]
    fn any_split_gives_the_same(
        input in nearly_chunked(),
        mut cuts in proptest::collection::vec(0usize..60, 0..20),
    ) {
        cuts.sort_unstable();
        let every: Vec<usize> = (0..input.len()).collect();
        let whole = decode(&input, &[]);
        prop_assert_eq!(&decode(&input, &cuts), &whole);
        prop_assert_eq!(&decode(&input, &every), &whole);
    }
}
