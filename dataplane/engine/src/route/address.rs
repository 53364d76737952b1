//! Which API and stage a request is for, and where its resource path begins.
//!
//! In this order: exact custom domain, wildcard domain, `{api}.execute-api.*`, then the path forms where the listener has them.

use crate::exchange::Ctx;
use crate::head::Head;
use crate::mapping::context::host_without_port;
use crate::respond::Failure;
use crate::route::path;

/// An API found by name, and what of the path is left to route.
#[derive(Clone, Copy, Debug)]
pub struct Address<'h> {
    /// The API's id, in lower case unless it came by path.
    pub api: Name<'h>,
    /// The stage, when the address names one; else it is the path's next segment.
    pub stage: Option<&'h [u8]>,
    /// Where in the head's buffer the rest of the path begins.
    pub from: usize,
    /// Whether this is the API's default endpoint, which `disableExecuteApiEndpoint` turns off.
    pub default_endpoint: bool,
}

/// An API id as the request spells it.
#[derive(Clone, Copy, Debug)]
pub enum Name<'h> {
    /// From Host: case does not count.
    Host(&'h [u8]),
    /// From the path or from a mapping: case counts.
    Exact(&'h [u8]),
}

/// Finds the address, or says that no API goes by it.
pub fn find<'h>(cx: &Ctx<'h>, head: &'h Head) -> Result<Address<'h>, Failure> {
    let host = host_without_port(head.authority());
    let from = head.path.range().start;
    let end = head.path.range().end;

    if let Some(domain) = cx.world.domain(host) {
        return domain.find(head, from, end).ok_or(Failure::UnknownApi);
    }
    if let Some(api) = execute_api(host) {
        return Ok(Address { api: Name::Host(api), stage: None, from, default_endpoint: true });
    }
    if cx.listener.path_forms {
        for (prefix, infix) in
            [(&b"_aws/execute-api"[..], &b""[..]), (b"restapis", b"_user_request_")]
        {
            if let Some(address) = path_form(head, from, end, prefix, infix) {
                return Ok(address);
            }
        }
    }
    Err(Failure::UnknownApi)
}

/// The API id in `{api}.execute-api.{anything}` or `{api}-vpce-{id}.execute-api.{anything}`.
fn execute_api(host: &[u8]) -> Option<&[u8]> {
    let dot = memchr::memchr(b'.', host)?;
    let (label, rest) = (&host[..dot], &host[dot + 1..]);
    let marker = b"execute-api";
    let tail = rest.get(marker.len());
    if !rest.get(..marker.len())?.eq_ignore_ascii_case(marker) || !matches!(tail, None | Some(b'.'))
    {
        return None;
    }
    let api = memchr::memmem::find(label, b"-vpce-").map_or(label, |at| &label[..at]);
    (!api.is_empty()).then_some(api)
}

/// `/{prefix}/{api}/{stage}[/{infix}]/...`
fn path_form<'h>(
    head: &'h Head,
    from: usize,
    end: usize,
    prefix: &[u8],
    infix: &[u8],
) -> Option<Address<'h>> {
    let bytes = &head.buf[from..end];
    let rest = bytes.strip_prefix(b"/")?.strip_prefix(prefix)?;
    if rest.first() != Some(&b'/') {
        return None;
    }
    let (api, after) = path::next_segment(head, end - rest.len(), end)?;
    let (stage, mut after) = path::next_segment(head, after, end)?;
    if !infix.is_empty() {
        let (marker, behind) = path::next_segment(head, after, end)?;
        if head.bytes(marker) != infix {
            return None;
        }
        after = behind;
    }
    Some(Address {
        api: Name::Exact(head.bytes(api)),
        stage: Some(head.bytes(stage)),
        from: after,
        default_endpoint: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_ids_are_read_from_hosts() {
        for (host, want) in [
            ("abc123.execute-api.localhost", Some("abc123")),
            ("abc123.execute-api.eu-west-1.amazonaws.com", Some("abc123")),
            ("ABC.EXECUTE-API.x", Some("ABC")),
            ("abc-vpce-0a1b.execute-api.us-east-1.amazonaws.com", Some("abc")),
            ("abc.execute-api", Some("abc")),
            ("abc.execute-apis.localhost", None),
            (".execute-api.localhost", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(execute_api(host.as_bytes()), want.map(str::as_bytes), "{host}");
        }
    }
}
