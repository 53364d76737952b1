//! The steps that are measured.

mod deciding;
mod heads;
mod linking;
mod mapping;
mod validating;

use anyhow::Context;

/// A step of the hot path.
#[derive(Debug)]
pub struct Case {
    /// As the command line and the budgets call it.
    pub name: &'static str,
    /// What one iteration does.
    pub does: &'static str,
    /// Iterations in which a count of instructions settles: few where one is long.
    pub batch: u64,
    /// A case whose work this one has to do first: it is measured too, and taken off.
    pub beyond: Option<&'static str>,
    prepare: fn() -> anyhow::Result<Work>,
}

/// A case's inputs with its loop: call it with a number of iterations.
pub type Work = Box<dyn FnMut(u64)>;

impl Case {
    /// Makes the inputs, checks on them that the step does what it should, and leaves its buffers warm.
    pub fn prepare(&self) -> anyhow::Result<Work> {
        (self.prepare)().with_context(|| format!("case {}", self.name))
    }
}

/// All cases, in the order a request meets the steps.
pub static ALL: [Case; 14] = [
    Case {
        name: "h1_request_parse",
        does: "read a browser's request head: 582 bytes, 10 fields",
        prepare: heads::browser_request,
        ..QUICK
    },
    Case {
        name: "h1_request_parse_small",
        does: "read a small request head: 3 fields",
        prepare: heads::small_request,
        ..QUICK
    },
    Case {
        name: "h1_response_parse",
        does: "read an upstream's response head: 8 fields",
        prepare: heads::response,
        ..QUICK
    },
    Case { name: "ids", does: "make the ids of a request", prepare: deciding::ids, ..QUICK },
    Case {
        name: "begin_proxy",
        does: "decide a browser's request for an HTTP_PROXY with a path mapping",
        prepare: deciding::proxy,
        ..QUICK
    },
    Case {
        name: "begin_mock",
        does: "decide a browser's request for a MOCK with a constant answer",
        prepare: deciding::mock,
        ..QUICK
    },
    Case {
        name: "reply",
        does: "make the answer of an upstream's head, behind begin_proxy",
        beyond: Some("begin_proxy"),
        prepare: deciding::reply,
        ..QUICK
    },
    Case {
        name: "function",
        does: "decide a browser's request for a function, sign the invocation, and make the answer of what it says",
        batch: 100,
        prepare: deciding::function,
        ..QUICK
    },
    Case {
        name: "route_1",
        does: "decide a request for a path with three parameters, on an API with this path only",
        prepare: deciding::one_route,
        ..QUICK
    },
    Case {
        name: "route_609",
        does: "decide the same request on an API with 609 paths",
        prepare: deciding::many_routes,
        ..QUICK
    },
    Case {
        name: "link_609",
        does: "link the bundle of the API with 609 paths, and drop it",
        batch: 5,
        prepare: linking::many_routes,
        ..QUICK
    },
    Case {
        name: "validate_body",
        does: "read a body of 2 KB and check it against a model of 20 properties",
        batch: 100,
        prepare: validating::model_of_20_properties,
        ..QUICK
    },
    Case {
        name: "template_render",
        does: "read a body of 1.8 KB and render it with a template of 32 lines, a loop over 20 items",
        batch: 100,
        prepare: mapping::render,
        ..QUICK
    },
    Case {
        name: "template_compile",
        does: "compile this template, and drop it",
        batch: 100,
        prepare: mapping::compile,
        ..QUICK
    },
];

const QUICK: Case =
    Case { name: "", does: "", batch: 1000, beyond: None, prepare: || Ok(repeat(|| ())) };

/// Finds a case by its name.
pub fn find(name: &str) -> anyhow::Result<&'static Case> {
    let found = ALL.iter().find(|case| case.name == name);
    found.with_context(|| format!("no case is named '{name}'; `list` shows them all"))
}

/// A loop around one iteration. The call through a pointer is outside of it.
fn repeat(mut once: impl FnMut() + 'static) -> Work {
    Box::new(move |iterations| {
        for _ in 0..iterations {
            once();
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_case_does_what_it_is_named_after() {
        for case in &ALL {
            case.prepare().unwrap()(2);
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        let names: HashSet<&str> = ALL.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), ALL.len());
        for case in &ALL {
            assert_eq!(find(case.name).unwrap().name, case.name);
            assert!(case.beyond.is_none_or(|base| find(base).unwrap().beyond.is_none()));
        }
        assert!(find("nothing").is_err());
    }
}
