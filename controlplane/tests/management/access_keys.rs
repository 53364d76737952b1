//! Access keys: made over gRPC, held to their policies by the admin API.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_control::app::App;
use tidegate_control::auth::{AccessKey, Authenticator, Guard, Keys, Mode, Rights, Secret};
use tidegate_control::rest::{Limits, Rest, Server};
use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, deployment, pets, service, stage};
use crate::support;
use crate::support::sign::{Signer, sign};

#[tokio::test]
async fn keys_over_grpc() {
    let mut service = service().await;
    let create = |policy: &str| v1::CreateAccessKeyRequest {
        name: "ann".to_owned(),
        policy: policy.to_owned(),
    };
    let made = call!(service.create_access_key(create("read-only"))).unwrap();
    let key = made.access_key.unwrap();
    assert_eq!(
        (made.secret_access_key.len(), key.enabled, key.policy_name.as_str()),
        (40, true, "read-only")
    );
    let address = v1::AccessKeyAddress { id: key.id.clone() };
    assert_eq!(call!(service.get_access_key(address.clone())).unwrap(), key);
    let update = |enabled, policy: Option<&str>| v1::UpdateAccessKeyRequest {
        id: key.id.clone(),
        enabled,
        policy: policy.map(str::to_owned),
    };
    let changed = call!(service.update_access_key(update(Some(false), None))).unwrap();
    assert_eq!((changed.enabled, changed.policy_name.as_str()), (false, "read-only"));
    let changed = call!(service.update_access_key(update(None, Some("admin")))).unwrap();
    assert_eq!((changed.enabled, changed.policy_name.as_str()), (false, "admin"));
    let listed = call!(service.list_access_keys(v1::ListAccessKeysRequest {})).unwrap();
    assert_eq!(listed.access_keys, [changed]);
    for policy in ["", "{}", "nobody"] {
        let refused = call!(service.create_access_key(create(policy)));
        assert_refused(refused, Code::InvalidArgument, "BadRequestException");
    }
    call!(service.delete_access_key(address.clone())).unwrap();
    let gone = call!(service.delete_access_key(address));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn deployments_are_compared() {
    let mut service = service().await;
    let (api, resource_id) = pets(&mut service).await;
    let from = call!(service.create_deployment(deployment(&api, "prod"))).unwrap().id;
    let update = v1::UpdateMethodRequest {
        rest_api_id: api.clone(),
        resource_id,
        http_method: "GET".to_owned(),
        patch_operations: crate::rig::replace("/timeoutInMillis", "500"),
    };
    call!(service.update_integration(update)).unwrap();
    let undeployed = call!(service.list_undeployed_changes(stage(&api, "prod"))).unwrap().changes;
    let to = call!(service.create_deployment(deployment(&api, "prod"))).unwrap().id;
    let compare = |from: &str, to: &str| v1::CompareDeploymentsRequest {
        rest_api_id: api.clone(),
        from_deployment_id: from.to_owned(),
        to_deployment_id: to.to_owned(),
    };
    let changes = call!(service.compare_deployments(compare(&from, &to))).unwrap().changes;
    assert_eq!(changes, undeployed);
    let member = &changes[0].members[0];
    assert_eq!(changes[0].subject, "GET /pets/{id}");
    assert_eq!(member.member, "methodIntegration.timeoutInMillis");
    assert_eq!((member.old.as_deref(), member.new.as_deref()), (Some("29000"), Some("500")));
    let back = call!(service.compare_deployments(compare(&to, &from))).unwrap().changes;
    assert_eq!(back[0].members[0].old.as_deref(), Some("500"));
    assert!(call!(service.compare_deployments(compare(&to, &to))).unwrap().changes.is_empty());
    let refused = call!(service.compare_deployments(compare(&to, "none")));
    assert_refused(refused, Code::NotFound, "NotFoundException");
}

/// A control plane's admin API that asks for signatures.
struct Admin {
    app: Arc<App>,
    address: SocketAddr,
    _stop: tokio::sync::watch::Sender<bool>,
    _directory: tempfile::TempDir,
}

const BOOTSTRAP: Signer<'static> = ("BOOT", "boot-secret");

impl Admin {
    async fn start(mode: Mode) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let app = Arc::new(support::app(directory.path()));
        let bootstrap = AccessKey {
            id: BOOTSTRAP.0.to_owned(),
            secret: Secret::new(BOOTSTRAP.1),
            enabled: true,
            rights: Rights::All,
        };
        let keys = Keys { bootstrap: Some(bootstrap), stored: app.keyring() };
        let authenticator = Authenticator::new(mode, Guard::default(), keys);
        let rest = Rest::new(app.clone(), Some(Box::new(move |parts| authenticator.check(parts))));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, Arc::new(rest), Limits::default()).await.unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tokio::spawn(server.run(stopped));
        Self { app, address, _stop: stop, _directory: directory }
    }

    async fn key(&self, policy: &str) -> (String, String) {
        let (key, secret) = self.app.create_access_key(Some("ann"), policy).await.unwrap();
        (key.id, secret.expose().to_owned())
    }

    /// A signed call; gives status and body. `target` has nothing to escape and a sorted query.
    async fn call(
        &self,
        signer: Signer<'_>,
        method: &str,
        target: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (date, signature) = sign(signer, method, target, &self.address.to_string(), &body);
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-amz-date: {date}\r\nauthorization: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let address = self.address;
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = answer.await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    async fn status(
        &self,
        signer: &(String, String),
        method: &str,
        target: &str,
        body: Value,
    ) -> u16 {
        self.call((&signer.0, &signer.1), method, target, &body).await.0
    }
}

fn policy(statements: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// An API of the bootstrap key's.
async fn api(admin: &Admin, body: Value) -> String {
    let (status, made) = admin.call(BOOTSTRAP, "POST", "/restapis", &body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_does_what_its_policy_allows() {
    let admin = Admin::start(Mode::Strict).await;
    let id = api(&admin, json!({ "name": "a" })).await;
    let key = admin.key("read-only").await;
    let signer = (key.0.as_str(), key.1.as_str());
    assert_eq!(admin.call(signer, "GET", "/restapis", &Value::Null).await.0, 200);
    let (status, told) =
        admin.call(signer, "DELETE", &format!("/restapis/{id}"), &Value::Null).await;
    let want = format!(
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: apigateway:DELETE on resource: arn:aws:apigateway:us-east-1::/restapis/{id} because no identity-based policy allows the apigateway:DELETE action"
    );
    assert_eq!((status, told["message"].as_str()), (403, Some(want.as_str())));
    let deny = policy(json!([
        { "Effect": "Allow", "Action": "apigateway:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "apigateway:GET", "Resource": format!("arn:aws:apigateway:*::/restapis/{id}") },
    ]));
    admin.app.update_access_key(&key.0, None, Some(&deny)).await.unwrap();
    // However the address is spelled.
    for target in
        [format!("/restapis/{id}"), format!("/restapis/{}%{:02x}", &id[..9], id.as_bytes()[9])]
    {
        let (status, told) = admin.call(signer, "GET", &target, &Value::Null).await;
        let want = format!(
            "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/restapis/{id} with an explicit deny in an identity-based policy"
        );
        assert_eq!((status, told["message"].as_str()), (403, Some(want.as_str())), "{target}");
    }
    assert_eq!(admin.call(BOOTSTRAP, "GET", &format!("/restapis/{id}"), &Value::Null).await.0, 200);
    assert!(admin.app.get_access_key(&key.0).await.unwrap().last_used_date.is_some());
}

#[tokio::test]
async fn a_change_of_a_key_holds_from_the_next_call_on() {
    for (mode, unknown) in [(Mode::Strict, 403), (Mode::Loopback, 200)] {
        let admin = Admin::start(mode).await;
        let key = admin.key("admin").await;
        assert_eq!(admin.status(&key, "GET", "/account", Value::Null).await, 200);
        let wrong = (key.0.clone(), "wrong".to_owned());
        assert_eq!(admin.status(&wrong, "GET", "/account", Value::Null).await, 403);
        for (enabled, want) in [(false, 403), (true, 200), (false, 403)] {
            admin.app.update_access_key(&key.0, Some(enabled), None).await.unwrap();
            assert_eq!(admin.status(&key, "GET", "/account", Value::Null).await, want, "{mode:?}");
        }
        // On loopback a key that is not known any more is let in as every unknown one is.
        admin.app.delete_access_key(&key.0).await.unwrap();
        assert_eq!(admin.status(&key, "GET", "/account", Value::Null).await, unknown, "{mode:?}");
        let nobody = ("AKIANOBODY".to_owned(), "x".to_owned());
        assert_eq!(admin.status(&nobody, "GET", "/account", Value::Null).await, unknown);
    }
}

#[tokio::test]
async fn conditions_see_the_call() {
    let admin = Admin::start(Mode::Loopback).await;
    let red = api(&admin, json!({ "name": "red", "tags": { "team": "red" } })).await;
    let blue = api(&admin, json!({ "name": "blue", "tags": { "team": "blue" } })).await;
    let key = admin.key("read-only").await;
    let set = async |condition: Value| {
        let statement = json!({ "Effect": "Allow", "Action": "apigateway:*", "Resource": "*", "Condition": condition });
        admin.app.update_access_key(&key.0, None, Some(&policy(statement))).await.unwrap();
    };
    set(json!({ "StringEquals": { "aws:ResourceTag/team": "red" } })).await;
    assert_eq!(admin.status(&key, "GET", &format!("/restapis/{red}"), Value::Null).await, 200);
    assert_eq!(
        admin.status(&key, "GET", &format!("/restapis/{red}/resources"), Value::Null).await,
        200
    );
    assert_eq!(admin.status(&key, "GET", &format!("/restapis/{blue}"), Value::Null).await, 403);
    let tags =
        |id: &str| format!("/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2F{id}");
    assert_eq!(admin.status(&key, "GET", &tags(&red), Value::Null).await, 200);
    assert_eq!(admin.status(&key, "GET", &tags(&blue), Value::Null).await, 403);

    set(json!({ "StringEquals": { "aws:RequestTag/team": "${aws:username}" }, "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } })).await;
    for (tags, want) in [
        (json!({ "team": "ann" }), 201),
        (json!({ "team": "bob" }), 403),
        (json!({ "team": "ann", "x": "y" }), 403),
        (json!({}), 403),
    ] {
        let body = json!({ "name": "n", "tags": tags });
        assert_eq!(admin.status(&key, "POST", "/restapis", body).await, want, "{tags}");
    }

    for (network, want) in [("127.0.0.0/8", 200), ("10.0.0.0/8", 403)] {
        set(json!({ "IpAddress": { "aws:SourceIp": network } })).await;
        assert_eq!(admin.status(&key, "GET", "/restapis", Value::Null).await, want, "{network}");
    }
    for (moment, want) in [("2020-01-01T00:00:00Z", 403), ("2200-01-01T00:00:00Z", 200)] {
        set(json!({ "DateLessThan": { "aws:CurrentTime": moment } })).await;
        assert_eq!(admin.status(&key, "GET", "/restapis", Value::Null).await, want, "{moment}");
    }
    set(json!({ "StringEquals": { "apigateway:Request/EndpointType": "REGIONAL" } })).await;
    for (types, want) in [(json!(["REGIONAL"]), 201), (json!(["EDGE"]), 403), (Value::Null, 403)] {
        let body = json!({ "name": "n", "endpointConfiguration": { "types": types } });
        assert_eq!(admin.status(&key, "POST", "/restapis", body).await, want, "{types}");
    }
}

/// Whoever may change APIs but not their resource policies does not get at those by import either.
#[tokio::test]
async fn resource_policies_take_a_permission_of_their_own() {
    let admin = Admin::start(Mode::Strict).await;
    let key = admin
        .key(&policy(json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "apigateway:UpdateRestApiPolicy", "Resource": "*" },
        ])))
        .await;
    let own = json!({ "Version": "2012-10-17", "Statement": [] });
    let guarded = api(&admin, json!({ "name": "a", "policy": own.to_string() })).await;
    let open = api(&admin, json!({ "name": "b" })).await;
    let document = |policy: Option<&Value>| {
        let mut document =
            json!({ "openapi": "3.0.1", "info": { "title": "t", "version": "1" }, "paths": {} });
        if let Some(policy) = policy {
            document["x-amazon-apigateway-policy"] = policy.clone();
        }
        document
    };
    let with = document(Some(&own));
    for (method, target, body, want) in [
        ("POST", "/restapis".to_owned(), json!({ "name": "n" }), 201),
        ("POST", "/restapis".to_owned(), json!({ "name": "n", "policy": "{}" }), 403),
        ("POST", "/restapis?mode=import".to_owned(), document(None), 201),
        ("POST", "/restapis?mode=import".to_owned(), with.clone(), 403),
        ("PUT", format!("/restapis/{open}?mode=merge"), with, 403),
        ("PUT", format!("/restapis/{open}?mode=overwrite"), document(None), 200),
        ("PUT", format!("/restapis/{guarded}?mode=merge"), document(None), 200),
        // It would take the policy away.
        ("PUT", format!("/restapis/{guarded}?mode=overwrite"), document(None), 403),
        (
            "PATCH",
            format!("/restapis/{guarded}"),
            json!({ "patchOperations": [{ "op": "replace", "path": "/policy", "value": "" }] }),
            403,
        ),
    ] {
        assert_eq!(admin.status(&key, method, &target, body).await, want, "{method} {target}");
    }
}
