//! What the engine decides at a request, and at the upstream's answer.

use std::hint::black_box;

use anyhow::{bail, ensure};
use tidegate_engine::exchange::Ids;
use tidegate_engine::{Now, Reply, Step, Wait};
use tidegate_load::scenario::{MOCK_BODY, github};

use super::{Work, repeat};
use crate::gateway::{self, Gateway, UPSTREAM, browser_request, parsed_request, parsed_response};

pub(super) fn ids() -> anyhow::Result<Work> {
    let made = Ids::new(gateway::ENTROPY, gateway::NOW);
    ensure!(made.request().len() == 36);
    Ok(repeat(|| {
        let now = Now { unix_ms: black_box(gateway::NOW.unix_ms) };
        black_box(Ids::new(black_box(gateway::ENTROPY), now));
    }))
}

pub(super) fn proxy() -> anyhow::Result<Work> {
    let gateway = Gateway::serving(vec![mapped()])?;
    relays(gateway, &browser_request(ASKED), SENT)
}

pub(super) fn mock() -> anyhow::Result<Work> {
    let mock = gateway::mock(MOCK_BODY);
    let mut gateway = Gateway::serving(vec![gateway::resource("/pets/{id}", &["GET"], &mock)])?;
    let head = parsed_request(browser_request(ASKED).as_bytes())?;
    match gateway.begin(&head) {
        Step::Answer(answer) => {
            ensure!(answer.bytes(&gateway.cx()) == MOCK_BODY.as_bytes() && answer.status == 200);
        }
        other => bail!("the mock came to {other:?}"),
    }
    Ok(repeat(move || {
        black_box(gateway.begin(black_box(&head)));
    }))
}

pub(super) fn reply() -> anyhow::Result<Work> {
    let mut gateway = Gateway::serving(vec![mapped()])?;
    let head = parsed_request(browser_request(ASKED).as_bytes())?;
    let upstream = parsed_response(gateway::RESPONSE.as_bytes())?;
    let Step::Relay(relay) = gateway.begin(&head) else { bail!("the request is not relayed") };
    ensure!(relay.reply(&mut gateway.cx(), &head, Ok(&upstream)).status == 200);
    Ok(repeat(move || {
        if let Step::Relay(relay) = gateway.begin(black_box(&head)) {
            black_box(relay.reply(&mut gateway.cx(), &head, Ok(black_box(&upstream))));
        }
    }))
}

pub(super) fn function() -> anyhow::Result<Work> {
    let resource = gateway::resource("/pets/{id}", &["GET"], &gateway::function());
    let mut gateway = Gateway::serving(vec![resource])?;
    let head = parsed_request(browser_request(ASKED).as_bytes())?;
    let said = serde_json::json!({
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": MOCK_BODY,
    });
    let said = said.to_string().into_bytes();
    let Step::Wait(Wait::Call(call, _)) = gateway.begin(&head) else { bail!("nothing is called") };
    let sent = String::from_utf8_lossy(call.request.fields.of(&gateway.scratch));
    ensure!(sent.contains("Signature="), "the invocation is not signed");
    let mut ask = move || match gateway.begin(black_box(&head)) {
        Step::Wait(Wait::Call(call, next)) => {
            black_box(call);
            let reply = Reply::of(200, said.clone());
            match next.give(&mut gateway.cx(), &head, Ok(reply)) {
                Step::Answer(answer) => Ok(answer.status),
                other => bail!("the function's answer came to {other:?}"),
            }
        }
        other => bail!("the request came to {other:?}"),
    };
    ensure!(ask()? == 200);
    Ok(repeat(move || {
        let _ = black_box(ask());
    }))
}

pub(super) fn one_route() -> anyhow::Result<Work> {
    asking_one_of(vec![gateway::route(github::ONE)])
}

pub(super) fn many_routes() -> anyhow::Result<Work> {
    let routes = github::routes();
    ensure!(routes.len() == 609);
    asking_one_of(routes.iter().map(|route| gateway::route(&route.template)).collect())
}

fn asking_one_of(resources: Vec<tidegate_proto::v1::Resource>) -> anyhow::Result<Work> {
    let path = github::Route { template: github::ONE.to_owned() }.example();
    relays(Gateway::serving(resources)?, &browser_request(&format!("/prod{path}")), &path)
}

/// Decides one request again and again, which must be relayed to `target` of the upstream.
fn relays(mut gateway: Gateway, request: &str, target: &str) -> anyhow::Result<Work> {
    let head = parsed_request(request.as_bytes())?;
    match gateway.begin(&head) {
        Step::Relay(relay) => {
            let sent = String::from_utf8_lossy(relay.request.target.of(&gateway.scratch));
            ensure!(sent == target, "sent {sent} in place of {target}");
            ensure!(*relay.upstream(&gateway.world).authority == *UPSTREAM);
        }
        other => bail!("the request came to {other:?}"),
    }
    Ok(repeat(move || {
        black_box(gateway.begin(black_box(&head)));
    }))
}

/// One path parameter, put elsewhere in the upstream's path.
fn mapped() -> tidegate_proto::v1::Resource {
    let proxy = gateway::http_proxy("/animals/{id}/card", &["id"]);
    gateway::resource("/pets/{id}", &["GET"], &proxy)
}

const ASKED: &str = "/prod/pets/1347?view=full&lang=en";
const SENT: &str = "/animals/1347/card?view=full&lang=en";
