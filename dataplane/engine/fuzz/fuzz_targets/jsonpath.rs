//! JSONPath: any text is a path or none, and following it is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::mapping::json::{Slash, read_body, write};
use tidegate_engine::mapping::jsonpath::JsonPath;

fuzz_target!(|data: &[u8]| {
    let (path, body) = match data.iter().position(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"{\"a\":[1,{\"b\":\"c\",\"a\":[[2]]}],\"d\":2.5}"[..]),
    };
    let path = String::from_utf8_lossy(path);
    let path = match JsonPath::parse(&path) {
        Ok(path) => path,
        Err(error) => return assert!(error.at <= path.len()),
    };
    let mut heap = Heap::for_document(20_000, 1 << 20);
    let Ok(root) = read_body(&mut heap, body) else { return };
    if let Ok(Some(found)) = path.select(&mut heap, root) {
        let _ = write(&heap, found, Slash::Plain, &mut Vec::new());
    }
});
