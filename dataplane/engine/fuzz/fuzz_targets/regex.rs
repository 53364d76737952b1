//! Regular expressions: any text is one or none, and matching is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::regex::{Regex, ONCE};

fuzz_target!(|data: &[u8]| {
    let (pattern, text) = match data.iter().position(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"aab \r\n\xc3\xa9aab{\"a\": [1.5]}"[..]),
    };
    let (pattern, text) = (String::from_utf8_lossy(pattern), String::from_utf8_lossy(text));
    for regex in [Regex::new(&pattern), Regex::java(&pattern), Regex::java_whole(&pattern, true)] {
        let Ok(regex) = regex else { continue };
        let mut left = ONCE;
        let _ = regex.is_match(&text, &mut left);
        let mut from = 0;
        while let Ok(Some(found)) = regex.captures(&text, from, &mut left) {
            let place = found.place();
            assert!(from <= place.start && text.get(place.clone()).is_some());
            assert_eq!(found.text(0), &text[place.clone()]);
            (1..regex.groups()).for_each(|group| assert!(text.contains(found.text(group))));
            if place.is_empty() {
                break;
            }
            from = place.end;
        }
    }
});
