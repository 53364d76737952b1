//! Decisions of small policies, and documents that are none.

use super::*;

const API: &str = "arn:aws:apigateway:us-east-1::/restapis/abc";

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn context(pairs: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    pairs.iter().for_each(|(key, value)| context.add(key, *value));
    context
}

fn decide(statements: &str, action: &str, resource: &str) -> Decision {
    policy(statements).decide(action, resource, &context(&[("aws:username", "ann")]))
}

#[test]
fn actions_and_resources_select() {
    use Decision::{Allow, ExplicitDeny, ImplicitDeny};
    let allow = |rest: &str| format!(r#"{{"Effect":"Allow",{rest}}}"#);
    for (statement, action, resource, want) in [
        (r#""Action":"*","Resource":"*""#, "apigateway:GET", API, Allow),
        (r#""Action":"apigateway:get","Resource":"*""#, "apigateway:GET", API, Allow),
        (r#""Action":"APIGateway:G?T","Resource":"*""#, "apigateway:GET", API, Allow),
        (r#""Action":["s3:*","apigateway:P*"],"Resource":"*""#, "apigateway:PATCH", API, Allow),
        (r#""Action":"apigateway:P*","Resource":"*""#, "apigateway:GET", API, ImplicitDeny),
        (r#""NotAction":"apigateway:DELETE","Resource":"*""#, "apigateway:GET", API, Allow),
        (r#""NotAction":"apigateway:*","Resource":"*""#, "apigateway:GET", API, ImplicitDeny),
        (r#""Action":"*","Resource":"arn:aws:apigateway:*::/restapis/*""#, "a:b", API, Allow),
        (r#""Action":"*","Resource":"arn:aws:apigateway:*::/restapis/a?c""#, "a:b", API, Allow),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/restapis/ABC""#,
            "a:b",
            API,
            ImplicitDeny,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/restapis/ab""#,
            "a:b",
            API,
            ImplicitDeny,
        ),
        (
            r#""Action":"*","NotResource":"arn:aws:apigateway:*::/restapis/abc""#,
            "a:b",
            API,
            ImplicitDeny,
        ),
        (
            r#""Action":"*","NotResource":"arn:aws:apigateway:*::/restapis/abc/*""#,
            "a:b",
            API,
            Allow,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/${aws:username}/*""#,
            "a:b",
            "arn:aws:apigateway:r::/ann/x",
            Allow,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/${aws:userid}/*""#,
            "a:b",
            "arn:aws:apigateway:r::/${aws:userid}/x",
            ImplicitDeny,
        ),
        (
            r#""Action":"*","NotResource":"arn:aws:apigateway:*::/${aws:userid}/*""#,
            "a:b",
            API,
            Allow,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/${aws:userid, 'all'}/*""#,
            "a:b",
            "arn:aws:apigateway:r::/all/x",
            Allow,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/${*}${?}${$}""#,
            "a:b",
            "arn:aws:apigateway:r::/*?$",
            Allow,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:apigateway:*::/${*}""#,
            "a:b",
            "arn:aws:apigateway:r::/x",
            ImplicitDeny,
        ),
    ] {
        assert_eq!(decide(&allow(statement), action, resource), want, "{statement}");
    }
    let both = r#"[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Sid":"No","Effect":"Deny","Action":"apigateway:DELETE","Resource":"arn:aws:apigateway:*::/restapis/*"}]"#;
    assert_eq!(decide(both, "apigateway:DELETE", API), ExplicitDeny);
    assert_eq!(decide(both, "apigateway:GET", API), Allow);
    for (name, document) in BUILT_IN {
        let policy = Policy::parse(document).unwrap();
        let context = Context::default();
        assert_eq!(policy.decide("apigateway:GET", API, &context), Allow, "{name}");
        let changes = policy.decide("apigateway:PATCH", API, &context);
        assert_eq!(changes == Allow, name == "admin");
    }
}

/// What a variable brings in is text, even where it looks like a wild card.
#[test]
fn variables_bring_no_wildcards() {
    let policy = policy(
        r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:apigateway:*::/${aws:username}"}"#,
    );
    let context = context(&[("aws:username", "*")]);
    let decide =
        |path: &str| policy.decide("a:b", &format!("arn:aws:apigateway:r::/{path}"), &context);
    assert_eq!(decide("x"), Decision::ImplicitDeny);
    assert_eq!(decide("*"), Decision::Allow);
    // Two values are none.
    let mut two = Context::default();
    two.add("aws:username", "a");
    two.add("aws:username", "b");
    assert_eq!(policy.decide("a:b", "arn:aws:apigateway:r::/a", &two), Decision::ImplicitDeny);
    // The old version has no variables.
    let old = Policy::parse(
        r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:x:::${aws:username}"}}"#,
    );
    let literal = old.unwrap().decide("a:b", "arn:aws:x:::${aws:username}", &context);
    assert_eq!(literal, Decision::Allow);
}

#[test]
fn conditions_hold_or_not() {
    let known = context(&[
        ("aws:SourceIp", "10.1.2.3"),
        ("aws:CurrentTime", "2025-06-01T12:00:00Z"),
        ("aws:username", "ann"),
        ("aws:TagKeys", "team"),
        ("aws:TagKeys", "cost"),
        ("aws:RequestTag/team", "Red"),
        ("apigateway:Request/ApiKeyRequired", "true"),
        ("x:number", "7"),
        ("x:arn", "arn:aws:iam::123456789012:user/ann"),
    ]);
    for (condition, want) in [
        (r#"{"StringEquals":{"aws:username":["bob","ann"]}}"#, true),
        (r#"{"StringEquals":{"AWS:UserName":"ann"}}"#, true),
        (r#"{"StringEquals":{"aws:username":"a*"}}"#, false),
        (r#"{"StringLike":{"aws:username":"a*"}}"#, true),
        (r#"{"StringNotLike":{"aws:username":"a*"}}"#, false),
        (r#"{"StringNotEquals":{"aws:username":["bob","ann"]}}"#, false),
        (r#"{"StringNotEquals":{"aws:absent":"x"}}"#, true),
        (r#"{"StringEquals":{"aws:absent":"x"}}"#, false),
        (r#"{"StringEqualsIfExists":{"aws:absent":"x"}}"#, true),
        (r#"{"StringEqualsIfExists":{"aws:username":"x"}}"#, false),
        (r#"{"StringEquals":{"aws:RequestTag/team":"red"}}"#, false),
        (r#"{"StringEqualsIgnoreCase":{"aws:requesttag/TEAM":"red"}}"#, true),
        (r#"{"StringNotEqualsIgnoreCase":{"aws:RequestTag/team":"red"}}"#, false),
        (r#"{"StringEquals":{"aws:RequestTag/team":"${aws:absent, 'Red'}"}}"#, true),
        (r#"{"StringEquals":{"aws:username":"${aws:username}"}}"#, true),
        (r#"{"NumericEquals":{"x:number":7}}"#, true),
        (r#"{"NumericNotEquals":{"x:number":"7.0"}}"#, false),
        (r#"{"NumericLessThan":{"x:number":"8"}}"#, true),
        (r#"{"NumericGreaterThanEquals":{"x:number":"8"}}"#, false),
        (r#"{"NumericEquals":{"aws:username":"8"}}"#, false),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2025-06-02"}}"#, true),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2025-06-01T11:59Z"}}"#, true),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2025-06-01T14:00:00+02:00"}}"#, false),
        (r#"{"DateGreaterThanEquals":{"aws:CurrentTime":"1748779200"}}"#, true),
        (r#"{"Bool":{"apigateway:Request/ApiKeyRequired":true}}"#, true),
        (r#"{"Bool":{"apigateway:Request/ApiKeyRequired":"False"}}"#, false),
        (r#"{"Bool":{"aws:absent":"false"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":["192.168.0.0/16","10.1.0.0/16"]}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, false),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.1.2.0/24"}}"#, false),
        (r#"{"ArnLike":{"x:arn":"arn:*:iam::*:user/*"}}"#, true),
        (r#"{"ArnEquals":{"x:arn":"arn:aws:*:::user/ann"}}"#, false),
        (r#"{"ArnNotLike":{"x:arn":"arn:aws:iam::*:role/*"}}"#, true),
        (r#"{"Null":{"aws:absent":"true"}}"#, true),
        (r#"{"Null":{"aws:username":"true"}}"#, false),
        (r#"{"Null":{"aws:username":false}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost","x"]}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}"#, false),
        (r#"{"ForAllValues:StringEquals":{"aws:absent":["team"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:absent":["team"]}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team"]}}"#, true),
        (r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["team"]}}"#, false),
        (r#"{"StringNotEquals":{"aws:TagKeys":["team"]}}"#, false),
        // All operators and all keys must hold.
        (r#"{"StringEquals":{"aws:username":"ann","x:number":"7"},"Null":{"aws:x":true}}"#, true),
        (r#"{"StringEquals":{"aws:username":"ann","x:number":"8"}}"#, false),
    ] {
        let policy = policy(&format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#
        ));
        let allowed = policy.decide("a:b", API, &known) == Decision::Allow;
        assert_eq!(allowed, want, "{condition}");
    }
}

#[test]
fn what_is_asked_for_is_known() {
    let asks = |condition: &str, prefix: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"arn:aws:x:::${{aws:userid}}","Condition":{condition}}}"#
        ))
        .asks_for(prefix)
    };
    assert!(asks(r#"{"StringEquals":{"aws:ResourceTag/team":"x"}}"#, "aws:resourcetag/"));
    assert!(asks(r#"{"StringEquals":{"aws:x":"${aws:ResourceTag/team}"}}"#, "aws:resourcetag/"));
    assert!(asks("{}", "aws:userid"));
    assert!(!asks(r#"{"StringEquals":{"aws:RequestTag/team":"x"}}"#, "aws:resourcetag/"));
}

#[test]
fn what_is_no_policy_is_told() {
    let statement = |rest: &str| format!(r#"{{"Statement":[{{{rest}}}]}}"#);
    let full = r#""Effect":"Allow","Action":"*","Resource":"*""#;
    for (text, want) in [
        ("".to_owned(), "no JSON"),
        ("[]".to_owned(), "a policy is a JSON object"),
        ("{}".to_owned(), "Statement must be"),
        (r#"{"Statement":[]}"#.to_owned(), "Statement must be"),
        (r#"{"Statement":[1]}"#.to_owned(), "statement 1: a statement is a JSON object"),
        (r#"{"Version":"2020-01-01","Statement":[]}"#.to_owned(), "Version must be"),
        (r#"{"Version":1,"Statement":[]}"#.to_owned(), "Version must be text"),
        (r#"{"Statements":[]}"#.to_owned(), "\"Statements\" is no element of a policy"),
        (r#"{"Statement":[],"Statement":[]}"#.to_owned(), "\"Statement\" is given twice"),
        (
            statement(r#""Effect":"Allow""#),
            "statement 1: Action or NotAction is missing; statement 1: Resource or",
        ),
        (statement(&full.replace("Allow", "allow")), "Effect must be Allow or Deny"),
        (statement(&format!(r#"{full},"Effect":"Deny""#)), "\"Effect\" is given twice"),
        (
            statement(&format!(r#"{full},"NotAction":"*""#)),
            "Action and NotAction exclude each other",
        ),
        (statement(&format!(r#"{full},"Principal":"*""#)), "Principal has no place here"),
        (statement(&format!(r#"{full},"Effekt":"*""#)), "\"Effekt\" is no element of a statement"),
        (statement(&format!(r#"{full},"Sid":"a b""#)), "Sid may hold letters and digits only"),
        (statement(r#""Effect":"Allow","Action":"GET","Resource":"*""#), "\"GET\" is no action"),
        (statement(r#""Effect":"Allow","Action":[],"Resource":"*""#), "Action is empty"),
        (statement(r#""Effect":"Allow","Action":{},"Resource":"*""#), "Action must be text"),
        (
            statement(r#""Effect":"Allow","Action":"*","Resource":"/restapis""#),
            "must be in ARN format",
        ),
        (
            statement(r#""Effect":"Allow","Action":"*","Resource":"arn:aws:x""#),
            "must be in ARN format",
        ),
        (statement(&format!(r#"{full},"Condition":[]"#)), "Condition must be an object"),
        (
            statement(&format!(r#"{full},"Condition":{{"StringEquals":1}}"#)),
            "StringEquals must be an object",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"StringSame":{{"a:b":"c"}}}}"#)),
            "\"StringSame\" is no condition operator",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"NotStringEquals":{{"a:b":"c"}}}}"#)),
            "is no condition operator",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"NullIfExists":{{"a:b":"true"}}}}"#)),
            "is no condition operator",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"ForSome:Bool":{{"a:b":"true"}}}}"#)),
            "is no condition operator",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"StringEquals":{{"ab":"c"}}}}"#)),
            "\"ab\" is no condition key",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"IpAddress":{{"a:b":"10.0.0.0/33"}}}}"#)),
            "is not a CIDR block",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"NumericEquals":{{"a:b":"NaN"}}}}"#)),
            "is not a number",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"DateEquals":{{"a:b":"soon"}}}}"#)),
            "is not an ISO 8601 date",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"Bool":{{"a:b":"yes"}}}}"#)),
            "is not true or false",
        ),
        (
            statement(&format!(r#"{full},"Condition":{{"ArnLike":{{"a:b":"x"}}}}"#)),
            "\"x\" is no ARN",
        ),
        (statement(&format!(r#"{full},"Condition":{{"StringEquals":{{"a:b":[]}}}}"#)), "is empty"),
    ] {
        let told = Policy::parse(&text).expect_err(&text).to_string();
        assert!(told.contains(want), "{text}: {told}");
    }
    let twice = r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    assert!(Policy::parse(twice).unwrap_err().to_string().contains("statement 2: Sid \"A\""));
    let variable = |resource: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}}}"#
        );
        Policy::parse(&text).unwrap_err().to_string()
    };
    assert!(variable("arn:aws:x:::${aws:username").contains("does not end with '}'"));
    assert!(variable("arn:aws:x:::${username}").contains("cannot be read"));
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let deep = format!(r#"{{"Statement":{}{}}}"#, "[".repeat(3_000), "]".repeat(3_000));
    assert!(Policy::parse(&deep).unwrap_err().to_string().contains("recursion limit"));
    assert!(Policy::parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err().to_string().contains("bytes"));
    let long = format!("{{\"Id\":\"{}\"}}", "x".repeat(MAX_CHARACTERS));
    assert!(Policy::parse(&long).unwrap_err().to_string().contains("white space"));
    assert!(Policy::parse("{\"Id\":\"a\u{0}\"}").is_err());
    let spaced = format!("{}{}", " ".repeat(MAX_CHARACTERS * 2), BUILT_IN[0].1);
    assert!(Policy::parse(&spaced).is_ok());
}

/// Patterns that make backtracking matchers take for ever.
#[test]
fn hostile_patterns_are_matched_quickly() {
    let text = format!("arn:aws:apigateway:r::/{}", "a".repeat(100_000));
    for piece in ["*a", "*?a", "*aaaaaaaa"] {
        let resource = format!("arn:aws:apigateway:r::/{}*b", piece.repeat(4_000 / piece.len()));
        let policy =
            policy(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}"#));
        let began = std::time::Instant::now();
        assert_eq!(policy.decide("a:b", &text, &Context::default()), Decision::ImplicitDeny);
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{piece}");
    }
}

#[test]
fn the_fuzz_entry_takes_anything() {
    for text in [
        "",
        "{}",
        "\u{0}",
        BUILT_IN[0].1,
        BUILT_IN[1].1,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"*?*${aws:username}"}}}}"#,
    ] {
        fuzz(text.as_bytes());
    }
    fuzz(&[0xff, 0xfe]);
}

/// Source: IAM User Guide, "IAM JSON policy elements: Resource": wild cards stand within the segments of an ARN.
#[test]
fn no_wildcard_reaches_over_the_colons_of_an_arn() {
    let decided = |effect: &str, element: &str, pattern: &str, resource: &str| {
        decide(
            &format!(r#"{{"Effect":"{effect}","Action":"*","{element}":"{pattern}"}}"#),
            "execute-api:Invoke",
            &format!("arn:aws:execute-api:us-east-1:000000000000:{resource}"),
        )
    };
    let forged = "other/prod/GET/x:notes/prod/y";
    let notes = "arn:aws:execute-api:*:*:notes/prod/*";
    for (pattern, resource, want) in [
        (notes, "notes/prod/GET/a:b", Decision::Allow),
        (notes, forged, Decision::ImplicitDeny),
        ("arn:*:*:*:*:notes/prod/*", forged, Decision::ImplicitDeny),
        ("arn:aws:execute-api:us-east-1:*", forged, Decision::Allow),
        ("arn:aws:execute-api:*", forged, Decision::Allow),
        ("arn:aws:*", forged, Decision::Allow),
        ("arn:aws:lambda:*", forged, Decision::ImplicitDeny),
        ("*", forged, Decision::Allow),
    ] {
        assert_eq!(decided("Allow", "Resource", pattern, resource), want, "{pattern} {resource}");
    }
    // Where the rest of an ARN would have to be guessed at, there is no policy.
    for pattern in ["arn:aws:execute-api:*notes/prod/*", "arn:aws:*notes*", "arn:aws:execute-api"] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"{pattern}"}}}}"#
        );
        assert!(Policy::parse(&text).is_err(), "{pattern}");
    }
    // What is exempt from a denial is not forged either.
    assert_eq!(decided("Deny", "NotResource", notes, forged), Decision::ExplicitDeny);
    assert_eq!(decided("Deny", "NotResource", notes, "notes/prod/GET/a"), Decision::ImplicitDeny);
}
