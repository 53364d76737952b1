//! Response heads: no panic, no dependence on splits, and the same lines as another parser reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::head::{Head, Method};
use tidegate_node::http::h1::{Framing, Limits, ResponseError, ResponseInfo, response};

fuzz_target!(|data: &[u8]| {
    for to in [Method::Get, Method::Head] {
        let (whole, answer) = parse(data, to, data.len().max(1));
        let (_, bytewise) = parse(data, to, 1);
        assert_eq!(answer, bytewise);
        let Ok(Some(info)) = answer else { continue };

        assert!(whole.len <= data.len());
        assert!((100..600).contains(&whole.status) && whole.status != 101);
        assert_eq!(info.interim, whole.status < 200);
        assert!(to != Method::Head || info.framing == Framing::Empty);
        assert!(info.framing != Framing::UntilClose || !info.reusable);
        let mut fields = [httparse::EMPTY_HEADER; 256];
        let mut other = httparse::Response::new(&mut fields);
        assert_eq!(other.parse(data), Ok(httparse::Status::Complete(whole.len)));
        assert_eq!((other.code, other.headers.len()), (Some(whole.status), whole.fields.len()));
        for ((name, value, _), theirs) in whole.iter().zip(other.headers.iter()) {
            assert_eq!((name, value), (theirs.name.as_bytes(), theirs.value.trim_ascii()));
            assert!(value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control()));
        }
    }
});

fn parse(
    data: &[u8],
    to: Method,
    step: usize,
) -> (Head, Result<Option<ResponseInfo>, ResponseError>) {
    let mut head = Head::default();
    for piece in data.chunks(step) {
        head.buf.extend_from_slice(piece);
        match response::parse(&mut head, to, &Limits::RESPONSE) {
            Ok(None) => {}
            answer => return (head, answer),
        }
    }
    (head, Ok(None))
}
