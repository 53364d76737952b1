//! The builder's promises: one bad object is refused alone, links are shared, and nothing a peer sends panics.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use tidegate_engine::snapshot::{BundleId, Revision, Scheme, Upstreams, shard_of};
use tidegate_proto::v1;

use super::*;

/// A bundle with one MOCK method at `path`; `path` makes bundles differ.
pub(crate) fn bundle(api: &str, path: &str) -> v1::Bundle {
    let response = v1::IntegrationResponse { status_code: "200".into(), ..Default::default() };
    let integration = v1::Integration {
        r#type: v1::IntegrationType::Mock.into(),
        request_templates: vec![v1::Pair {
            name: "application/json".into(),
            value: r#"{"statusCode": 200}"#.into(),
        }],
        passthrough_behavior: "WHEN_NO_MATCH".into(),
        timeout_ms: 29_000,
        responses: vec![response],
        ..Default::default()
    };
    let method = v1::Method {
        verb: "GET".into(),
        authorization_type: "NONE".into(),
        integration: Some(integration),
        responses: vec![v1::MethodResponse { status_code: "200".into(), ..Default::default() }],
        ..Default::default()
    };
    v1::Bundle {
        dialect: tidegate_proto::DIALECT,
        api_id: api.into(),
        routing: Some(v1::Routing { protocol: v1::Protocol::Rest.into(), ..Default::default() }),
        resources: vec![v1::Resource { id: "r1".into(), path: path.into(), methods: vec![method] }],
        ..Default::default()
    }
}

fn api(id: &str) -> v1::Api {
    v1::Api { id: id.into(), ..Default::default() }
}

fn stage(api: &str, stage: &str) -> v1::Binding {
    v1::Binding {
        api_id: api.into(),
        stage: stage.into(),
        deployment_id: "d1".into(),
        ..Default::default()
    }
}

fn to(sequence: u64) -> Revision {
    Revision { epoch: 1, sequence }
}

/// A builder with its bundles, and what a test does with it.
struct Rig {
    bundles: Arc<Bundles>,
    builder: Builder,
    sequence: u64,
}

impl Rig {
    fn new() -> Self {
        let bundles = Arc::new(Bundles::in_memory());
        Self { builder: Builder::new(bundles.clone()), bundles, sequence: 0 }
    }

    fn upsert(&mut self, set: ObjectSet) -> Outcome {
        for bytes in set.bundles {
            self.bundles.put(BundleId::of(&bytes), bytes);
        }
        self.batch(Batch { upserts: set.objects, ..Batch::default() })
    }

    fn batch(&mut self, batch: Batch) -> Outcome {
        self.sequence += 1;
        self.builder.apply(Batch { to: to(self.sequence), ..batch }).unwrap().outcome
    }

    fn routes(&self, api: &str, stage: &str) -> Vec<String> {
        let world = self.builder.world();
        let Some(api) = world.api(api) else { return Vec::new() };
        let stages = api.stages().iter().filter(|held| &*held.name == stage);
        stages
            .flat_map(|held| {
                held.link().routes().map(|(_, path)| path.to_owned()).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[test]
fn what_is_good_serves_and_what_is_bad_keeps_its_last_good_version() {
    let mut rig = Rig::new();
    let first = ObjectSet::default()
        .api(api("a"))
        .stage(stage("a", "prod"), &bundle("a", "/one"))
        .api(api("b"))
        .stage(stage("b", "prod"), &bundle("b", "/one"));
    assert_eq!(rig.upsert(first).refusals, []);
    assert_eq!(
        (rig.routes("a", "prod"), rig.routes("b", "prod")),
        (vec!["/one".into()], vec!["/one".into()])
    );

    let mut unfit = bundle("a", "/two");
    unfit.resources[0].methods[0].api_key_required = true;
    let second = ObjectSet::default()
        .stage(stage("a", "prod"), &unfit)
        .stage(stage("b", "prod"), &bundle("b", "/two"));
    let outcome = rig.upsert(second);
    assert_eq!(outcome.revision, to(2), "the rest of the batch counts");
    assert_eq!(outcome.refusals.len(), 1);
    assert_eq!(outcome.refusals[0].key, "binding/a/prod");
    assert!(
        outcome.refusals[0].reason.contains("GET /two: apiKeyRequired"),
        "{:?}",
        outcome.refusals
    );
    assert_eq!(
        (rig.routes("a", "prod"), rig.routes("b", "prod")),
        (vec!["/one".into()], vec!["/two".into()])
    );
    assert_eq!(rig.builder.rejected()["bundle"], 1);

    let third = ObjectSet::default().stage(stage("a", "prod"), &bundle("a", "/three"));
    assert_eq!(rig.upsert(third).refusals, [], "a good version ends the refusal");
    assert_eq!(rig.routes("a", "prod"), ["/three"]);
}

#[test]
fn a_foreign_missing_or_damaged_bundle_refuses_its_binding_alone() {
    let mut rig = Rig::new();
    let mut absent =
        ObjectSet::default().api(api("a")).stage(stage("a", "gone"), &bundle("a", "/x"));
    let lacking = BundleId::of(&absent.bundles.pop().unwrap());
    let set = absent
        .stage(stage("a", "foreign"), &bundle("b", "/secret"))
        .stage(stage("a", "good"), &bundle("a", "/y"));
    let outcome = rig.upsert(set);
    assert_eq!(outcome.lacking, [lacking]);
    let keys: Vec<_> = outcome.refusals.iter().map(|refusal| refusal.key.as_str()).collect();
    assert_eq!(keys, ["binding/a/foreign", "binding/a/gone"]);
    assert_eq!(rig.routes("a", "good"), ["/y"]);
    assert!(rig.routes("a", "foreign").is_empty());
    // A bundle that nobody could use is not kept.
    assert!(!rig.bundles.has(BundleId::of(&bundle("b", "/secret").encode_to_vec())));
}

#[test]
fn a_node_is_not_taken_back() {
    let mut rig = Rig::new();
    rig.upsert(ObjectSet::default().api(api("a")));
    rig.upsert(ObjectSet::default().api(api("b")));
    assert!(rig.builder.apply(Batch { to: to(1), ..Batch::default() }).is_err());
    let newer = Batch { to: Revision { epoch: 2, sequence: 0 }, ..Batch::default() };
    assert!(rig.builder.apply(newer).is_ok());
}

#[test]
fn an_api_takes_its_bindings_along_and_replaced_shards_keep_only_what_is_named() {
    let mut rig = Rig::new();
    let set =
        |id: &str| ObjectSet::default().api(api(id)).stage(stage(id, "prod"), &bundle(id, "/x"));
    rig.upsert(set("a"));
    rig.upsert(set("b"));
    rig.upsert(set("c"));
    rig.batch(Batch { deletes: vec!["api/a".into()], ..Batch::default() });
    assert!(rig.builder.world().api("a").is_none());
    assert!(!rig.bundles.has(BundleId::of(&set("a").bundles[0])), "its bundle went with it");

    assert_ne!(shard_of("b"), shard_of("c"));
    rig.batch(Batch { upserts: vec![], replaces: vec![shard_of("b")], ..Batch::default() });
    assert!(rig.builder.world().api("b").is_none() && rig.builder.world().api("c").is_some());
    let binding = ObjectSet::default().api(api("c"));
    rig.batch(Batch {
        upserts: binding.objects,
        replaces: vec![shard_of("c")],
        ..Batch::default()
    });
    assert!(rig.routes("c", "prod").is_empty() && rig.builder.world().api("c").is_some());
}

#[test]
fn more_to_come_leaves_the_revision() {
    let mut rig = Rig::new();
    let applied = rig
        .builder
        .apply(Batch {
            to: to(9),
            more: true,
            upserts: ObjectSet::default().api(api("a")).objects,
            ..Batch::default()
        })
        .unwrap();
    assert_eq!(applied.outcome.revision, Revision::default());
    assert!(applied.world.is_some_and(|world| world.api("a").is_some()));
    assert_eq!(
        rig.builder.apply(Batch { to: to(9), ..Batch::default() }).unwrap().outcome.revision,
        to(9)
    );
}

#[test]
fn links_are_shared_by_equal_variables_and_kept_while_other_objects_change() {
    let mut rig = Rig::new();
    let shared = bundle("a", "/x");
    let with = |stage: v1::Binding, value: &str| v1::Binding {
        variables: vec![v1::Pair { name: "v".into(), value: value.into() }],
        ..stage
    };
    rig.upsert(
        ObjectSet::default()
            .api(api("a"))
            .stage(with(stage("a", "one"), "1"), &shared)
            .stage(with(stage("a", "same"), "1"), &shared)
            .stage(with(stage("a", "other"), "2"), &shared),
    );
    let link = |rig: &Rig, name: &str| {
        let world = rig.builder.world().clone();
        let api = world.api("a").unwrap();
        api.stages().iter().find(|stage| &*stage.name == name).unwrap().link().clone()
    };
    let before = link(&rig, "one");
    assert!(
        Arc::ptr_eq(&before, &link(&rig, "same")) && !Arc::ptr_eq(&before, &link(&rig, "other"))
    );
    rig.upsert(
        ObjectSet::default().api(v1::Api { disable_execute_api_endpoint: true, ..api("a") }),
    );
    assert!(Arc::ptr_eq(&before, &link(&rig, "one")));
}

#[test]
fn an_object_that_did_not_change_makes_no_world() {
    let mut rig = Rig::new();
    let set = ObjectSet::default().api(api("a")).stage(stage("a", "prod"), &bundle("a", "/x"));
    rig.upsert(set.clone());
    let again =
        rig.builder.apply(Batch { to: to(1), upserts: set.objects, ..Batch::default() }).unwrap();
    assert!(again.world.is_none());
    rig.builder.take_dirty();
    rig.batch(Batch::default());
    assert!(rig.builder.take_dirty().is_empty());
}

#[test]
fn a_canary_of_nonsense_is_refused_with_its_stage_alone() {
    let mut rig = Rig::new();
    let good = bundle("a", "/x");
    let canary = v1::Canary {
        bundle: BundleId::of(&good.encode_to_vec()).0.into(),
        percent: 101.0,
        ..Default::default()
    };
    let outcome = rig.upsert(
        ObjectSet::default()
            .api(api("a"))
            .stage(v1::Binding { canary: Some(canary), ..stage("a", "bad") }, &good)
            .stage(stage("a", "good"), &good),
    );
    assert_eq!(outcome.refusals.len(), 1);
    assert!(outcome.refusals[0].reason.contains("101"));
    assert_eq!(rig.routes("a", "good"), ["/x"]);
}

#[test]
fn what_a_node_would_have_to_ignore_is_refused() {
    let mut rig = Rig::new();
    let plan = v1::Object {
        key: "plan/p".into(),
        kind: Some(v1::object::Kind::Plan(v1::Plan::default())),
    };
    let unknown = v1::Object { key: "new/thing".into(), kind: None };
    let misnamed = v1::Object { key: "api/b".into(), kind: Some(v1::object::Kind::Api(api("a"))) };
    let outcome = rig.batch(Batch { upserts: vec![plan, unknown, misnamed], ..Batch::default() });
    assert_eq!(outcome.refusals.len(), 3);
    assert_eq!(rig.builder.world().apis().count(), 0);
}

#[test]
fn a_vpc_link_serves_at_once_and_a_bad_one_leaves_the_last_good_one() {
    let mut rig = Rig::new();
    let upstream = Upstreams::default().intern_behind(Some("abc123"), Scheme::Http, "h", 80, true);
    let targets = |rig: &Rig| -> Vec<String> {
        let world = rig.builder.world();
        world.targets(&upstream).unwrap().iter().map(ToString::to_string).collect()
    };
    let link = |targets: &[&str]| {
        let targets = targets.iter().map(|text| (*text).to_owned()).collect();
        let link = v1::VpcLink { id: "abc123".into(), targets };
        let kind = Some(v1::object::Kind::VpcLink(link));
        vec![v1::Object { key: "vpc-link/abc123".into(), kind }]
    };
    assert!(targets(&rig).is_empty());
    rig.batch(Batch { upserts: link(&["10.0.0.1:80", "b:81"]), ..Batch::default() });
    assert_eq!(targets(&rig), ["10.0.0.1:80", "b:81"]);
    let outcome = rig.batch(Batch { upserts: link(&["nonsense"]), ..Batch::default() });
    assert_eq!(outcome.refusals.len(), 1);
    assert!(outcome.refusals[0].reason.contains("write host:port"), "{outcome:?}");
    assert_eq!(targets(&rig), ["10.0.0.1:80", "b:81"]);
    rig.batch(Batch { deletes: vec!["vpc-link/abc123".into()], ..Batch::default() });
    assert!(targets(&rig).is_empty());
}

#[test]
fn an_object_set_survives_its_file_and_publishes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("objects");
    let set = ObjectSet::default()
        .account(v1::Account { id: "1".into(), region: "r".into(), ..Default::default() })
        .api(api("a"))
        .stage(stage("a", "prod"), &bundle("a", "/x"));
    set.write(&path).unwrap();
    let publication = crate::publication::Publication::new();
    assert_eq!(ObjectSet::read(&path).unwrap().publish(&publication), []);
    assert!(publication.load().api("a").is_some() && publication.generation() == 1);
    std::fs::write(&path, b"\xff\xff").unwrap();
    assert!(matches!(ObjectSet::read(&path), Err(FileError::Malformed { .. })));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    /// Damaged objects and bundles are refused or served, never a panic, and the API beside them serves on.
    #[test]
    fn damaged_objects_never_panic_the_builder(
        flips in proptest::collection::vec((0_usize..400, 0_u8..8), 1..6),
        tail in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        in_bundle in proptest::bool::ANY,
    ) {
        let mut rig = Rig::new();
        rig.upsert(ObjectSet::default().api(api("good")).stage(stage("good", "prod"), &bundle("good", "/x")));
        let mut set = ObjectSet::default().api(api("a")).stage(stage("a", "prod"), &bundle("a", "/{p}"));
        let damage = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (at, bit) in &flips {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            bytes.extend_from_slice(&tail);
            bytes
        };
        if in_bundle {
            let damaged = Bytes::from(damage(&set.bundles[0]));
            let id = BundleId::of(&damaged);
            if let Some(v1::object::Kind::Binding(binding)) = &mut set.objects[1].kind {
                binding.bundle = id.0.into();
            }
            set.bundles = vec![damaged];
        } else {
            set.objects = set
                .objects
                .iter()
                .filter_map(|object| v1::Object::decode(&*damage(&object.encode_to_vec())).ok())
                .collect();
        }
        rig.upsert(set);
        proptest::prop_assert_eq!(rig.builder.rejected().get("panic"), None);
        proptest::prop_assert_eq!(rig.routes("good", "prod"), vec!["/x".to_owned()]);
    }
}
