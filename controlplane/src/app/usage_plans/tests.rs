use super::*;
use crate::app::patch::PatchOp;

#[test]
fn quotas() {
    let input = |limit, offset, period| QuotaInput { limit, offset, period };
    let (day, week, month) = (QuotaPeriod::Day, QuotaPeriod::Week, QuotaPeriod::Month);
    assert_eq!(quota(input(None, None, None)).unwrap(), None);
    for (limit, offset, period) in [
        (0, None, day),
        (1, Some(0), day),
        (i64::from(i32::MAX), Some(6), week),
        (1, Some(27), month),
    ] {
        let made = quota(input(Some(limit), offset, Some(period))).unwrap().unwrap();
        assert_eq!(i64::from(made.limit), limit);
        assert_eq!(i64::from(made.offset), offset.unwrap_or(0));
    }
    for (limit, offset, period) in [
        (None, None, Some(day)),
        (Some(1), None, None),
        (None, Some(0), None),
        (Some(-1), None, Some(day)),
        (Some(1 << 31), None, Some(day)),
        (Some(1), Some(1), Some(day)),
        (Some(1), Some(7), Some(week)),
        (Some(1), Some(28), Some(month)),
        (Some(1), Some(-1), Some(month)),
        (Some(1), Some(1 << 32), Some(month)),
    ] {
        assert!(quota(input(limit, offset, period)).is_err(), "{limit:?} {offset:?} {period:?}");
    }
}

#[test]
fn methods_of_throttles() {
    for key in ["/pets/GET", "/pets/{id}/ANY", "pets/GET", "~1pets/GET", "//GET", "/GET", "*/*"] {
        assert!(check_method(key).is_ok(), "{key}");
    }
    for key in ["", "/", "GET", "/pets", "/pets/get", "/pets/*", "*/FETCH", "/pets/GET/"] {
        assert!(check_method(key).is_err(), "{key}");
    }
}

/// The plan's per-method limits after one step, as JSON.
fn throttled(op: PatchOp, path: &str, value: Option<&str>) -> Result<String, AppError> {
    let throttles = BTreeMap::from([(
        "/a/GET".to_owned(),
        ThrottleInput { burst_limit: Some(1), rate_limit: Some(2.0) },
    )]);
    let plan = UsagePlan {
        id: UsagePlanId::parse("plan12").unwrap(),
        name: "n".to_owned(),
        description: None,
        api_stages: vec![api_stage("abc", "dev", throttles)?],
        throttle: None,
        quota: None,
        product_code: None,
        tags: None,
    };
    let value = value.map(str::to_owned);
    let step = PatchOperation { op, path: Some(path.to_owned()), value, from: None };
    let plan = patch::apply(plan, &[step])?;
    Ok(serde_json::to_string(&plan.api_stages[0].throttle).unwrap())
}

#[test]
fn paths_of_method_throttles() {
    use PatchOp::{Add, Remove, Replace};
    let base = "/apiStages/abc:dev/throttle";
    for (op, below, value, want) in [
        (Replace, "//a/GET/rateLimit", "3", r#"{"/a/GET":{"burstLimit":1,"rateLimit":3.0}}"#),
        (Add, "/~1a/GET/burstLimit", " 3 ", r#"{"/a/GET":{"burstLimit":3,"rateLimit":2.0}}"#),
        (
            Replace,
            "//throttle/burstLimit/GET/burstLimit",
            "3",
            r#"{"/a/GET":{"burstLimit":1,"rateLimit":2.0},"/throttle/burstLimit/GET":{"burstLimit":3}}"#,
        ),
        (Replace, "", r#"{"b/GET":{"burstLimit":4,"more":[]}}"#, r#"{"b/GET":{"burstLimit":4}}"#),
        (Replace, "", "{}", "null"),
        (Remove, "//a/GET", "", "null"),
        (Remove, "", "", "null"),
    ] {
        let told = throttled(op, &format!("{base}{below}"), Some(value)).unwrap();
        assert_eq!(told, want, "{op} {below}");
    }
    let deep = "[".repeat(100_000);
    for (op, path, value) in [
        (Replace, "/apiStages/abc:dev", "1"),
        (Replace, "/apiStages/abc:dev/", "1"),
        (Replace, "/apiStages/abc:dev/throttles//a/GET/rateLimit", "1"),
        (Replace, "/apiStages/abc/throttle//a/GET/rateLimit", "1"),
        (Replace, "/apiStages/abc:dev:x/throttle//a/GET/rateLimit", "1"),
        (Replace, "/apiStages/abc:dev/throttle//a/GET", "1"),
        (Replace, "/apiStages/abc:dev/throttle/rateLimit", "1"),
        (Replace, "/apiStages/abc:dev/throttle/", "1"),
        (Replace, "/apiStages/abc:dev/throttle//a/GET/rateLimit", "1e999"),
        (Replace, "/apiStages/abc:dev/throttle//a/GET/burstLimit", "1.5"),
        (Replace, "/apiStages/abc:dev/throttle", &deep),
        (Replace, "/apiStages/abc:dev/throttle", r#"{"/a/GET":{"rateLimit":"1"}}"#),
        (Replace, "/apiStages/abc:dev/throttle", r#"{"a":{}}"#),
        (Remove, "/apiStages/abc:dev/throttle//b/GET", ""),
        (Remove, "/apiStages/abc:dev/throttle//a/GET/rateLimit", ""),
        (PatchOp::Copy, "/apiStages/abc:dev/throttle", ""),
    ] {
        assert!(throttled(op, path, Some(value)).is_err(), "{op} {path}");
    }
    assert!(throttled(Replace, base, None).is_err());
}
