//! API keys and usage plans under load and from several callers at once, and what is kept of a key at rest.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use tidegate_control::app::api_keys::{ApiKeyFilter, CreateApiKey};
use tidegate_control::app::deployments::CreateDeployment;
use tidegate_control::app::integrations::PutIntegration;
use tidegate_control::app::methods::PutMethod;
use tidegate_control::app::rest_apis::CreateRestApi;
use tidegate_control::app::usage::GetUsage;
use tidegate_control::app::usage_plans::{ApiStageInput, CreateUsagePlan, QuotaInput};
use tidegate_control::app::{App, Limits, Paging, PatchOp, PatchOperation, Settings};
use tidegate_control::model::{IntegrationType, QuotaPeriod, UsageDay};
use tidegate_control::store::{Change, ChangeKind, Operation, SqliteStore, keys};
use tidegate_control::vault::Vault;
use time::{Date, Duration};

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.unwrap().block_on(test);
}

/// An API with a deployment and some stages, and its id.
async fn api(app: &App, stages: &[&str]) -> String {
    let input = CreateRestApi { name: "n".to_owned(), ..Default::default() };
    let api = app.create_rest_api(input).await.unwrap();
    let (id, root) = (api.id.as_str(), api.root_resource_id.as_str());
    let method = PutMethod { authorization_type: "NONE".to_owned(), ..Default::default() };
    app.put_method(id, root, "GET", method).await.unwrap();
    let mock = PutIntegration::new(IntegrationType::Mock);
    app.put_integration(id, root, "GET", mock).await.unwrap();
    for stage in stages {
        let stage_name = Some((*stage).to_owned());
        let input = CreateDeployment { stage_name, ..Default::default() };
        app.create_deployment(id, input).await.unwrap();
    }
    api.id.to_string()
}

fn plan(api: &str, stages: &[&str]) -> CreateUsagePlan {
    let covered = stages.iter().map(|stage| ApiStageInput {
        api_id: api.to_owned(),
        stage: (*stage).to_owned(),
        ..Default::default()
    });
    CreateUsagePlan {
        name: "n".to_owned(),
        api_stages: covered.collect(),
        ..CreateUsagePlan::default()
    }
}

fn step(op: PatchOp, path: &str, value: &str) -> Vec<PatchOperation> {
    let (path, value) = (Some(path.to_owned()), Some(value.to_owned()));
    vec![PatchOperation { op, path, value, from: None }]
}

#[test]
fn a_value_is_nowhere_in_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let value = "conspicuous-value-0123456789-abcdefg";
    run(async {
        let app = support::app(directory.path());
        let input = CreateApiKey { value: Some(value.to_owned()), ..Default::default() };
        let key = app.create_api_key(input).await.unwrap().key;
        let plan = app.create_usage_plan(plan("", &[])).await.unwrap();
        let (plan, key) = (plan.id.as_str(), key.id.as_str());
        app.create_usage_plan_key(plan, key, "API_KEY").await.unwrap();
        let file = format!("Key,Name\n{value},imported");
        app.import_api_keys(file.as_bytes(), true).await.unwrap();
        assert_eq!(app.get_api_key(key, true).await.unwrap().value.as_deref(), Some(value));
    });
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn a_value_is_taken_once_also_at_once() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let app = Arc::new(support::app(directory.path()));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let app = app.clone();
            let value = Some("the-same-value-0123456789".to_owned());
            tasks.spawn(async move {
                app.create_api_key(CreateApiKey { value, ..Default::default() }).await.is_ok()
            });
        }
        let made = tasks.join_all().await.into_iter().filter(|made| *made).count();
        assert_eq!(made, 1);
        let page = app
            .get_api_keys(&Paging::default(), &ApiKeyFilter::default(), true)
            .await
            .ok()
            .unwrap();
        assert_eq!(page.items.len(), 1);
    });
}

#[test]
fn many_keys_join_one_plan_at_once() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let app = Arc::new(support::app(directory.path()));
        let plan = app.create_usage_plan(plan("", &[])).await.unwrap().id;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (app, plan) = (app.clone(), plan.clone());
            tasks.spawn(async move {
                let key = app.create_api_key(CreateApiKey::default()).await.ok().unwrap().key.id;
                app.create_usage_plan_key(plan.as_str(), key.as_str(), "API_KEY").await.err()
            });
        }
        let refused: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        assert!(refused.is_empty(), "{refused:?}");
        let paging = Paging { position: None, limit: Some(500) };
        let page = app.get_usage_plan_keys(plan.as_str(), &paging, None).await.ok().unwrap();
        assert_eq!(page.items.len(), 40);
    });
}

/// Whoever is faster, a key never has two plans for a stage, and no plan covers a stage that is gone.
#[test]
fn rules_between_rows_hold_for_callers_at_once() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let app = Arc::new(support::app(directory.path()));
        for _ in 0..20 {
            let api = api(&app, &["s", "t"]).await;
            let key = app.create_api_key(CreateApiKey::default()).await.ok().unwrap().key.id;
            let a = app.create_usage_plan(plan(&api, &["s"])).await.unwrap().id;
            let b = app.create_usage_plan(plan("", &[])).await.unwrap().id;
            let add = step(PatchOp::Add, "/apiStages", &format!("{api}:s"));
            let (joined_a, joined_b, added) = tokio::join!(
                app.create_usage_plan_key(a.as_str(), key.as_str(), "API_KEY"),
                app.create_usage_plan_key(b.as_str(), key.as_str(), "API_KEY"),
                app.update_usage_plan(b.as_str(), &add),
            );
            let done = [joined_a.is_ok(), joined_b.is_ok(), added.is_ok()];
            assert_eq!(done.iter().filter(|done| **done).count(), 2, "{done:?}");

            let cover = step(PatchOp::Add, "/apiStages", &format!("{api}:t"));
            let (gone, covered, made) = tokio::join!(
                app.delete_stage(&api, "t"),
                app.update_usage_plan(a.as_str(), &cover),
                app.create_usage_plan(plan(&api, &["t"])),
            );
            gone.unwrap();
            drop(covered);
            let mut plans = vec![app.get_usage_plan(a.as_str()).await.unwrap()];
            if let Ok(made) = made {
                plans.push(app.get_usage_plan(made.id.as_str()).await.unwrap());
            }
            assert!(plans.iter().all(|plan| plan.api_stage(&api, "t").is_none()), "{plans:?}");

            app.delete_rest_api(&api).await.unwrap();
            for plan in [a, b] {
                assert!(app.get_usage_plan(plan.as_str()).await.unwrap().api_stages.is_empty());
                app.delete_usage_plan(plan.as_str()).await.unwrap();
            }
            app.delete_api_key(key.as_str()).await.unwrap();
        }
        for prefix in ["api-key-value/", "usage-plan-key/", "usage-plan-stage/", "usage/"] {
            let rows = app.store().scan(prefix, None, 10).await.unwrap();
            assert!(rows.is_empty(), "{rows:?}");
        }
        for counter in [keys::count::API_KEYS, keys::count::USAGE_PLANS] {
            assert!(app.store().get(counter).await.unwrap().is_some());
        }
    });
}

#[test]
fn an_operator_limits_how_much_there_is() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let limits =
            Limits { api_keys: 2, usage_plans: 1, throttles_per_api_stage: 1, ..Limits::default() };
        let app = App::new(
            Arc::new(SqliteStore::open(directory.path()).unwrap()),
            Arc::new(support::Refusing),
            Arc::new(Vault::ephemeral()),
            Settings { limits, ..Settings::default() },
        );
        let create = || app.create_api_key(CreateApiKey::default());
        let key = create().await.ok().unwrap().key.id;
        create().await.ok().unwrap();
        let full = |what| {
            format!(
                "Maximum number of {what} for this account has been reached. \
                 Please contact your administrator if you need additional {what}."
            )
        };
        assert_eq!(create().await.err().unwrap().to_string(), full("API keys"));
        let file = b"Key,Name\nlimited-value-0123456789-abcdefg,n";
        let refused = app.import_api_keys(file, false).await.unwrap_err();
        assert_eq!(refused.to_string(), full("API keys"));
        app.delete_api_key(key.as_str()).await.unwrap();
        app.import_api_keys(file, false).await.unwrap();

        let api = api(&app, &["s"]).await;
        let made = app.create_usage_plan(plan(&api, &["s"])).await.unwrap();
        let refused = app.create_usage_plan(plan("", &[])).await.unwrap_err();
        assert_eq!(refused.to_string(), full("usage plans"));
        let path = format!("/apiStages/{api}:s/throttle");
        let two = step(PatchOp::Replace, &path, r#"{"/a/GET":{},"/b/GET":{}}"#);
        assert!(app.update_usage_plan(made.id.as_str(), &two).await.is_err());
        let one = step(PatchOp::Replace, &path, r#"{"/a/GET":{}}"#);
        app.update_usage_plan(made.id.as_str(), &one).await.unwrap();
    });
}

/// What remains of a plan to a key, and what it used, from a day on.
async fn usage(app: &App, plan: &str, from: Date, days: i64) -> Vec<(i64, i64)> {
    let (start, end) = (from.to_string(), (from + Duration::days(days - 1)).to_string());
    let input = GetUsage { usage_plan_id: plan, key_id: None, start_date: &start, end_date: &end };
    app.get_usage(&input, &Paging::default()).await.unwrap().items.remove(0).1
}

/// What a node will report: so many requests on a day.
async fn report(app: &App, plan: &str, key: &str, day: Date, used: i64) {
    let place = keys::usage_day(plan, key, day);
    let found = app.store().get(&place).await.unwrap();
    let mut row: UsageDay =
        found.map(|row| serde_json::from_slice(&row.value).unwrap()).unwrap_or_default();
    row.used = used;
    let operation = Operation {
        puts: vec![(place.clone(), serde_json::to_vec(&row).unwrap())],
        changes: vec![Change { key: place, kind: ChangeKind::Usage, digest: None }],
        ..Operation::default()
    };
    app.store().commit(vec![operation]).await.unwrap().remove(0).unwrap();
}

#[test]
fn what_is_counted_and_granted_is_what_remains() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let app = support::app(directory.path());
        let quota =
            QuotaInput { limit: Some(100), offset: Some(6), period: Some(QuotaPeriod::Week) };
        let input = CreateUsagePlan { quota, ..plan("", &[]) };
        let plan = app.create_usage_plan(input).await.unwrap().id;
        let key = app.create_api_key(CreateApiKey::default()).await.ok().unwrap().key.id;
        let (plan, key) = (plan.as_str(), key.as_str());
        app.create_usage_plan_key(plan, key, "API_KEY").await.unwrap();
        let today = app.update_usage(plan, key, &[]).await.unwrap().start_date;
        let next = today + Duration::days(7);
        assert_eq!(usage(&app, plan, today, 1).await, [(0, 94)], "the first week has less");
        assert_eq!(usage(&app, plan, next, 1).await, [(0, 100)]);
        report(&app, plan, key, today, 10).await;
        assert_eq!(usage(&app, plan, today, 1).await, [(10, 84)]);

        // A limit that changes holds at once and does not begin the quota anew; another period does.
        let smaller = step(PatchOp::Replace, "/quota/limit", "50");
        app.update_usage_plan(plan, &smaller).await.unwrap();
        assert_eq!(usage(&app, plan, today, 1).await, [(10, 34)]);
        let mut daily = step(PatchOp::Replace, "/quota/period", "DAY");
        daily.extend(step(PatchOp::Replace, "/quota/offset", "0"));
        app.update_usage_plan(plan, &daily).await.unwrap();
        assert_eq!(usage(&app, plan, today, 2).await, [(10, 40), (0, 50)]);

        let grant = step(PatchOp::Replace, "/remaining", "1000");
        let granted = app.update_usage(plan, key, &grant).await.unwrap();
        assert_eq!(granted.items[0].1, [(10, 1_000)]);
        report(&app, plan, key, today, 15).await;
        assert_eq!(usage(&app, plan, today, 2).await, [(15, 995), (0, 50)]);
        let monthly = step(PatchOp::Replace, "/quota/period", "MONTH");
        app.update_usage_plan(plan, &monthly).await.unwrap();
        assert_eq!(usage(&app, plan, today, 1).await, [(15, 995)]);

        app.delete_usage_plan(plan).await.unwrap();
        assert!(app.store().scan("usage/", None, 1).await.unwrap().is_empty());
    });
}

#[test]
fn ten_thousand_keys_are_imported_and_listed() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let app = support::app(directory.path());
        let plan = app.create_usage_plan(plan("", &[])).await.unwrap().id;
        let mut file = "Key,Name,UsagePlanIds\n".to_owned();
        for n in 0..10_000 {
            file.push_str(&format!("imported-value-{n:020},name-{n:05},{plan}\n"));
        }
        let done = app.import_api_keys(file.as_bytes(), true).await.unwrap();
        assert_eq!((done.ids.len(), done.warnings.len()), (10_000, 0));
        let mut paging = Paging { position: None, limit: Some(500) };
        let mut seen = 0;
        loop {
            let page = app.get_usage_plan_keys(plan.as_str(), &paging, None).await.ok().unwrap();
            seen += page.items.len();
            paging.position = page.position;
            if paging.position.is_none() {
                break;
            }
        }
        assert_eq!(seen, 10_000);
        let filter = ApiKeyFilter { name: Some("name-0999".to_owned()), customer_id: None };
        let page = app.get_api_keys(&Paging::default(), &filter, true).await.ok().unwrap();
        assert_eq!((page.items.len(), page.position), (10, None));
        let greedy = format!(
            "Key,Name,UsagePlanIds\nimported-value-{:020},n,\"{}\"",
            1,
            "p,".repeat(1_000_000)
        );
        let done = app.import_api_keys(greedy.as_bytes(), false).await.unwrap();
        assert_eq!((done.ids.len(), done.warnings.len()), (0, 1));
        file.push_str("imported-value-one-too-many-000,name,\n");
        assert!(app.import_api_keys(file.as_bytes(), false).await.is_err());
        app.delete_usage_plan(plan.as_str()).await.unwrap();
        assert!(app.store().scan("usage-plan-key/", None, 1).await.unwrap().is_empty());
    });
}
