//! Templates: any text compiles or is refused where it goes wrong, and a render stays within its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::mapping::template::{
    Dialect, Given, Limits, Overrides, Scope, Scratch, Template,
};

const LIMITS: Limits =
    Limits { steps: 20_000, iterations: 100, depth: 100, output: 1 << 16, memory: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let (source, body) = match data.iter().position(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"{\"a\":[1,{\"b\":\"c\"}],\"d\":2.5}"[..]),
    };
    let source = String::from_utf8_lossy(source);
    let given = Given {
        body: body.to_vec(),
        query: vec![("a".to_owned(), "b c".to_owned())],
        context: vec![("name".to_owned(), "\"x\"".to_owned()), ("list".to_owned(), "[1,2]".to_owned())],
        stage_variables: vec![("v".to_owned(), "1".to_owned())],
        ..Given::default()
    };
    for dialect in [Dialect::ApiGateway, Dialect::Velocity] {
        let template = match Template::compile_as(&source, dialect) {
            Ok(template) => template,
            Err(error) => {
                assert!(error.at.line as usize <= 1 + source.matches('\n').count());
                continue;
            }
        };
        let mut outputs = Vec::new();
        let mut scratch = Scratch::default();
        for _ in 0..2 {
            let mut overrides = Overrides::default();
            let mut scope = Scope {
                source: &given,
                scratch: &mut scratch,
                overrides: &mut overrides,
                trace: None,
            };
            let mut out = Vec::new();
            let rendered = template.render(&mut scope, &LIMITS, &mut out);
            // One piece may go over before the limit is seen, and no piece is larger than what values may take.
            assert!(out.len() <= LIMITS.output + LIMITS.memory + source.len());
            assert!(rendered.is_err() || std::str::from_utf8(&out).is_ok());
            outputs.push((rendered, out));
        }
        assert_eq!(outputs[0], outputs[1], "a render depends on the one before");
    }
});
