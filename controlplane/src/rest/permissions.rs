//! Actions and resources of an operation, as policies name them.
//!
//! The action is the HTTP method and the resource the address, as an ARN. What an operation may do besides, such as replacing
//! a resource policy, takes an action of its own on top. Source: Service Authorization Reference, "Actions, resources, and
//! condition keys for Amazon API Gateway Management".

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Operation;
use super::call::Call;
use crate::app::Settings;

/// Something a caller must be allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Permission {
    /// Such as `apigateway:GET`.
    pub(super) action: String,
    /// An ARN.
    pub(super) resource: String,
}

/// Everything a call asks for, the action of its method first. `body` is the call's, if it is JSON.
pub(super) fn of(call: &Call<'_>, body: &Value, settings: &Settings) -> Vec<Permission> {
    let arns = Arns { settings, domain_name_id: call.query("domainNameId").unwrap_or_default() };
    let own = arns.of_call(call);
    let mut all = vec![permission(call.operation.method(), &own)];
    let gives = |member: &str| body.get(member).is_some_and(|value| !value.is_null());
    let changes = |path: &str| steps(body).any(|step| concerns(step, path));
    match call.operation {
        Operation::CreateRestApi => {
            if gives("policy") {
                all.push(permission("UpdateRestApiPolicy", &own));
            }
            // A copy shows all there is of its source.
            if let Some(source) = body["cloneFrom"].as_str().filter(|id| !id.is_empty()) {
                all.push(permission("GET", &arns.of_path(&format!("/restapis/{}", part(source)))));
            }
        }
        Operation::UpdateRestApi if changes("/policy") => {
            all.push(permission("UpdateRestApiPolicy", &own));
        }
        Operation::UpdateStage if changes("/webAclArn") => all.push(permission("SetWebACL", &own)),
        Operation::CreateDomainName => {
            if gives("mutualTlsAuthentication") {
                all.push(permission("AddCertificateToDomain", &own));
            }
            if gives("policy") {
                all.push(permission("UpdateDomainNamePolicy", &own));
            }
        }
        Operation::UpdateDomainName => {
            let trust = || steps(body).filter(|step| concerns(step, "/mutualTlsAuthentication"));
            if trust().any(sets) {
                all.push(permission("AddCertificateToDomain", &own));
            }
            if trust().any(|step| !sets(step)) {
                all.push(permission("RemoveCertificateFromDomain", &own));
            }
            if changes("/policy") {
                all.push(permission("UpdateDomainNamePolicy", &own));
            }
            if changes("/managementPolicy") {
                all.push(permission("UpdateDomainNameManagementPolicy", &own));
            }
        }
        Operation::CreateDomainNameAccessAssociation => {
            let domain = body["domainNameArn"].as_str().unwrap_or_default();
            all.push(permission("CreateAccessAssociation", domain));
        }
        Operation::RejectDomainNameAccessAssociation => {
            let domain = call.query("domainNameArn").unwrap_or_default();
            all.push(permission("RejectAccessAssociation", domain));
        }
        _ => {}
    }
    all
}

/// An action of the service on a resource.
pub(super) fn permission(action: &str, resource: &str) -> Permission {
    Permission { action: format!("apigateway:{action}"), resource: resource.to_owned() }
}

/// The steps of an update.
pub(super) fn steps(body: &Value) -> impl Iterator<Item = &Value> {
    body["patchOperations"].as_array().into_iter().flatten()
}

/// Whether a step is about a path or something below it, by any spelling of it.
pub(super) fn concerns(step: &Value, path: &str) -> bool {
    let below = |at: &Value| {
        let at = at.as_str().unwrap_or_default();
        let rest = at.get(..path.len()).filter(|head| head.eq_ignore_ascii_case(path));
        rest.is_some() && matches!(at.as_bytes().get(path.len()), None | Some(b'/'))
    };
    below(&step["path"]) || below(&step["from"])
}

/// Whether a step gives its member a value, rather than taking it away.
fn sets(step: &Value) -> bool {
    step["op"] != "remove" && step["value"].as_str().is_some_and(|value| !value.is_empty())
}

/// How the resources of calls are written.
struct Arns<'c> {
    settings: &'c Settings,
    /// Names a private domain beside its name; empty for public ones.
    domain_name_id: &'c str,
}

impl Arns<'_> {
    /// The resource of a call, from its decoded parameters: one resource has one ARN, however its address was spelled.
    fn of_call(&self, call: &Call<'_>) -> String {
        let template = call.operation.uri().split('?').next().unwrap_or_default();
        let mut path = String::new();
        for segment in template.trim_start_matches('/').split('/') {
            path.push('/');
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                // An association's address is its ARN.
                Some("+domain_name_access_association_arn") => {
                    let arn = call.path("domain_name_access_association_arn");
                    if arn.starts_with("arn:") {
                        return arn.to_owned();
                    }
                    path.push_str(&part(arn));
                }
                Some("+resource_arn") => {
                    let arn = call.path("resource_arn");
                    path.extend(utf8_percent_encode(arn, ENCODED_ARN));
                }
                Some("domain_name") => {
                    path.push_str(&part(&call.path("domain_name").to_ascii_lowercase()));
                    if !self.domain_name_id.is_empty() {
                        path.push('+');
                        path.push_str(&part(self.domain_name_id));
                    }
                }
                Some(name) => path.push_str(&part(call.path(name))),
                None => path.push_str(segment),
            }
        }
        self.of_path(&path)
    }

    /// The ARN of a path. Private domains and what gives access to them belong to an account, the rest does not.
    fn of_path(&self, path: &str) -> String {
        let mut parts = path.trim_start_matches('/').split('/');
        let owned = match (parts.next(), parts.next(), parts.next()) {
            (Some("domainnameaccessassociations"), _, _) => true,
            (Some("domainnames"), Some(_), None) => !self.domain_name_id.is_empty(),
            _ => false,
        };
        let account = if owned { self.settings.account_id.as_str() } else { "" };
        format!("arn:aws:apigateway:{}:{account}:{path}", self.settings.region)
    }
}

/// A parameter as it stands in an ARN. A slash within one must not look like the end of it.
fn part(text: &str) -> String {
    text.replace('/', "%2F")
}

/// What is encoded of an ARN within an ARN: all that is not unreserved. Source: RFC 3986, section 2.3.
const ENCODED_ARN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests;
