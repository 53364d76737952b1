//! Policies: any text is a policy or told what is wrong, and a policy that denies nothing more for being read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::identity::policy::{Context, Decision, Policy};

/// A policy, a NUL, an action, a NUL, a resource.
fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let document = parts.next().unwrap_or_default();
    let action = parts.next().unwrap_or("apigateway:GET");
    let resource = parts.next().unwrap_or("arn:aws:apigateway:us-east-1::/restapis/abc");
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(wrong) => return assert!(!wrong.0.is_empty() && wrong.0.len() <= document.len() + 1),
    };
    let mut context = Context::default();
    for (key, value) in [
        ("aws:SourceIp", "192.0.2.7"),
        ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
        ("aws:username", "me*?${x}"),
        ("aws:SecureTransport", "true"),
        ("apigateway:Request/EndpointType", "REGIONAL"),
        ("aws:TagKeys", "a"),
        ("aws:TagKeys", "b"),
    ] {
        context.add(key, value);
    }
    let decided = policy.decide(action, resource, &context);
    assert_eq!(policy.decide(&action.to_ascii_uppercase(), resource, &context), decided);
    // Only what is asked for is looked up: a context without it decides the same.
    if !policy.asks_for("") {
        assert_eq!(policy.decide(action, resource, &Context::default()), decided);
    }
    // What denies everything stands above it.
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let deny = Policy::parse(deny).expect("it is a policy");
    assert_eq!(deny.decide(action, resource, &context), Decision::ExplicitDeny);
});
