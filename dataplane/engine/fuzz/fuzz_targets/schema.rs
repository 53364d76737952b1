//! Models: any document compiles or is refused, and checking is bounded and says the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::mapping::json;
use tidegate_engine::validate::schema::Schema;

const BUDGET: usize = 20_000;

fuzz_target!(|data: &[u8]| {
    let (schema, instance) = match data.iter().position(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"{\"a\":[1,{\"b\":\"c\"}],\"d\":2.5,\"e\":null}"[..]),
    };
    let Ok(document) = serde_json::from_slice::<Value>(schema) else { return };
    let mut heap = Heap::for_document(1 << 20, 1 << 24);
    let Ok(instance) = json::read_body(&mut heap, instance) else { return };
    let Ok(compiled) = Schema::compile(&document) else { return };
    let Ok(found) = compiled.violations(&heap, instance, BUDGET) else { return };
    assert_eq!(compiled.violations(&heap, instance, BUDGET).as_ref(), Ok(&found));
    assert_eq!(compiled.check(&heap, instance, BUDGET).map(|fits| fits.is_ok()), Ok(found.is_empty()));
    // References and ids would name something else one level further down.
    let text = document.to_string();
    if text.contains("$ref") || text.contains("\"id\"") {
        return;
    }
    for (wrapped, fits) in [
        (serde_json::json!({"not": document}), !found.is_empty()),
        (serde_json::json!({"allOf": [document]}), found.is_empty()),
        (serde_json::json!({"anyOf": [document]}), found.is_empty()),
    ] {
        let wrapped = Schema::compile(&wrapped).expect("a schema is one within another, too");
        if let Ok(found) = wrapped.violations(&heap, instance, BUDGET * 2) {
            assert_eq!(found.is_empty(), fits, "{text} of {instance:?}");
        }
    }
});
