//! JSON: what is read is what serde_json reads, and what is written reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::mapping::json::{Slash, read_body, write};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let compact = |text: &str| {
        let mut heap = Heap::for_document(1 << 20, 1 << 24);
        let value = read_body(&mut heap, text.as_bytes()).ok()?;
        let mut out = Vec::new();
        write(&heap, value, Slash::Plain, &mut out).ok()?;
        String::from_utf8(out).ok()
    };
    let written = compact(text);
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => {
            let written = written.expect("valid JSON was refused");
            assert_eq!(compact(&written).as_deref(), Some(&*written));
            assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok());
        }
        // serde_json also refuses numbers beyond a double and halves of surrogate pairs, and is content with 128 levels.
        Err(_) => {
            if let Some(written) = written {
                assert_eq!(compact(&written).as_deref(), Some(&*written));
            }
        }
    }
});
