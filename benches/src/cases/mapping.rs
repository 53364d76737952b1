//! Reshaping bodies.

use std::hint::black_box;

use anyhow::ensure;
use tidegate_engine::mapping::template::{Given, Limits, Overrides, Scope, Scratch, Template};

use super::{Work, repeat};

/// An order's document becomes another: 32 lines, a loop over 20 items, conditions, `$input.path` and `$input.json`. The same text
/// as in `dataplane/engine/tests/velocity/Bench.java`.
const TEMPLATE: &str = "#set($o = $input.path('$.order'))\n{\n  \"orderId\": \"$o.id\",\n  \"customer\": {\n    \
    \"fullName\": \"$o.customer.name\",\n    \"mail\": \"$o.customer.email\"\n  },\n#if($o.customer.vip)\n  \
    \"priority\": \"high\",\n#else\n  \"priority\": \"normal\",\n#end\n  \"lines\": [\n#foreach($i in $o.items)\n\
    #set($n = $foreach.index + 1)\n    {\n      \"line\": $n,\n      \"sku\": \"$i.sku\",\n      \"name\": \"$i.name\",\n      \
    \"qty\": $i.qty,\n      \"price\": $i.price,\n#if($i.qty > 10)\n      \"bulk\": true,\n#end\n      \"source\": \"web\"\n    \
    }#if($foreach.hasNext),#end\n\n#end\n  ],\n  \"note\": \"$o.note\",\n  \"raw\": $input.json('$.order.customer')\n}\n";

/// The order: 1.8 KB.
fn body() -> String {
    let item = |i: u32| {
        let price = f64::from(i) * 3.5;
        format!(
            "{{\"sku\":\"SKU-{i}\",\"qty\":{},\"price\":{price:?},\"name\":\"Product number {i}\",\"tags\":[\"a\",\"b\"]}}",
            i + 1
        )
    };
    let items: Vec<String> = (0..20).map(item).collect();
    format!(
        "{{\"order\":{{\"id\":\"o-1234\",\"customer\":{{\"name\":\"Ada Lovelace\",\"email\":\"ada@example.com\",\"vip\":true}},\
         \"items\":[{}],\"note\":\"leave at door\"}}}}",
        items.join(",")
    )
}

pub(super) fn render() -> anyhow::Result<Work> {
    let template = Template::compile(TEMPLATE)?;
    let given = Given { body: body().into_bytes(), ..Given::default() };
    let (mut scratch, mut overrides, mut out) =
        (Scratch::default(), Overrides::default(), Vec::new());
    let mut once = move || {
        out.clear();
        let mut scope = Scope {
            source: black_box(&given),
            scratch: &mut scratch,
            overrides: &mut overrides,
            trace: None,
        };
        let rendered = template.render(&mut scope, &Limits::API_GATEWAY, &mut out);
        rendered.map(|()| black_box(out.len()))
    };
    let bytes = once()?;
    ensure!(bytes == OUTPUT_BYTES, "{bytes} bytes came out");
    Ok(repeat(move || {
        let _ = black_box(once());
    }))
}

pub(super) fn compile() -> anyhow::Result<Work> {
    ensure!(Template::compile(TEMPLATE)?.constant().is_none());
    Ok(repeat(|| {
        let _ = black_box(Template::compile(black_box(TEMPLATE)));
    }))
}

/// As many as Apache Velocity writes.
const OUTPUT_BYTES: usize = 3385;
