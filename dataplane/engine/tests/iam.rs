//! Methods with authorization `AWS_IAM`: who is let in, what the others are told, and what is known of who was let in.
//!
//! Sources: rest-api-runtime.md sections 5.3, 10.6, 18.7 and 19 (table A without a resource policy). Signatures are made by the engine's
//! own signer, which AWS's vectors judge; boto3's are the client tests'.

#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use support::{API, Driver, Ran, Stage, head_with_body, method, pairs, resource, whole};
use tidegate_engine::exchange::calendar::Moment;
use tidegate_engine::head::Head;
use tidegate_engine::integration::credentials::{AwsSettings, Credentials};
use tidegate_engine::integration::sigv4::{Keys, PathStyle, Signer, Subject, digest};
use tidegate_proto::v1;

/// When the driver's clock stands still.
const NOW: u64 = 1_700_000_000_123;

const HOST: &str = "abcde12345.execute-api.localhost";

/// Ann may call anything but what is secret, Bob has a session and may only read, Eve has no policy.
const CALLERS: &str = r#"{
    "arn:aws:iam::123456789012:user/team/ann": {
        "accessKeyId": "AKANN", "secretAccessKey": "anns", "userId": "AIDAANN",
        "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/prod/*"},
            {"Effect": "Deny", "Action": "execute-api:*", "Resource": "arn:aws:execute-api:*:*:*/*/*/x/secret*"}]}},
    "arn:aws:sts::123456789012:assumed-role/ops/bob": {
        "accessKeyId": "AKBOB", "secretAccessKey": "bobs", "sessionToken": "bobs-session", "userId": "AROAOPS:bob",
        "policy": {"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:eu-west-1:000000000000:abcde12345/prod/GET/*",
             "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringEquals": {"aws:PrincipalType": "AssumedRole"}}}}},
    "arn:aws:iam::123456789012:user/eve": {"accessKeyId": "AKEVE", "secretAccessKey": "eves"}
}"#;

fn credentials() -> Credentials {
    AwsSettings::read(std::iter::empty(), None, Some(CALLERS.as_bytes())).unwrap().credentials
}

fn keys(id: &str) -> Keys {
    credentials().callers.iter().find(|caller| caller.keys.id == id).unwrap().keys.clone()
}

fn driver(integration: v1::Integration) -> Driver {
    let mut wanted = resource("/x/{id}", "ANY", integration);
    wanted.methods[0].authorization_type = "AWS_IAM".into();
    let domain = v1::Domain {
        name: "api.example.com".into(),
        mappings: vec![v1::BasePathMapping {
            base_path: "shop".into(),
            api_id: API.into(),
            stage: "prod".into(),
        }],
        ..Default::default()
    };
    let stage = Stage::of(vec![wanted]);
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[domain]);
    driver.credentials = credentials();
    driver
}

/// Answers with what it knows of its caller.
fn telling() -> v1::Integration {
    let told = "$context.identity.accessKey $context.identity.accountId $context.identity.caller $context.identity.user \
                $context.identity.userArn";
    v1::Integration {
        r#type: v1::IntegrationType::Mock.into(),
        request_templates: pairs(&[("application/json", r#"{"statusCode": 200}"#)]),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            templates: pairs(&[("application/json", told)]),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A request and how it is signed.
#[derive(Clone)]
struct Signed {
    keys: Keys,
    verb: &'static str,
    path: &'static str,
    query: &'static str,
    body: &'static str,
    host: &'static str,
    region: &'static str,
    service: &'static str,
    /// When, as an offset to the gateway's clock in seconds.
    at: i64,
}

impl Signed {
    fn by(id: &str) -> Self {
        Self {
            keys: keys(id),
            verb: "GET",
            path: "/prod/x/7",
            query: "",
            body: "",
            host: HOST,
            region: "eu-west-1",
            service: "execute-api",
            at: 0,
        }
    }

    fn head(&self) -> Head {
        self.with(|fields| fields)
    }

    /// The head, its fields changed after they were signed.
    fn with(&self, change: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>) -> Head {
        let unix_ms = NOW.saturating_add_signed(self.at * 1_000);
        let signer =
            Signer { keys: &self.keys, region: self.region, service: self.service, unix_ms };
        let mut fields =
            vec![("Host".to_owned(), self.host.to_owned()), ("X-Amz-Date".into(), signer.date())];
        if let Some(token) = &self.keys.token {
            fields.push(("X-Amz-Security-Token".into(), token.clone()));
        }
        let to_sign: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let payload = digest(self.body.as_bytes());
        let authorization = signer.authorization(&Subject {
            method: self.verb,
            path: self.path.as_bytes(),
            query: self.query.as_bytes(),
            fields: &to_sign,
            payload: &payload,
            path_style: PathStyle::Normalised,
        });
        fields.push(("Authorization".into(), authorization));
        let fields = change(fields);
        let sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
        let target = match self.query {
            "" => self.path.to_owned(),
            query => format!("{}?{query}", self.path),
        };
        head_with_body(&format!("{} {target}", self.verb), &sent, self.body.as_bytes())
    }
}

fn asks(head: &Head, body: &str) -> Ran {
    let ok = Ok(whole(200, &[], b"done"));
    driver(telling()).runs(head, body.as_bytes(), ok)
}

#[test]
fn who_signs_and_may_call_is_known_to_the_method() {
    let bob = Signed::by("AKBOB");
    let posting = Signed { verb: "POST", body: r#"{"a": 1}"#, ..Signed::by("AKANN") };
    let asking = Signed { query: "b=2&a=%20x&a", ..Signed::by("AKANN") };
    let late = Signed { at: -299, ..Signed::by("AKANN") };
    let ann = "AKANN 123456789012 AIDAANN AIDAANN arn:aws:iam::123456789012:user/team/ann";
    for (signed, want) in [
        (&posting, ann),
        (&asking, ann),
        (&late, ann),
        (
            &bob,
            "AKBOB 123456789012 AROAOPS:bob AROAOPS:bob arn:aws:sts::123456789012:assumed-role/ops/bob",
        ),
    ] {
        let ran = asks(&signed.head(), signed.body);
        assert_eq!(ran.brief(), format!("200 {want}"));
    }
}

#[test]
fn everybody_else_is_refused_in_awss_words() {
    let ann = Signed::by("AKANN");
    let changed = |name: &'static str, value: &'static str| {
        move |fields: Vec<(String, String)>| -> Vec<(String, String)> {
            let mut kept: Vec<_> = fields.into_iter().filter(|(held, _)| held != name).collect();
            if !value.is_empty() {
                kept.push((name.to_owned(), value.to_owned()));
            }
            kept
        }
    };
    let stranger = Keys { id: "AKNOBODY".into(), secret: "s".into(), token: None };
    let impostor = Keys { secret: "guessed".into(), ..keys("AKANN") };
    let stolen = Keys { token: None, ..keys("AKBOB") };
    let old = Keys { token: Some("bobs-last-session".into()), ..keys("AKBOB") };
    let at =
        |seconds: i64| Moment::from_unix_ms(NOW.saturating_add_signed(seconds * 1_000)).basic();
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                    Key and signing method. Consult the service documentation for details.";
    let invalid = "The security token included in the request is invalid.";
    let (wrong, unknown) = ("InvalidSignatureException", "UnrecognizedClientException");
    let denied = |who: &str, verb: &str, path: &str, why: &str| {
        format!(
            "User: {who} is not authorized to perform: execute-api:Invoke on resource: \
             arn:aws:execute-api:eu-west-1:********0000:abcde12345/prod/{verb}/{path} {why}"
        )
    };
    let silent = "because no identity-based policy allows the execute-api:Invoke action";
    for (head, exception, message) in [
        (
            ann.with(changed("Authorization", "")),
            "MissingAuthenticationTokenException",
            "Missing Authentication Token".to_owned(),
        ),
        (Signed { keys: stranger, ..ann.clone() }.head(), unknown, invalid.into()),
        (Signed { keys: stolen, ..ann.clone() }.head(), unknown, invalid.into()),
        (Signed { keys: old, ..ann.clone() }.head(), unknown, invalid.into()),
        (Signed { keys: impostor, ..ann.clone() }.head(), wrong, mismatch.into()),
        (ann.with(changed("X-Amz-Date", "20231114T221321Z")), wrong, mismatch.into()),
        (
            Signed { region: "us-east-1", ..ann.clone() }.head(),
            wrong,
            "Credential should be scoped to a valid region, not 'us-east-1'.".into(),
        ),
        (
            Signed { at: -301, ..ann.clone() }.head(),
            wrong,
            format!(
                "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                at(-301),
                at(-300),
                at(0)
            ),
        ),
        (
            Signed { path: "/prod/x/secrets", ..ann.clone() }.head(),
            "AccessDeniedException",
            denied(
                "arn:aws:iam::123456789012:user/team/ann",
                "GET",
                "x/secrets",
                "with an explicit deny in an identity-based policy",
            ),
        ),
        (
            Signed { verb: "DELETE", ..Signed::by("AKBOB") }.head(),
            "AccessDeniedException",
            denied("arn:aws:sts::123456789012:assumed-role/ops/bob", "DELETE", "x/7", silent),
        ),
        (
            Signed::by("AKEVE").head(),
            "AccessDeniedException",
            denied("arn:aws:iam::123456789012:user/eve", "GET", "x/7", silent),
        ),
    ] {
        let answer = asks(&head, "").answer;
        let name = if exception == "AccessDeniedException" { "Message" } else { "message" };
        assert_eq!(answer.body, format!("{{\"{name}\":\"{message}\"}}"));
        assert_eq!(
            (answer.status, answer.fields.one("x-amzn-ErrorType")),
            (403, exception),
            "{message}"
        );
    }
    let wrong_service = asks(&Signed { service: "apigateway", ..ann.clone() }.head(), "").answer;
    assert_eq!(wrong_service.fields.one("x-amzn-ErrorType"), wrong, "{}", wrong_service.body);
    let torn =
        asks(&ann.with(changed("Authorization", "AWS4-HMAC-SHA256 Credential=x")), "").answer;
    assert_eq!(
        torn.fields.one("x-amzn-ErrorType"),
        "IncompleteSignatureException",
        "{}",
        torn.body
    );
    let bearer = asks(&ann.with(changed("Authorization", "Bearer x")), "").answer;
    assert_eq!(
        bearer.fields.one("x-amzn-ErrorType"),
        "IncompleteSignatureException",
        "{}",
        bearer.body
    );
}

/// Whatever way a path is written: what routes take for the same, a policy does, too.
#[test]
fn no_spelling_of_a_path_slips_past_a_policy() {
    for path in [
        "/prod/x/secrets",
        "/prod/x/%73ecrets",
        "/prod//x/secrets",
        "/prod/x/secrets/",
        "/prod/%78/se%63rets//",
    ] {
        let ran = asks(&Signed { path, ..Signed::by("AKANN") }.head(), "");
        let denied = "/GET/x/secrets with an explicit deny in an identity-based policy\"}";
        assert!(
            ran.answer.status == 403 && ran.answer.body.ends_with(denied),
            "{path}: {}",
            ran.answer.body
        );
    }
}

/// 5.3: the ARN of the method is limited, 1,600 bytes.
#[test]
fn a_path_that_makes_the_arn_too_long_is_refused() {
    let before = "arn:aws:execute-api:eu-west-1:000000000000:abcde12345/prod/GET/x/".len();
    for (length, status) in [(1_600, 200), (1_601, 414)] {
        let path = format!("/prod/x/{}", "7".repeat(length - before)).leak();
        let ran = asks(&Signed { path, ..Signed::by("AKANN") }.head(), "");
        assert_eq!(ran.answer.status, status, "{length}: {}", ran.answer.body);
        if status == 414 {
            assert_eq!(ran.answer.body, r#"{"message":"Request URI too long"}"#);
        }
    }
}

/// Colons of a path are none of the ARN's: no wild card of a policy reaches over them into another API.
#[test]
fn no_path_makes_one_api_another() {
    let others =
        CALLERS.replace("arn:aws:execute-api:*:*:*/prod/*", "arn:aws:execute-api:*:*:notes/prod/*");
    let mut wanted = resource("/{all+}", "ANY", telling());
    wanted.methods[0].authorization_type = "AWS_IAM".into();
    let mut driver = Driver::serving(v1::Api::default(), vec![Stage::of(vec![wanted])], &[]);
    driver.credentials =
        AwsSettings::read(std::iter::empty(), None, Some(others.as_bytes())).unwrap().credentials;
    for path in
        ["/prod/x", "/prod/x:notes/prod/y", "/prod/a:b:c:notes/prod/y", "/prod/:notes/prod/"]
    {
        let head = Signed { path, ..Signed::by("AKANN") }.head();
        let answer = driver.runs(&head, b"", Ok(whole(200, &[], b""))).answer;
        assert_eq!((answer.status, answer.failure), (403, Some("ACCESS_DENIED")), "{path}");
    }
}

/// A custom domain's base path is no part of what policies speak of.
#[test]
fn policies_speak_of_the_path_behind_a_base_path() {
    let at = |path| Signed { host: "api.example.com", path, ..Signed::by("AKANN") };
    assert_eq!(asks(&at("/shop/x/7").head(), "").answer.status, 200);
    let ran = asks(&at("/shop/x/secrets").head(), "");
    assert!(
        ran.answer.body.contains("abcde12345/prod/GET/x/secrets with an explicit deny"),
        "{}",
        ran.answer.body
    );
}

/// What is signed is the body, too: one that was changed on its way calls nothing.
#[test]
fn a_body_that_is_not_the_signed_one_is_refused() {
    let signed = Signed { verb: "POST", body: r#"{"pay": 1}"#, ..Signed::by("AKANN") };
    let ran = asks(&signed.head(), r#"{"pay": 9}"#);
    assert_eq!(
        (ran.answer.status, ran.answer.fields.one("x-amzn-ErrorType")),
        (403, "InvalidSignatureException")
    );
}

#[test]
fn a_body_is_not_waited_for_where_no_signature_can_be_right() {
    for head in [
        head_with_body("POST /prod/x/7", &[], b"{}"),
        Signed {
            keys: Keys { id: "AKNOBODY".into(), secret: "s".into(), token: None },
            verb: "POST",
            body: "{}",
            ..Signed::by("AKANN")
        }
        .head(),
    ] {
        let mut driver = driver(telling());
        let step = driver.step(&head);
        let support::Decided::Answered(answer) = driver.take_apart(step) else { panic!() };
        assert_eq!(answer.status, 403);
    }
}

/// The whole body is there when it is known who calls, so that it is sent on whole; the signature stays behind.
#[test]
fn what_is_proxied_arrives_with_its_body_and_without_its_signature() {
    let signed = Signed { verb: "POST", body: "payload", ..Signed::by("AKANN") };
    let mut driver = driver(support::http_proxy("http://up.example/in", &[]));
    let ran = driver.runs(&signed.head(), b"payload", Ok(whole(201, &[], b"made")));
    let call = ran.call();
    assert_eq!((call.sent.method, &*call.body), ("POST", &b"payload"[..]));
    assert!(!call.sent.fields.has("Authorization"));
    assert_eq!(ran.brief(), "201 made");
    // Without a body nothing has to be kept.
    let ran = driver.runs(&Signed::by("AKANN").head(), b"", Ok(whole(200, &[], b"read")));
    assert_eq!(ran.brief(), "200 read");
}

#[test]
fn services_are_called_with_the_callers_own_key() {
    let service = v1::Integration {
        r#type: v1::IntegrationType::Aws.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:eu-west-1:dynamodb:action/ListTables".into(),
        credentials: "arn:aws:iam::*:user/*".into(),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut driver = driver(service);
    let ran = driver.runs(&Signed::by("AKBOB").head(), b"", Ok(whole(200, &[], b"{}")));
    let fields = &ran.call().sent.fields;
    assert!(
        fields.one("Authorization").starts_with(
            "AWS4-HMAC-SHA256 Credential=AKBOB/20231114/eu-west-1/dynamodb/aws4_request, "
        ),
        "{fields:?}"
    );
    assert_eq!(fields.one("X-Amz-Security-Token"), "bobs-session");
}

#[test]
fn functions_are_told_who_calls() {
    let function = v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations".into(),
        ..Default::default()
    };
    let reply = Ok(whole(200, &[], br#"{"statusCode": 200, "body": "hi"}"#));
    let ran = driver(function).runs(&Signed::by("AKANN").head(), b"", reply);
    let event: serde_json::Value = serde_json::from_slice(&ran.call().body).unwrap();
    let identity = &event["requestContext"]["identity"];
    let told = |name: &str| identity[name].as_str().unwrap_or("null").to_owned();
    assert_eq!(
        ["accountId", "caller", "accessKey", "userArn", "user", "cognitoIdentityId"].map(told),
        [
            "123456789012",
            "AIDAANN",
            "AKANN",
            "arn:aws:iam::123456789012:user/team/ann",
            "AIDAANN",
            "null"
        ]
    );
}

/// An API may word its refusals itself, as any gateway response.
#[test]
fn refusals_can_be_customised() {
    let mut wanted = resource("/x/{id}", "ANY", telling());
    wanted.methods[0] =
        v1::Method { authorization_type: "AWS_IAM".into(), ..method("ANY", telling()) };
    let mut stage = Stage::of(vec![wanted]);
    stage.bundle.gateway_responses = vec![v1::GatewayResponse {
        r#type: "ACCESS_DENIED".into(),
        status_code: Some(404),
        templates: pairs(&[("application/json", r#"{"no": $context.error.messageString}"#)]),
        ..Default::default()
    }];
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    driver.credentials = credentials();
    let ran = driver.runs(&Signed::by("AKEVE").head(), b"", Ok(whole(200, &[], b"")));
    assert!(
        ran.brief().starts_with(r#"404 {"no": "User: arn:aws:iam::123456789012:user/eve is not"#),
        "{}",
        ran.brief()
    );
    assert_eq!(API, "abcde12345");
}
