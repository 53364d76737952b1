//! AWS services: what each form of a URI calls, how it is signed, and where the operator's endpoints lead.
//!
//! Sources: rest-api-runtime.md section 10.6; 4.3 for headers; 11 for the selection by status.

mod support;

use std::sync::Arc;

use prost::Message;
use support::{API, Driver, Stage, head, head_with_body, link, method, pairs, whole};
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_engine::snapshot::{Api, BundleId, Link, Linker, Revision, World};
use tidegate_proto::v1;

fn aws(verb: &str, named: &str, mappings: &[(&str, &str)]) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Aws.into(),
        http_method: verb.into(),
        uri: format!("arn:aws:apigateway:us-east-1:{named}"),
        request_parameters: pairs(mappings),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn stage(integration: v1::Integration) -> Stage {
    let mut method = method("ANY", integration);
    method.responses = ["200", "404"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    Stage::of(vec![v1::Resource { id: "r".into(), path: "/x/{id}".into(), methods: vec![method] }])
}

fn driver(integration: v1::Integration) -> Driver {
    let mut driver = Driver::serving(v1::Api::default(), vec![stage(integration)], &[]);
    let keys = Keys { id: "AK".into(), secret: "s".into(), token: None };
    driver.credentials = Credentials { own: Some(keys), ..Credentials::default() };
    driver
}

#[test]
fn each_form_calls_its_service() {
    let body = br#"{"a":1}"#;
    let object = [
        ("integration.request.path.bucket", "'bkt'"),
        ("integration.request.path.key", "method.request.path.id"),
    ];
    let topic = [
        ("integration.request.querystring.TopicArn", "'arn:aws:sns:us-east-1:1:t'"),
        ("integration.request.querystring.Message", "method.request.body.a"),
    ];
    let queue = [
        ("integration.request.header.Content-Type", "'application/x-amz-json-1.0'"),
        ("integration.request.header.X-Amz-Target", "'AmazonSQS.SendMessage'"),
    ];
    for (verb, named, mappings, host, line, target, content_type, scope) in [
        (
            "PUT",
            "s3:path/{bucket}/{key}",
            &object[..],
            "s3.us-east-1.amazonaws.com",
            "PUT /bkt/7%2F8",
            None,
            Some("text/a"),
            "s3",
        ),
        (
            "GET",
            "bkt.s3:path/k?acl=1",
            &[],
            "bkt.s3.us-east-1.amazonaws.com",
            "GET /k?acl=1",
            None,
            None,
            "s3",
        ),
        (
            "POST",
            "sqs:path/000000000000/q",
            &queue,
            "sqs.us-east-1.amazonaws.com",
            "POST /000000000000/q",
            Some("AmazonSQS.SendMessage"),
            Some("application/x-amz-json-1.0"),
            "sqs",
        ),
        (
            "POST",
            "sns:action/Publish",
            &topic,
            "sns.us-east-1.amazonaws.com",
            "POST /?Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3At&Message=1",
            None,
            Some("text/a"),
            "sns",
        ),
        (
            "POST",
            "sqs:action/SendMessage&Version=2012-11-05",
            &[],
            "sqs.us-east-1.amazonaws.com",
            "POST /?Action=SendMessage&Version=2012-11-05",
            None,
            Some("text/a"),
            "sqs",
        ),
        (
            "POST",
            "dynamodb:action/GetItem",
            &[],
            "dynamodb.us-east-1.amazonaws.com",
            "POST /",
            Some("DynamoDB_20120810.GetItem"),
            Some("application/x-amz-json-1.0"),
            "dynamodb",
        ),
        (
            "POST",
            "states:action/StartExecution",
            &[],
            "states.us-east-1.amazonaws.com",
            "POST /",
            Some("AWSStepFunctions.StartExecution"),
            Some("application/x-amz-json-1.0"),
            "states",
        ),
        (
            "POST",
            "kinesis:action/PutRecord",
            &[],
            "kinesis.us-east-1.amazonaws.com",
            "POST /",
            Some("Kinesis_20131202.PutRecord"),
            Some("application/x-amz-json-1.1"),
            "kinesis",
        ),
        (
            "POST",
            "events:action/PutEvents",
            &[],
            "events.us-east-1.amazonaws.com",
            "POST /",
            Some("AWSEvents.PutEvents"),
            Some("application/x-amz-json-1.1"),
            "events",
        ),
        (
            "POST",
            "ssm:action/GetParameter",
            &[],
            "ssm.us-east-1.amazonaws.com",
            "POST /",
            Some("AmazonSSM.GetParameter"),
            Some("application/x-amz-json-1.1"),
            "ssm",
        ),
        (
            "POST",
            "xyz.appsync-api:path/graphql",
            &[],
            "xyz.appsync-api.us-east-1.amazonaws.com",
            "POST /graphql",
            None,
            Some("text/a"),
            "appsync",
        ),
    ] {
        let fields = [("Content-Type", "text/a"), ("X-Mine", "1"), ("Authorization", "Bearer t")];
        let request = head_with_body("POST /prod/x/7%2F8?q=1", &fields, body);
        let ran =
            driver(aws(verb, named, mappings)).runs(&request, body, Ok(whole(200, &[], b"ok")));
        let sent = &ran.call().sent;
        assert_eq!(sent.upstream, host, "{named}");
        assert_eq!(format!("{} {}", sent.method, sent.target), line, "{named}");
        assert_eq!(
            sent.fields.all("X-Amz-Target"),
            target.into_iter().collect::<Vec<_>>(),
            "{named}"
        );
        assert_eq!(
            sent.fields.all("Content-Type"),
            content_type.into_iter().collect::<Vec<_>>(),
            "{named}"
        );
        assert!(
            sent.fields.one("Authorization").contains(&format!("/us-east-1/{scope}/aws4_request"))
        );
        assert_eq!(sent.fields.has("X-Amz-Content-Sha256"), scope == "s3", "{named}");
        assert_eq!(sent.fields.one("X-Amzn-Apigateway-Api-Id"), API);
        assert!(!sent.fields.has("X-Mine"));
        assert_eq!(ran.call().body, if verb == "GET" { &b""[..] } else { body }, "{named}");
        assert_eq!(ran.brief(), "200 ok");
    }
}

#[test]
fn a_services_error_is_selected_by_its_status() {
    let mut integration = aws("GET", "s3:path/b/k", &[]);
    integration.responses.push(v1::IntegrationResponse {
        status_code: "404".into(),
        selection_pattern: "4\\d{2}".into(),
        ..Default::default()
    });
    for (status, want) in [(200, 200), (404, 404), (403, 404), (500, 200)] {
        let ran = driver(integration.clone()).runs(
            &head("GET /prod/x/7", &[]),
            b"",
            Ok(whole(status, &[], b"<Error/>")),
        );
        assert_eq!((ran.answer.status, ran.answer.body.as_str()), (want, "<Error/>"));
    }
}

#[test]
fn a_path_that_leads_out_of_its_bucket_is_refused() {
    let mapped = [("integration.request.path.key", "method.request.querystring.k")];
    for key in ["../other", "..", "a/../../b"] {
        let ran = driver(aws("GET", "s3:path/bkt/{key}", &mapped)).runs(
            &head(&format!("GET /prod/x/7?k={key}"), &[]),
            b"",
            Ok(whole(200, &[], b"")),
        );
        assert_eq!(ran.answer.status, 400, "{key}");
    }
}

#[test]
fn the_operators_endpoints_take_the_place_of_awss() {
    let variables = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_ENDPOINT_URL_SQS", "http://queues.example/base"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let endpoints = Endpoints::read(variables.into_iter()).unwrap();
    for (named, host, target) in [
        ("sqs:path/1/q", "queues.example", "/base/1/q"),
        ("sns:action/Publish", "127.0.0.1:4566", "/?Action=Publish"),
        ("bkt.s3:path/k", "127.0.0.1:4566", "/bkt/k"),
    ] {
        let bytes = stage(aws("POST", named, &[])).bundle.encode_to_vec();
        let mut linker = Linker::with_endpoints(endpoints.clone());
        let made = Link::build(BundleId::of(&bytes), &bytes, &[], &mut linker).unwrap();
        let binding =
            v1::Binding { api_id: API.into(), stage: "prod".into(), ..Default::default() };
        let api = v1::Api { id: API.into(), ..Default::default() };
        let api = Api::assemble(&api, [(&binding, Arc::new(made), None)].into_iter()).unwrap();
        let mut edit = World::empty("1", "us-east-1").edit();
        edit.set_api(Arc::new(api));
        let mut driver = driver(aws("POST", "sqs:path/1/q", &[]));
        driver.world = edit.finish(Revision::default());
        let ran = driver.runs(&head("POST /prod/x/7", &[]), b"", Ok(whole(200, &[], b"")));
        let sent = &ran.call().sent;
        assert_eq!((sent.upstream.as_str(), sent.target.as_str()), (host, target), "{named}");
    }
}

#[test]
fn what_cannot_be_called_refuses_the_bundle() {
    let stream = v1::Integration {
        response_transfer_mode: "STREAM".into(),
        ..aws("POST", "lambda:path/2021-11-15/functions/f/response-streaming-invocations", &[])
    };
    for (integration, want) in [
        (aws("GET", "s3", &[]), "Invalid ARN specified in the request"),
        (aws("GET", "s3:other/x", &[]), "AWS ARN for integration must contain path or action"),
        (aws("FETCH", "s3:path/x", &[]), "'FETCH' is no method"),
        (stream, "responseTransferMode STREAM is for HTTP_PROXY and AWS_PROXY, not for AWS"),
    ] {
        let found = link(&stage(integration).bundle, &[]).unwrap_err().to_string();
        assert!(found.contains(want), "{found}");
    }
}

#[test]
fn calls_with_the_callers_credentials_have_none_without_aws_iam() {
    let mut callers = aws("GET", "s3:path/b", &[]);
    callers.credentials = "arn:aws:iam::*:user/*".into();
    let ran = driver(callers).runs(&head("GET /prod/x/7", &[]), b"", Ok(whole(200, &[], b"")));
    assert!(ran.called.is_none());
    assert_eq!((ran.answer.status, ran.answer.failure), (500, Some("API_CONFIGURATION_ERROR")));
    assert_eq!(ran.answer.body, r#"{"message": "Internal server error"}"#);
}

#[test]
fn a_proxied_stream_of_firehose_gets_the_body_and_answers_as_it_does() {
    let firehose = v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        ..aws("POST", "firehose:action/PutRecord", &[])
    };
    let body = br#"{"DeliveryStreamName":"s","Record":{"Data":"aGk="}}"#;
    let said = whole(400, &[("Content-Type", "application/x-amz-json-1.1")], b"{\"__type\":\"X\"}");
    let asked = head_with_body("POST /prod/x/7", &[], body);
    let ran = driver(firehose).runs(&asked, body, Ok(said));
    let sent = &ran.call().sent;
    assert_eq!(
        (sent.upstream.as_str(), sent.target.as_str()),
        ("firehose.us-east-1.amazonaws.com", "/")
    );
    assert_eq!(sent.fields.all("X-Amz-Target"), ["Firehose_20150804.PutRecord"]);
    assert_eq!(sent.fields.all("Content-Type"), ["application/x-amz-json-1.1"]);
    assert_eq!(ran.call().body, body);
    assert_eq!((ran.answer.status, ran.answer.body.as_str()), (400, "{\"__type\":\"X\"}"));
}
