//! What holds for every template: it compiles or says where it does not, and it ends within its limits.

use proptest::prelude::*;
use tidegate_engine::mapping::template::{
    Dialect, Given, Limits, Overrides, Scope, Scratch, Template,
};

const LIMITS: Limits =
    Limits { steps: 10_000, iterations: 50, depth: 80, output: 1 << 14, memory: 1 << 18 };

/// Renders in both dialects, each twice with the same scratch, and expects the same.
fn run(source: &str, body: &str) -> Result<(), TestCaseError> {
    let given = Given {
        body: body.as_bytes().to_vec(),
        context: vec![("a".to_owned(), "[1,\"b\",{\"c\":2.5}]".to_owned())],
        ..Given::default()
    };
    for dialect in [Dialect::ApiGateway, Dialect::Velocity] {
        let template = match Template::compile_as(source, dialect) {
            Ok(template) => template,
            Err(error) => {
                let lines = 1 + source.matches('\n').count();
                prop_assert!(error.at.line as usize <= lines, "{error}");
                continue;
            }
        };
        if let Some(constant) = template.constant() {
            prop_assert!(constant.len() <= source.len());
        }
        let mut scratch = Scratch::default();
        let mut render = || {
            let mut out = b"before".to_vec();
            let mut overrides = Overrides::default();
            let mut scope = Scope {
                source: &given,
                scratch: &mut scratch,
                overrides: &mut overrides,
                trace: None,
            };
            let rendered = template.render(&mut scope, &LIMITS, &mut out);
            (rendered, out, overrides)
        };
        let first = render();
        prop_assert!(first.1.starts_with(b"before"));
        if first.0.is_ok() {
            prop_assert!(std::str::from_utf8(&first.1).is_ok());
            prop_assert!(first.1.len() <= LIMITS.output + b"before".len());
        }
        prop_assert_eq!(first, render());
    }
    Ok(())
}

/// Pieces that templates are made of, and pieces that break them.
fn soup() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "#if(",
            "#elseif(",
            "#else",
            "#end",
            "#{end}",
            "#set(",
            "#foreach(",
            "$i in ",
            "#define(",
            "#macro(m ",
            "#m(",
            "#break",
            "#stop",
            "$a",
            "${a}",
            "$!a",
            "$a.b",
            "$a[0]",
            "$a[",
            "]",
            "$input.path('$..*')",
            "$input.json('$.a')",
            "$util.parseJson(",
            "$context",
            "$context.x = ",
            ".add($a)",
            ".put(\"k\", $a)",
            ".replaceAll('a', '$0')",
            ".substring(1)",
            "\"",
            "'",
            "(",
            ")",
            ")\n",
            " = ",
            " + ",
            " && ",
            "!",
            "1",
            "-2.5e3",
            "[1..9]",
            "{",
            "}",
            ":",
            ",",
            "\\",
            "\\\\",
            "#[[",
            "]]#",
            "##",
            "#*",
            "*#",
            "\n",
            " ",
            "x",
            "é😀",
            "$",
            "#",
            "null",
            "true",
        ][..],
    );
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_is_refused(source in "\\PC{0,80}", body in "\\PC{0,40}") {
        run(&source, &body)?;
    }

    #[test]
    fn any_soup_of_directives_is_bounded(source in soup(), body in "(\\[|\\{|\"a\":|1|,|\\]|\\}|null| ){0,20}") {
        run(&source, &body)?;
    }
}
