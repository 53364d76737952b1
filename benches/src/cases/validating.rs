//! Checking bodies.

use std::hint::black_box;

use anyhow::ensure;
use serde_json::{Value, json};
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::validate::schema::Schema;

use super::{Work, repeat};

/// A model of 20 properties: texts with lengths, patterns, formats and enumerations, numbers with bounds, a list of objects, an object.
fn model() -> Value {
    let text =
        |least: u32, most: u32| json!({"type": "string", "minLength": least, "maxLength": most});
    let address = json!({
        "type": "object", "required": ["street", "city", "country"],
        "properties": {"street": text(1, 100), "city": text(1, 60), "zip": {"type": "string", "pattern": "^[0-9A-Z -]{3,10}$"},
            "country": {"enum": ["DE", "FR", "GB", "IE", "US"]}},
    });
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "additionalProperties": false,
        "required": ["id", "customerId", "email", "currency", "status", "total", "items", "shippingAddress"],
        "properties": {
            "id": {"type": "string", "pattern": "^o-[0-9]{4,12}$"}, "customerId": text(3, 40), "email": {"type": "string", "format": "email"},
            "currency": {"enum": ["EUR", "GBP", "USD"]}, "status": {"enum": ["new", "paid", "sent"]}, "total": {"type": "number", "minimum": 0},
            "tax": {"type": "number", "minimum": 0, "maximum": 10000}, "discount": {"type": "number"}, "createdAt": text(20, 30),
            "updatedAt": text(20, 30), "channel": {"enum": ["web", "app", "phone"]}, "gift": {"type": "boolean"}, "giftMessage": text(0, 500),
            "language": text(2, 5), "weightGrams": {"type": "integer", "minimum": 0}, "priority": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "maxItems": 10, "items": text(1, 20)}, "shippingAddress": address, "note": text(0, 1000),
            "items": {"type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["sku", "qty", "price"],
                "properties": {"sku": text(3, 20), "qty": {"type": "integer", "minimum": 1}, "price": {"type": "number", "minimum": 0},
                    "name": text(1, 80)},
            }},
        },
    })
}

/// A body that fits: 2 KB.
fn body() -> String {
    let item = |n: u32| {
        let price = f64::from(n) * 3.5;
        format!(
            r#"{{"sku":"SKU-{n}","qty":{},"price":{price:?},"name":"Product number {n}"}}"#,
            n + 1
        )
    };
    let items: Vec<String> = (0..18).map(item).collect();
    let note = "Please leave the parcel at the door and ring twice. ".repeat(9);
    format!(
        r#"{{"id":"o-12345678","customerId":"c-998877","email":"ada@example.com","currency":"EUR","status":"paid","total":598.5,"tax":95.56,"discount":0,"createdAt":"2024-05-01T10:00:00.000Z","updatedAt":"2024-05-01T10:05:00.000Z","channel":"web","gift":true,"giftMessage":"Happy birthday!","language":"en-GB","weightGrams":3200,"priority":2,"tags":["birthday","fragile"],"shippingAddress":{{"street":"12 Analytical Row","city":"London","zip":"SW1A 1AA","country":"GB"}},"note":"{note}","items":[{}]}}"#,
        items.join(",")
    )
}

pub(super) fn model_of_20_properties() -> anyhow::Result<Work> {
    let schema = Schema::compile(&model())?;
    let body = body();
    ensure!((1990..2110).contains(&body.len()), "the body has {} bytes", body.len());
    let mut heap = Heap::default();
    let wrong = schema.misfits(&mut heap, body.as_bytes())?;
    ensure!(wrong.is_empty(), "the body does not fit: {wrong:?}");
    let broken = body.replace("\"qty\":5,", "\"qty\":\"5\",");
    ensure!(schema.misfits(&mut heap, broken.as_bytes())?.len() == 1, "a wrong body fits");
    Ok(repeat(move || {
        let _ = black_box(schema.misfits(&mut heap, black_box(body.as_bytes())));
    }))
}
