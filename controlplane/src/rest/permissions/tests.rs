//! What each operation asks for.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use super::*;

fn settings() -> Settings {
    Settings { region: "eu-west-1".to_owned(), ..Settings::default() }
}

/// What a call asks for, as `action resource`, without the part all ARNs share.
fn wanted(method: &str, target: &str, body: &Value) -> Vec<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (operation, parameters) = Operation::find(method, path, query).expect(target);
    let (headers, bytes) = (HeaderMap::new(), Bytes::new());
    let call = Call::new(operation, &parameters, query, &headers, &bytes).unwrap();
    let all = of(&call, body, &settings()).into_iter();
    let short =
        |arn: &str| arn.strip_prefix("arn:aws:apigateway:eu-west-1:").unwrap_or(arn).to_owned();
    all.map(|wanted| format!("{} {}", &wanted.action[11..], short(&wanted.resource))).collect()
}

#[test]
fn every_operation_has_the_action_and_the_resource_of_awss_reference() {
    let mut seen = 0;
    for line in include_str!("operations.txt").lines().filter(|line| line.contains(" arn:")) {
        let [name, action, resource] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let operation =
            Operation::ALL.iter().find(|operation| operation.name() == name).expect(name);
        let parameters: Vec<(&str, String)> = operation
            .uri()
            .split(['{', '}'])
            .skip(1)
            .step_by(2)
            .map(|name| match name.trim_start_matches('+') {
                "resource_arn" => {
                    ("resource_arn", "arn:aws:apigateway:eu-west-1::/restapis/abc".to_owned())
                }
                "domain_name_access_association_arn" => {
                    ("domain_name_access_association_arn", resource.to_owned())
                }
                name => (name, name.to_owned()),
            })
            .collect();
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (headers, bytes) = (HeaderMap::new(), Bytes::new());
        let call = Call::new(*operation, &parameters, "", &headers, &bytes).unwrap();
        let own = of(&call, &Value::Null, &settings()).remove(0);
        assert_eq!(
            (own.action.as_str(), own.resource.as_str()),
            (&*format!("apigateway:{action}"), resource),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, Operation::ALL.len());
}

#[test]
fn however_an_address_is_spelled_its_resource_is_the_same() {
    for target in [
        "/restapis/abc/stages/prod",
        "/restapis/%61bc/stages/prod/",
        "/restapis/abc/stages/%70rod?x=y",
    ] {
        assert_eq!(
            wanted("GET", target, &Value::Null),
            ["GET :/restapis/abc/stages/prod"],
            "{target}"
        );
    }
    // A slash within a parameter is not the end of it.
    assert_eq!(
        wanted("GET", "/restapis/abc%2Fstages%2Fprod", &Value::Null),
        ["GET :/restapis/abc%2Fstages%2Fprod"]
    );
    let arn = "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc";
    for target in
        [format!("/tags/{arn}"), "/tags/arn:aws:apigateway:us-east-1::/restapis/abc".to_owned()]
    {
        assert_eq!(wanted("PUT", &target, &Value::Null), [format!("PUT :/tags/{arn}")]);
    }
    assert_eq!(
        wanted("GET", "/domainnames/API.example.com", &Value::Null),
        ["GET :/domainnames/api.example.com"]
    );
}

#[test]
fn private_domains_have_an_account_and_an_id() {
    for (target, want) in [
        ("/domainnames/a.test?domainNameId=i1", "GET 000000000000:/domainnames/a.test+i1"),
        (
            "/domainnames/a.test/basepathmappings?domainNameId=i1",
            "GET :/domainnames/a.test+i1/basepathmappings",
        ),
        ("/domainnames/a.test?domainNameId=", "GET :/domainnames/a.test"),
    ] {
        assert_eq!(wanted("GET", target, &Value::Null), [want], "{target}");
    }
}

#[test]
fn what_is_sensitive_takes_an_action_of_its_own() {
    let step = |op: &str, path: &str, value: &str| json!({ "patchOperations": [{ "op": op, "path": path, "value": value }] });
    let domain = "arn:aws:apigateway:eu-west-1:1:/domainnames/a.test+i1";
    let cases: &[(&str, &str, Value, &[&str])] = &[
        ("POST", "/restapis", json!({ "name": "a" }), &[]),
        ("POST", "/restapis", json!({ "policy": "{}" }), &["UpdateRestApiPolicy :/restapis"]),
        ("POST", "/restapis", json!({ "cloneFrom": "abc" }), &["GET :/restapis/abc"]),
        ("PATCH", "/restapis/a", step("replace", "/name", "b"), &[]),
        (
            "PATCH",
            "/restapis/a",
            step("replace", "/policy", ""),
            &["UpdateRestApiPolicy :/restapis/a"],
        ),
        (
            "PATCH",
            "/restapis/a",
            step("remove", "/Policy", ""),
            &["UpdateRestApiPolicy :/restapis/a"],
        ),
        ("PATCH", "/restapis/a/stages/s", step("replace", "/description", ""), &[]),
        (
            "PATCH",
            "/restapis/a/stages/s",
            step("replace", "/webAclArn", "x"),
            &["SetWebACL :/restapis/a/stages/s"],
        ),
        (
            "POST",
            "/domainnames",
            json!({ "mutualTlsAuthentication": {} }),
            &["AddCertificateToDomain :/domainnames"],
        ),
        (
            "POST",
            "/domainnames",
            json!({ "policy": "{}" }),
            &["UpdateDomainNamePolicy :/domainnames"],
        ),
        (
            "PATCH",
            "/domainnames/a.test",
            step("replace", "/mutualTlsAuthentication/truststoreUri", "s3://b/k"),
            &["AddCertificateToDomain :/domainnames/a.test"],
        ),
        (
            "PATCH",
            "/domainnames/a.test",
            step("replace", "/mutualTlsAuthentication/truststoreUri", ""),
            &["RemoveCertificateFromDomain :/domainnames/a.test"],
        ),
        (
            "PATCH",
            "/domainnames/a.test?domainNameId=i1",
            step("replace", "/managementPolicy", "{}"),
            &["UpdateDomainNameManagementPolicy 000000000000:/domainnames/a.test+i1"],
        ),
        (
            "POST",
            "/domainnameaccessassociations",
            json!({ "domainNameArn": domain }),
            &["CreateAccessAssociation 1:/domainnames/a.test+i1"],
        ),
        (
            "POST",
            "/rejectdomainnameaccessassociations?domainNameArn=arn:aws:apigateway:eu-west-1:1:/domainnames/a.test%2Bi1",
            Value::Null,
            &["RejectAccessAssociation 1:/domainnames/a.test+i1"],
        ),
    ];
    for (method, target, body, want) in cases {
        assert_eq!(&wanted(method, target, body)[1..], *want, "{method} {target} {body}");
    }
}
