//! Where AWS services are: their public endpoints, or what the gateway's operator puts in their place.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints"; API Gateway API Reference, `PutIntegration`, `uri`.

use tidegate_proto::v1;

use super::services;
use super::target::Url;
use crate::snapshot::Scheme;

/// A service as an integration's URI names it:
/// `arn:aws:apigateway:{region}:{subdomain.service|service}:{path|action}/{service_api}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUri<'a> {
    pub(crate) region: &'a str,
    pub(crate) subdomain: Option<&'a str>,
    pub(crate) service: &'a str,
    pub(crate) api: ServiceApi<'a>,
}

/// What of the service is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceApi<'a> {
    /// A path, with or without a query, without its first slash.
    Path(&'a str),
    /// An action, and parameters as a query has them.
    Action(&'a str, &'a str),
}

/// Why a text is no service to call. AWS's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadService {
    #[error("Invalid ARN specified in the request")]
    Arn,
    #[error("AWS ARN for integration must contain path or action")]
    Api,
}

impl<'a> ServiceUri<'a> {
    /// Takes a URI apart. Nothing that a request has a say in may stand before the path: a caller must not choose whom the gateway
    /// calls with its keys.
    pub(crate) fn parse(text: &'a str) -> Result<Self, BadService> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(BadService::Arn);
        let (arn, partition, apigateway) = (next()?, next()?, next()?);
        let (region, named, api) = (next()?, next()?, next()?);
        let name = |text: &str, also: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.as_bytes().contains(&b))
        };
        if arn != "arn"
            || !partition.starts_with("aws")
            || apigateway != "apigateway"
            || !name(region, "-")
            || !name(named, "-._")
            || named.starts_with('.')
            || named.ends_with('.')
        {
            return Err(BadService::Arn);
        }
        let (subdomain, service) = match named.rsplit_once('.') {
            Some((subdomain, service)) => (Some(subdomain), service),
            None => (None, named),
        };
        let api = match api.split_once('/') {
            Some(("path", path)) => ServiceApi::Path(path),
            Some(("action", action)) => {
                let (action, parameters) = action.split_once('&').unwrap_or((action, ""));
                if !name(action, "") {
                    return Err(BadService::Api);
                }
                ServiceApi::Action(action, parameters)
            }
            _ => return Err(BadService::Api),
        };
        Ok(Self { region, subdomain, service, api })
    }

    /// The name that signatures have for the service.
    pub(crate) fn signing_name(&self) -> &'a str {
        services::signing_name(self.subdomain, self.service)
    }

    /// The region that signatures name: services without regions are all in one.
    pub(crate) fn signing_region(&self) -> &'a str {
        if self.is_global() { "us-east-1" } else { self.region }
    }

    /// Whether the service has one endpoint for all regions. Source: AWS General Reference, "Service endpoints".
    fn is_global(&self) -> bool {
        self.subdomain.is_none()
            && !self.region.starts_with("cn-")
            && matches!(self.service, "cloudfront" | "iam" | "route53" | "waf")
    }
}

/// Where a service is called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What stands before every path.
    pub(crate) base: String,
}

/// Endpoints in place of AWS's own.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    all: Option<Override>,
    /// By the SDKs' id of a service, upper case with underscores.
    services: Vec<(String, Override)>,
}

#[derive(Clone, Debug)]
struct Override {
    scheme: Scheme,
    host: String,
    port: u16,
    base: String,
}

impl Override {
    /// Reads a URL; `name` is what it is given under.
    fn parse(name: &str, value: &str) -> Result<Self, BadEndpoint> {
        let url = Url::parse(value).ok().filter(|url| url.query.is_empty());
        let url = url.ok_or_else(|| BadEndpoint(name.to_owned(), value.to_owned()))?;
        Ok(Self {
            scheme: url.scheme,
            host: url.host.to_owned(),
            port: url.port,
            base: url.path.trim_end_matches('/').to_owned(),
        })
    }
}

/// A URL that is no endpoint.
#[derive(Debug, thiserror::Error)]
#[error("{0}: '{1}' is no http or https URL")]
pub struct BadEndpoint(String, String);

/// The SDKs' id of a service, as variables name it.
fn id(service: &str) -> String {
    let known = match service {
        "appsync-api" => "APPSYNC",
        "cognito-idp" => "COGNITO_IDENTITY_PROVIDER",
        "email" => "SES",
        "events" => "EVENTBRIDGE",
        "logs" => "CLOUDWATCH_LOGS",
        "monitoring" => "CLOUDWATCH",
        "secretsmanager" => "SECRETS_MANAGER",
        "states" => "SFN",
        other => return other.to_ascii_uppercase().replace('-', "_"),
    };
    known.to_owned()
}

impl Endpoints {
    /// Reads `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_{SERVICE}` among variables of an environment; others are left alone, and so
    /// are empty ones.
    pub fn read(variables: impl Iterator<Item = (String, String)>) -> Result<Self, BadEndpoint> {
        let mut read = Self::default();
        for (name, value) in variables {
            let service = match name.strip_prefix("AWS_ENDPOINT_URL") {
                Some("") => None,
                Some(rest) if rest.starts_with('_') => Some(rest[1..].to_owned()),
                _ => continue,
            };
            if value.is_empty() {
                continue;
            }
            let to = Override::parse(&name, &value)?;
            match service {
                Some(service) => read.services.push((service, to)),
                None => read.all = Some(to),
            }
        }
        Ok(read)
    }

    /// Reads those of an API: services, named as URIs or as SDKs name them, and `*` for all others.
    pub(crate) fn of_api(pairs: &[v1::Pair]) -> Result<Self, BadEndpoint> {
        let mut read = Self::default();
        for v1::Pair { name, value } in pairs {
            let to = Override::parse(name, value)?;
            match name.as_str() {
                "*" => read.all = Some(to),
                service => read.services.push((id(service), to)),
            }
        }
        Ok(read)
    }

    fn find(&self, id: &str) -> Option<&Override> {
        let own = self.services.iter().find(|(held, _)| held == id).map(|(_, to)| to);
        own.or(self.all.as_ref())
    }

    /// Where a service is called. What the API says comes before what the node's environment says.
    pub(crate) fn of(&self, uri: &ServiceUri<'_>, api: &Self) -> Endpoint {
        let id = match uri.subdomain {
            // Services of their own to SDKs.
            Some("streams") if uri.service == "dynamodb" => "DYNAMODB_STREAMS".to_owned(),
            Some("data" | "data-ats") if uri.service == "iot" => "IOT_DATA_PLANE".to_owned(),
            _ => id(uri.service),
        };
        if let Some(Override { scheme, host, port, base }) = api.find(&id).or(self.find(&id)) {
            // One place stands for all subdomains; a bucket is then named by the path, as SDKs do.
            let bucket = uri.subdomain.filter(|_| uri.service == "s3");
            let bucket = bucket.map(|bucket| format!("/{bucket}")).unwrap_or_default();
            let base = format!("{base}{bucket}");
            return Endpoint { scheme: *scheme, host: host.clone(), port: *port, base };
        }
        let (scheme, port) = (Scheme::Https, Scheme::Https.default_port());
        if uri.is_global() {
            let host = format!("{}.amazonaws.com", uri.service);
            return Endpoint { scheme, host, port, base: String::new() };
        }
        let subdomain = uri.subdomain.map(|name| format!("{name}.")).unwrap_or_default();
        let suffix = if uri.region.starts_with("cn-") { ".cn" } else { "" };
        let host = format!("{subdomain}{}.{}.amazonaws.com{suffix}", uri.service, uri.region);
        Endpoint { scheme, host, port, base: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_uris_are_taken_apart() {
        // rest-api-runtime.md 10.6
        let path = ServiceApi::Path;
        for (text, region, subdomain, service, api) in [
            (
                "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}",
                "us-east-1",
                None,
                "s3",
                path("{bucket}/{key}"),
            ),
            (
                "arn:aws:apigateway:eu-west-1:bkt.s3:path/{key}",
                "eu-west-1",
                Some("bkt"),
                "s3",
                path("{key}"),
            ),
            ("arn:aws:apigateway:eu-west-1:a.b.s3:path/", "eu-west-1", Some("a.b"), "s3", path("")),
            (
                "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations",
                "us-east-1",
                None,
                "lambda",
                path("2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations"),
            ),
            (
                "arn:aws-cn:apigateway:cn-north-1:sqs:path/1/q",
                "cn-north-1",
                None,
                "sqs",
                path("1/q"),
            ),
            (
                "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
                "us-east-1",
                None,
                "dynamodb",
                ServiceApi::Action("GetItem", ""),
            ),
            (
                "arn:aws:apigateway:us-east-1:sns:action/Publish&A=b&C=d",
                "us-east-1",
                None,
                "sns",
                ServiceApi::Action("Publish", "A=b&C=d"),
            ),
        ] {
            let want = ServiceUri { region, subdomain, service, api };
            assert_eq!(ServiceUri::parse(text), Ok(want), "{text}");
        }
        for text in [
            "",
            "http://x",
            "arn:aws:lambda:us-east-1:1:function:f",
            "arn:aws:apigateway:us-east-1:s3",
            "arn:aws:apigateway::s3:path/x",
            "arn:aws:apigateway:{region}:s3:path/x",
            "arn:aws:apigateway:us-east-1:{name}.s3:path/x",
            "arn:aws:apigateway:us-east-1:a/b:path/x",
            "arn:aws:apigateway:us-east-1:.s3:path/x",
            "arn:aws:apigateway:us-east-1:s3@evil:path/x",
        ] {
            assert_eq!(ServiceUri::parse(text), Err(BadService::Arn), "{text}");
        }
        for text in [
            "arn:aws:apigateway:us-east-1:s3:",
            "arn:aws:apigateway:us-east-1:s3:path",
            "arn:aws:apigateway:us-east-1:s3:other/x",
            "arn:aws:apigateway:us-east-1:s3:action/",
            "arn:aws:apigateway:us-east-1:s3:action/{name}",
        ] {
            assert_eq!(ServiceUri::parse(text), Err(BadService::Api), "{text}");
        }
    }

    #[test]
    fn endpoints_are_awss_or_the_operators() {
        let read = |variables: &[(&str, &str)]| {
            Endpoints::read(variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
        };
        let none = read(&[("PATH", "/bin"), ("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URLS", "x")])
            .unwrap();
        let all = read(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")]).unwrap();
        let some = read(&[
            ("AWS_ENDPOINT_URL", "http://all:1"),
            ("AWS_ENDPOINT_URL_LAMBDA", "https://l.example/base/"),
            ("AWS_ENDPOINT_URL_SFN", "http://steps"),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://bus"),
        ])
        .unwrap();
        for (endpoints, named, want) in [
            (&none, "us-east-1:lambda", "https://lambda.us-east-1.amazonaws.com:443"),
            (&none, "eu-west-1:iam", "https://iam.amazonaws.com:443"),
            (&none, "eu-west-1:data.iot", "https://data.iot.eu-west-1.amazonaws.com:443"),
            (
                &none,
                "eu-west-1:a1.execute-api",
                "https://a1.execute-api.eu-west-1.amazonaws.com:443",
            ),
            (&none, "cn-north-1:sqs", "https://sqs.cn-north-1.amazonaws.com.cn:443"),
            (&none, "eu-west-1:bkt.s3", "https://bkt.s3.eu-west-1.amazonaws.com:443"),
            (&all, "us-east-1:lambda", "http://127.0.0.1:4566"),
            (&all, "us-east-1:bkt.s3", "http://127.0.0.1:4566/bkt"),
            (&some, "us-east-1:lambda", "https://l.example:443/base"),
            (&some, "us-east-1:states", "http://steps:80"),
            (&some, "us-east-1:events", "http://bus:80"),
            (&some, "us-east-1:sqs", "http://all:1"),
        ] {
            let text = format!("arn:aws:apigateway:{named}:path/x");
            let found = endpoints.of(&ServiceUri::parse(&text).unwrap(), &Endpoints::default());
            let Endpoint { scheme, host, port, base } = found;
            assert_eq!(format!("{}://{host}:{port}{base}", scheme.as_str()), want, "{named}");
        }
        let pair = |name: &str, value: &str| v1::Pair { name: name.into(), value: value.into() };
        let own = [pair("lambda", "http://own:1/x/"), pair("states", "http://own:2")];
        let rest = [&own[..], &[pair("*", "http://rest:3")]].concat();
        for (api, named, want) in [
            (&own[..], "lambda", "own:1/x"),
            (&own, "states", "own:2"),
            (&own, "events", "bus:80"),
            (&own, "sqs", "all:1"),
            (&rest, "lambda", "own:1/x"),
            (&rest, "events", "rest:3"),
        ] {
            let api = Endpoints::of_api(api).unwrap();
            let text = format!("arn:aws:apigateway:us-east-1:{named}:path/x");
            let found = some.of(&ServiceUri::parse(&text).unwrap(), &api);
            assert_eq!(format!("{}:{}{}", found.host, found.port, found.base), want, "{named}");
        }
        assert!(Endpoints::of_api(&[pair("sqs", "localhost:1")]).is_err());
        assert!(read(&[("AWS_ENDPOINT_URL_SQS", "localhost:1")]).is_err());
        assert!(read(&[("AWS_ENDPOINT_URL", "http://x/?a=b")]).is_err());
    }
}
