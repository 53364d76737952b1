//! ARNs of what this installation has.

use super::Settings;
use crate::model::{DomainNameId, HostName};

/// The path of an ARN: what follows `arn:{partition}:apigateway:{region}:{account}:/`. `None` unless it is of this region and
/// of this account or of none.
pub(super) fn path<'a>(settings: &Settings, arn: &'a str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let head = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let ("arn", _, "apigateway", region, account) = head else { return None };
    let ours = region == settings.region && (account.is_empty() || account == settings.account_id);
    parts.next().filter(|_| ours)?.strip_prefix('/')
}

/// A private domain's ARN.
pub(super) fn private_domain(settings: &Settings, name: &HostName, id: &DomainNameId) -> String {
    owned(settings, &format!("domainnames/{name}+{id}"))
}

/// An access association's ARN. `domain` is `{name}+{domainNameId}`.
pub(super) fn access_association(settings: &Settings, domain: &str, source: &str) -> String {
    owned(settings, &format!("{ACCESS_ASSOCIATIONS}{domain}{VPC_SOURCE}{source}"))
}

/// The private domain, as `{name}+{domainNameId}`, and the source that an access association's ARN names.
pub(super) fn access_association_parts<'a>(
    settings: &Settings,
    arn: &'a str,
) -> Option<(&'a str, &'a str)> {
    split_access_association(path(settings, arn)?)
}

/// The same of an ARN's path.
pub(super) fn split_access_association(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(ACCESS_ASSOCIATIONS)?.split_once(VPC_SOURCE)
}

/// Whether a text has the six parts of an ARN, none of which but region and account may be empty.
pub(super) fn is_well_formed(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let graphic = arn.bytes().all(|b| b.is_ascii_graphic());
    graphic
        && matches!(parts[..], ["arn", partition, service, _, _, resource]
            if !partition.is_empty() && !service.is_empty() && !resource.is_empty())
}

/// ARNs of what other accounts may see name the account. Source: API Gateway Developer Guide, "Amazon Resource Name (ARN)
/// reference".
fn owned(settings: &Settings, path: &str) -> String {
    format!("arn:aws:apigateway:{}:{}:/{path}", settings.region, settings.account_id)
}

const ACCESS_ASSOCIATIONS: &str = "domainnameaccessassociations/domainname/";
const VPC_SOURCE: &str = "/vpcesource/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_installation() {
        let settings = Settings::default();
        for (arn, want) in [
            ("arn:aws:apigateway:us-east-1::/restapis/a", Some("restapis/a")),
            ("arn:aws-cn:apigateway:us-east-1::/a:b", Some("a:b")),
            ("arn:aws:apigateway:us-east-1:000000000000:/domainnames/a+b", Some("domainnames/a+b")),
            ("arn:aws:apigateway:us-east-1:999999999999:/domainnames/a+b", None),
            ("arn:aws:apigateway:eu-west-1::/restapis/a", None),
            ("arn:aws:execute-api:us-east-1::/restapis/a", None),
            ("arn:aws:apigateway:us-east-1::restapis/a", None),
            ("arn:aws:apigateway:us-east-1", None),
            ("", None),
        ] {
            assert_eq!(path(&settings, arn), want, "{arn}");
        }
        let arn = access_association(&settings, "a.b+c1", "vpce-1");
        assert_eq!(access_association_parts(&settings, &arn), Some(("a.b+c1", "vpce-1")));
    }

    #[test]
    fn well_formed_arns() {
        for good in
            ["arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b", "arn:aws:s3:::b"]
        {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in [
            "",
            "arn",
            "arn:aws:acm:r:a",
            "arn:aws:acm:r:a:",
            "arn::acm:r:a:x",
            "x:aws:acm:r:a:x",
            "arn:aws:acm:r:a:x y",
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
