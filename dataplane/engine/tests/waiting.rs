//! A request that waits: for a call before its main call, carried out by a script, and for a place where its template may take long.
//!
//! Source: design.md section 2 ("Whatever must wait is `Step::Wait`"); rest-api-runtime.md section 5.3 for the refusals. That a
//! continuation cannot be used twice is shown where [`tidegate_engine::Next`] is documented: it does not compile.

mod support;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use support::{
    API, Answered, Decided, Driver, Stage, head, head_with_body, http_proxy, mock_ok, pairs,
    resource, waits,
};
use tidegate_engine::head::{Head, Method};
use tidegate_engine::{Abandoned, CallError, Ctx, Reply, Step, Wait};
use tidegate_proto::v1;

fn driver() -> Driver {
    let mut stage = Stage::of(vec![
        resource(
            "/x/{id}",
            "ANY",
            http_proxy(
                "http://up.example/in/{id}",
                &[("integration.request.path.id", "method.request.path.id")],
            ),
        ),
        resource("/mock", "GET", mock_ok("made")),
        resource("/open", "GET", mock_ok("open")),
    ]);
    stage.bundle.authorizers = vec![v1::Authorizer {
        id: "auth1".into(),
        r#type: "HTTP".into(),
        uri: "http://who.example:9000/check?from=gateway".into(),
        ..Default::default()
    }];
    for resource in &mut stage.bundle.resources[..2] {
        resource.methods[0].authorization_type = "CUSTOM".into();
        resource.methods[0].authorizer_id = "auth1".into();
    }
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn answer(status: u16) -> Result<Reply, CallError> {
    Ok(Reply::of(status, Vec::new()))
}

/// Asks, answers, and says what comes of it.
fn after(driver: &mut Driver, line: &str, got: Result<Reply, CallError>) -> Decided {
    let request = head(line, &[]);
    let (_, next) = waits(driver.step(&request));
    let step = next.give(&mut driver.cx(), &request, got);
    driver.take_apart(step)
}

#[test]
fn the_authorizer_sees_what_it_must_judge() {
    let mut driver = driver();
    let request = head(
        "POST /prod/x/7?secret=1",
        &[
            ("Authorization", "Bearer a"),
            ("Cookie", "c=1"),
            ("authorization", "Bearer b"),
            ("X-Other", "no"),
        ],
    );
    let (call, _) = waits(driver.step(&request));
    assert_eq!(&*call.upstream.authority, "who.example:9000");
    assert_eq!(call.request.method, Method::Get);
    assert_eq!(call.request.target.of(&driver.scratch), b"/check?from=gateway");
    let fields = support::Lines::read(call.request.fields.of(&driver.scratch));
    assert_eq!(fields.one("Host"), "who.example:9000");
    assert_eq!(fields.one("X-Forwarded-Method"), "POST");
    assert_eq!(fields.one("X-Forwarded-Uri"), "/prod/x/7");
    // All of them: the upstream gets them all, and might read another one than the last.
    assert_eq!(fields.all("Authorization"), ["Bearer a", "Bearer b"]);
    assert_eq!(fields.one("Cookie"), "c=1");
    assert!(fields.has("X-Amzn-Trace-Id") && !fields.has("X-Other"));
    assert!(call.request.timeout_ms > 0 && call.max_reply > 0);
}

#[test]
fn two_hundreds_admit_and_the_request_goes_on_where_it_was() {
    let mut driver = driver();
    for status in [200, 204, 299] {
        let decided = after(&mut driver, "PUT /prod/x/7%2F8?q=1", answer(status));
        let Decided::Sent(sent) = decided else { panic!("{status}: {decided:?}") };
        assert_eq!((sent.method, sent.target.as_str()), ("PUT", "/in/7%2F8?q=1"), "{status}");
        assert_eq!(sent.fields.one("X-Amzn-Apigateway-Api-Id"), API);
    }
    assert_eq!(after(&mut driver, "GET /prod/mock", answer(200)).brief(), "200 made");
}

#[test]
fn everything_else_keeps_the_caller_out() {
    let mut driver = driver();
    for status in [100, 199, 300, 302, 400, 401, 403, 404, 499] {
        let got = after(&mut driver, "GET /prod/mock", answer(status)).brief();
        assert_eq!(got, r#"401 {"message":"Unauthorized"}"#, "{status}");
    }
    // Authorizer down: closed.
    for got in [
        answer(500),
        answer(503),
        Err(CallError::Network),
        Err(CallError::Timeout),
        Err(CallError::Unresolved),
        Err(CallError::Denied),
    ] {
        let shown = format!("{got:?}");
        let got = after(&mut driver, "GET /prod/mock", got).brief();
        assert_eq!(got, r#"500 {"message":null}"#, "{shown}");
    }
}

#[test]
fn methods_without_an_authorizer_and_unknown_routes_do_not_wait() {
    let mut driver = driver();
    for line in ["GET /prod/open", "GET /prod/nope", "POST /prod/mock", "GET /prod/a/../mock"] {
        assert!(matches!(driver.step(&head(line, &[])), Step::Answer(_)), "{line}");
    }
}

#[test]
fn two_requests_that_wait_keep_apart() {
    // What is parked holds offsets into its own head and nothing of the driver's.
    let mut driver = driver();
    let (first, second) = (head("GET /prod/x/1", &[]), head("GET /prod/x/2", &[]));
    let (_, next_first) = waits(driver.step(&first));
    let (_, next_second) = waits(driver.step(&second));
    for (next, request, want) in
        [(next_second, &second, "> /in/2"), (next_first, &first, "> /in/1")]
    {
        driver.scratch.clear();
        let step = next.give(&mut driver.cx(), request, answer(200));
        assert_eq!(driver.take_apart(step).brief(), want);
    }
}

/// What a node lets a worker do.
const WORKER: u64 = 20_000;

/// What the driver is asked for until the answer is there, and that answer.
fn asked(
    driver: &mut Driver,
    patience: u64,
    request: &Head,
    body: &[u8],
    reply: &[u8],
) -> (Vec<&'static str>, Answered) {
    let mut asked = Vec::new();
    driver.patience = patience;
    let mut step = driver.step(request);
    loop {
        step = match step {
            Step::Wait(Wait::Elsewhere(next)) => {
                asked.push("elsewhere");
                driver.patience = Ctx::UNHURRIED;
                let step = next.give(&mut driver.cx(), request, Ok(()));
                driver.patience = patience;
                step
            }
            Step::Wait(Wait::Body(_, next)) => {
                asked.push("body");
                next.give(&mut driver.cx(), request, Ok(body.to_vec()))
            }
            Step::Wait(Wait::Call(_, next)) => {
                asked.push("call");
                let reply = Reply::of(200, reply.to_vec());
                next.give(&mut driver.cx(), request, Ok(reply))
            }
            step => match driver.take_apart(step) {
                Decided::Answered(answer) => return (asked, answer),
                Decided::Sent(sent) => panic!("{sent:?}"),
            },
        };
    }
}

/// A template that takes longer than it may is asked to go on elsewhere, and comes to the same there.
#[test]
fn templates_that_take_long_go_on_elsewhere() {
    let integration = v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "POST".into(),
        uri: "http://up.example/".into(),
        request_templates: pairs(&[(
            "application/json",
            "#foreach($i in [1..5])[$i]#end#set($context.responseOverride.status = 201)",
        )]),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            templates: pairs(&[(
                "application/json",
                "$input.path('$.of')#foreach($i in [1..5]) $i#end",
            )]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let stage = Stage::of(vec![resource("/x", "GET", integration)]);
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    let twice = &["elsewhere", "call", "elsewhere"][..];
    for (patience, waits) in
        [(Ctx::UNHURRIED, &["call"][..]), (WORKER, &["call"]), (3, twice), (0, twice)]
    {
        let request = head("GET /prod/x", &[]);
        let (asked, answer) = asked(&mut driver, patience, &request, b"", b"{\"of\": 5}");
        assert_eq!(
            (&asked[..], &*answer.body, answer.status),
            (waits, "5 1 2 3 4 5", 201),
            "{patience}"
        );
    }
}

/// Long bodies take long whatever is done with them, and short ones that are coded may become long.
#[test]
fn bodies_that_take_long_go_on_elsewhere() {
    let integration = v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "POST".into(),
        uri: "http://up.example/".into(),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut stage = Stage::of(vec![resource("/x", "POST", integration)]);
    stage.bundle.minimum_compression_size = Some(1_000);
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    let (short, long) = (vec![b' '; 100_000], vec![b' '; 400_000]);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
    bomb.write_all(&vec![b' '; 5_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 10_000);
    let gzip = &[("Content-Encoding", "gzip")][..];
    let accepts = &[("Accept-Encoding", "gzip")][..];
    for (what, fields, body, reply, waits) in [
        ("short", &[][..], &short, &short, &["body", "call"][..]),
        ("a long body", &[], &long, &short, &["body", "elsewhere", "call"]),
        ("a coded body", gzip, &bomb, &short, &["body", "elsewhere", "call"]),
        ("a long answer", &[], &short, &long, &["body", "call", "elsewhere"]),
        ("an answer to compress", accepts, &short, &short, &["body", "call", "elsewhere"]),
    ] {
        let request = head_with_body("POST /prod/x", fields, body);
        let (asked, answer) = asked(&mut driver, WORKER, &request, body, reply);
        assert_eq!((&asked[..], answer.status), (waits, 200), "{what}");
        let (unhurried, same) = self::asked(&mut driver, Ctx::UNHURRIED, &request, body, reply);
        assert!(!unhurried.contains(&"elsewhere") && same.bytes == answer.bytes, "{what}");
    }
}

/// Who left is answered all the same, so that there is something to log.
#[test]
fn what_is_abandoned_elsewhere_ends_as_an_error() {
    let stage = Stage::of(vec![resource(
        "/x",
        "GET",
        v1::Integration {
            request_templates: pairs(&[(
                "application/json",
                "{\"statusCode\": 200, \"n\": \"$input.params('n')\"}",
            )]),
            ..mock_ok("")
        },
    )]);
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    driver.patience = 0;
    let request = head("GET /prod/x", &[]);
    let Step::Wait(Wait::Elsewhere(next)) = driver.step(&request) else { panic!() };
    let step = next.give(&mut driver.cx(), &request, Err(Abandoned));
    let Decided::Answered(answer) = driver.take_apart(step) else { panic!() };
    assert_eq!((answer.status, answer.failure), (500, Some("DEFAULT_5XX")));
}
