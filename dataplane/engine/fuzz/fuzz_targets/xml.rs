//! XML: any text is read or refused where it goes wrong, within bounds, and what was read is written and read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::mapping::json::{self, Slash};
use tidegate_engine::mapping::xml::{Options, read_document, write};

/// A document as JSON, and written again.
fn read(text: &str, options: &Options) -> Option<(String, String)> {
    let mut heap = Heap::for_document(1 << 20, 1 << 24);
    let value = match read_document(&mut heap, text, options) {
        Ok(value) => value,
        Err(error) => {
            assert!(error.at.line as usize <= 1 + text.matches('\n').count());
            return None;
        }
    };
    let (mut shown, mut written) = (Vec::new(), Vec::new());
    json::write(&heap, value, Slash::Plain, &mut shown).expect("what was read can be shown");
    // A list has no root of its own.
    write(&mut heap, value, None, &mut written).ok()?;
    Some((String::from_utf8(shown).ok()?, String::from_utf8(written).ok()?))
}

fuzz_target!(|data: &[u8]| {
    let Some((flags, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let lists = if flags & 4 == 0 { Vec::new() } else { vec!["a".to_owned()] };
    let options = Options { prefixes: flags & 1 == 0, attributes: flags & 2 == 0, lists };
    if let Some((shown, written)) = read(text, &options) {
        let again = read(&written, &options).expect("what was written can be read");
        assert_eq!(again, (shown, written));
    }
});
