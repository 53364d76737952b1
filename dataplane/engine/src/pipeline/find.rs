//! Phases 1 to 3: which API, stage and method a request means.

use super::payload;
use crate::exchange::{Ctx, draw};
use crate::explain::nearest;
use crate::head::{BodySize, Head, Method};
use crate::respond::Failure;
use crate::route::{Captures, Routed, address, path, tree::Found};
use crate::snapshot::Place;

/// Address, stage and canary, route.
pub(super) fn find(cx: &mut Ctx<'_>, head: &Head) -> Result<Routed, (Option<Place>, Failure)> {
    let refuse = |failure| (None, failure);
    let world = cx.world;
    if !path::is_sound(head.path()) {
        return Err(refuse(Failure::BadPath));
    }
    let address = address::find(cx, head).map_err(refuse)?;
    let found = world
        .named(address.api)
        .filter(|at| !(address.default_endpoint && world.default_endpoint_disabled(*at)));
    let at = found.ok_or(refuse(Failure::UnknownApi))?;
    cx.note("address", || format!("API {}", world.at(at).id()));

    let end = head.path.range().end;
    let named = match address.stage {
        Some(name) => Some((name, address.from)),
        None => {
            path::next_segment(head, address.from, end).map(|(span, rest)| (head.bytes(span), rest))
        }
    };
    let entropy = cx.entropy;
    let stage = named.and_then(|(name, from)| {
        world.stage_place(at, name, || draw(entropy)).map(|stage| (stage, from))
    });
    // Before a missing stage is complained of, as on AWS; but a stage that is there has a say in the limit and in the answer.
    if let BodySize::Known(length) = head.body {
        let stage = stage.map(|(stage, _)| stage);
        let limit = stage.map_or(cx.listener.max_body, |stage| payload(cx, stage));
        if length > limit {
            return Err((stage, Failure::TooLarge(limit)));
        }
    }
    let (stage, from) = stage.ok_or(refuse(Failure::UnknownStage))?;
    cx.note("stage", || {
        let facts = world.facts(stage);
        format!("stage {} serves deployment {}", facts.stage, facts.deployment_id)
    });
    if let Some(percent) = world.stage(stage).canary_percent() {
        cx.note("canary", || {
            let side = if stage.is_canary() { "canary" } else { "stage" };
            format!("{side}, drawn {:.3} against {percent} percent", draw(entropy))
        });
    }

    let link = world.link(stage);
    let mut values = Captures::default();
    match link.tree.find(head, from, end, link.fall_through, &mut values) {
        Found::Method(number) => {
            let place = stage.with_method(number);
            // The stage that an address names by itself does not stand in the path, nor does its base path fall away.
            let mapped = address.stage.is_some() && !address.default_endpoint;
            let path_from = if mapped { head.path.range().start } else { from };
            let (path_from, behind_stage) = (path_from as u32, from as u32);
            let routed = Routed { place, values, path_from, behind_stage };
            if cx.trace.is_some() {
                explain_route(cx, head, &routed, from, end);
            }
            Ok(routed)
        }
        miss => {
            let failure =
                if miss == Found::NoMethod { Failure::NoMethod } else { Failure::NoRoute };
            cx.note("route", || {
                let wanted = String::from_utf8_lossy(&head.buf[from..end]).into_owned();
                let near = nearest(&wanted, link.routes().map(|(_, path)| path));
                let hint = near.map(|p| format!("; nearest {p}")).unwrap_or_default();
                format!("no match for {wanted}{hint}")
            });
            Err((Some(stage), failure))
        }
    }
}

/// Says why the route won: every other route that could have taken the path, and what it lost by.
fn explain_route(cx: &mut Ctx<'_>, head: &Head, routed: &Routed, from: usize, end: usize) {
    let world = cx.world;
    let link = world.link(routed.place);
    let won = world.facts(routed.place).resource_path;
    let verb = world.method(routed.place).and_then(|m| m.verb).map_or("ANY", Method::as_str);
    cx.note("route", || format!("{verb} {won}"));
    let names = world.method(routed.place).map_or(&[][..], |m| &m.params);
    for (at, name) in names.iter().enumerate() {
        if let Some(value) = routed.values.get(at) {
            let value = String::from_utf8_lossy(head.bytes(value)).into_owned();
            cx.detail(|| format!("{name} = {value}"));
        }
    }
    let segments: Vec<&[u8]> =
        head.buf[from..end].split(|b| *b == b'/').filter(|s| !s.is_empty()).collect();
    for (other_verb, other) in link.routes().filter(|(v, p)| *p != won || *v != verb) {
        if !could_take(other, &segments) {
            continue;
        }
        let why = if other == won {
            "its method is less specific or another"
        } else {
            "less specific path"
        };
        cx.detail(|| format!("{other_verb} {other} lost: {why}"));
    }
}

/// Whether a resource path fits the segments at all.
fn could_take(resource: &str, segments: &[&[u8]]) -> bool {
    let parts: Vec<&str> = resource.split('/').filter(|p| !p.is_empty()).collect();
    let greedy = parts.last().is_some_and(|p| p.ends_with("+}"));
    let fits = if greedy { segments.len() >= parts.len() } else { segments.len() == parts.len() };
    fits && parts
        .iter()
        .zip(segments)
        .all(|(p, s)| p.starts_with('{') || path::segment_is(s, p.as_bytes()))
}
