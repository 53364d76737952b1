//! Compression: which answers are compressed, and which request bodies are read in spite of it.
//!
//! Source: rest-api-runtime.md section 13; 26 for streams.

mod support;

use std::io::{Read, Write};

use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use support::{
    Answered, Driver, Stage, head, head_with_body, http_proxy, mock_ok, resource, whole,
};
use tidegate_engine::Step;
use tidegate_proto::v1;

const BODY: &str = "twelve bytes";

fn http() -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "POST".into(),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..http_proxy("http://up.example/", &[])
    }
}

fn driver(integration: v1::Integration, threshold: Option<u32>) -> Driver {
    let mut stage = Stage::of(vec![resource("/x", "ANY", integration)]);
    stage.bundle.minimum_compression_size = threshold;
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

/// The body as its coding says, and the coding.
fn read(answer: &Answered) -> (String, String) {
    let coding = answer.fields.all("Content-Encoding").join(",");
    let mut text = String::new();
    let read = match coding.as_str() {
        "gzip" => GzDecoder::new(&answer.bytes[..]).read_to_string(&mut text),
        "deflate" => ZlibDecoder::new(&answer.bytes[..]).read_to_string(&mut text),
        _ => (&answer.bytes[..]).read_to_string(&mut text),
    };
    read.expect("the answer is in the coding it names");
    (coding, text)
}

#[test]
fn an_answer_is_compressed_if_it_is_wanted_long_enough_and_not_coded_yet() {
    for (threshold, accept, want) in [
        (Some(0), Some("gzip"), "gzip"),
        (Some(12), Some("gzip"), "gzip"),
        (Some(13), Some("gzip"), ""),
        (Some(0), Some("deflate"), "deflate"),
        (Some(0), Some("br;q=1, gzip;q=0.5"), ""),
        (Some(0), Some("*"), ""),
        (Some(0), Some(""), ""),
        (Some(0), None, ""),
        (None, Some("gzip"), ""),
    ] {
        let fields: Vec<_> = accept.map(|value| ("Accept-Encoding", value)).into_iter().collect();
        let request = head("GET /prod/x", &fields);
        let got = || Ok(whole(200, &[("Content-Type", "text/a")], BODY.as_bytes()));
        for integration in [http(), mock_ok(BODY)] {
            let ran = driver(integration, threshold).runs(&request, b"", got());
            let want = (want.to_owned(), BODY.to_owned());
            assert_eq!(read(&ran.answer), want, "{threshold:?} {accept:?}");
        }
    }
}

#[test]
fn a_proxys_answer_is_compressed_unless_it_is_coded_or_a_stream() {
    let request = head("GET /prod/x", &[("Accept-Encoding", "gzip, br")]);
    let mut driver_ = driver(http_proxy("http://up.example/", &[]), Some(0));
    for (fields, want) in [(&[][..], "gzip"), (&[("Content-Encoding", "br")], "br")] {
        let ran = driver_.runs(&request, b"", Ok(whole(200, fields, BODY.as_bytes())));
        assert_eq!(read(&ran.answer), (want.to_owned(), BODY.to_owned()));
    }
    let stream = v1::Integration {
        response_transfer_mode: "STREAM".into(),
        timeout_ms: 900_000,
        ..http_proxy("http://up.example/", &[])
    };
    for (integration, threshold, request) in [
        (stream, Some(0), &request),
        (http_proxy("http://up.example/", &[]), None, &request),
        // Nobody asks for it: streamed as ever.
        (http_proxy("http://up.example/", &[]), Some(0), &head("GET /prod/x", &[])),
    ] {
        let step = driver(integration, threshold).step(request);
        assert!(matches!(step, Step::Relay(_)), "{step:?}");
    }
}

#[test]
fn coded_bodies_are_decoded_before_they_are_mapped() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(BODY.as_bytes()).unwrap();
    let coded = encoder.finish().unwrap();
    let length = coded.len() as u32;
    const REFUSED: &str = r#"415 {"message": "Unsupported Media Type"}"#;
    for (threshold, coding, body, want) in [
        (Some(0), Some("gzip"), &coded[..], Ok(BODY.as_bytes())),
        (Some(0), Some("GZIP"), &coded, Ok(BODY.as_bytes())),
        (Some(length), Some("gzip"), &coded, Ok(BODY.as_bytes())),
        // Below the threshold it is left alone.
        (Some(length + 1), Some("gzip"), &coded, Ok(&coded[..])),
        (Some(0), Some("identity"), b"plain", Ok(b"plain")),
        (Some(0), None, b"plain", Ok(b"plain")),
        (Some(0), Some("br"), b"plain", Err(REFUSED)),
        (Some(0), Some("gzip, gzip"), &coded, Err(REFUSED)),
        (Some(0), Some("gzip"), b"plain", Err(REFUSED)),
        (Some(0), Some("deflate"), &coded, Err(REFUSED)),
        // Off: as it comes, in the two ways of the table of section 4.2.
        (None, Some("gzip"), &coded, Ok(&coded[..])),
    ] {
        let fields: Vec<_> = coding
            .map(|value| ("Content-Encoding", value))
            .into_iter()
            .chain([("Content-Type", "image/png")])
            .collect();
        let mut integration = http();
        integration.content_handling = String::new();
        let mut stage = Stage::of(vec![resource("/x", "ANY", integration)]);
        stage.bundle.minimum_compression_size = threshold;
        stage.bundle.binary_media_types = vec!["image/png".into()];
        let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
        let request = head_with_body("POST /prod/x", &fields, body);
        let ran = driver.runs(&request, body, Ok(whole(200, &[], b"")));
        match want {
            Ok(sent) => assert_eq!(ran.call().body, sent, "{threshold:?} {coding:?}"),
            Err(refused) => assert_eq!(ran.brief(), refused, "{threshold:?} {coding:?}"),
        }
    }
}

#[test]
fn a_body_that_grows_too_long_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&vec![b'x'; 100_000]).unwrap();
    let coded = encoder.finish().unwrap();
    let mut driver = driver(http(), Some(0));
    driver.listener.max_body = 50_000;
    let request = head_with_body("POST /prod/x", &[("Content-Encoding", "gzip")], &coded);
    let ran = driver.runs(&request, &coded, Ok(whole(200, &[], b"")));
    assert_eq!(ran.brief(), "413 HTTP content length exceeded 50000 bytes.");
}
