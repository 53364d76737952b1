//! Reading heads from the wire.

use std::hint::black_box;

use anyhow::ensure;
use tidegate_engine::head::{Head, Method};
use tidegate_node::http::h1::{Limits, request, response};

use super::{Work, repeat};
use crate::gateway;

/// As a command-line tool sends it.
const SMALL: &str = "GET /prod/pets/1347 HTTP/1.1\r\nHost: abcde12345.execute-api.localhost\r\n\
     User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

pub(super) fn browser_request() -> anyhow::Result<Work> {
    let bytes = gateway::browser_request("/prod/pets/1347?view=full&lang=en");
    ensure!(bytes.len() == 582, "the request has {} bytes", bytes.len());
    requests(bytes.as_bytes(), 10)
}

pub(super) fn small_request() -> anyhow::Result<Work> {
    requests(SMALL.as_bytes(), 3)
}

fn requests(bytes: &[u8], fields: usize) -> anyhow::Result<Work> {
    let mut head = gateway::parsed_request(bytes)?;
    ensure!(head.fields.len() == fields && head.len == bytes.len());
    Ok(repeat(move || {
        head.reset();
        let read = request::parse(black_box(&mut head), black_box(&Limits::REQUEST));
        let _ = black_box(read);
    }))
}

pub(super) fn response() -> anyhow::Result<Work> {
    let mut head: Head = gateway::parsed_response(gateway::RESPONSE.as_bytes())?;
    ensure!(head.status == 200 && head.fields.len() == 8);
    Ok(repeat(move || {
        head.reset();
        let read = response::parse(black_box(&mut head), black_box(Method::Get), &Limits::RESPONSE);
        let _ = black_box(read);
    }))
}
