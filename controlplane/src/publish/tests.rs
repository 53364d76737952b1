//! Sessions without I/O: whatever happens on the way, a node ends up with what the catalog has for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{Revision, SHARDS, shard_digest, shard_of, shard_of_key};
use tidegate_proto::v1::control_message::Kind as Down;
use tidegate_proto::v1::{self};

use super::catalog::{ApiObjects, Entry, Labels};
use super::*;

/// What an API is in these tests: its zone and its stages, each with a number that changes.
fn objects(id: &str, zone: Option<&str>, stages: &[(u8, u64)]) -> ApiObjects {
    let pair = |zone: &str| v1::Pair { name: "zone".into(), value: zone.into() };
    let placement: Vec<_> = zone.map(pair).into_iter().collect();
    let api = v1::Api { id: id.into(), placement: placement.clone(), ..Default::default() };
    let binding = |(stage, version): &(u8, u64)| {
        let key = format!("binding/{id}/s{stage}");
        let binding = v1::Binding {
            api_id: id.into(),
            stage: format!("s{stage}"),
            cache_generation: *version,
            ..Default::default()
        };
        (key.clone(), Entry::new(key, v1::object::Kind::Binding(binding)))
    };
    ApiObjects {
        placement,
        api: Entry::new(format!("api/{id}"), v1::object::Kind::Api(api)),
        bindings: stages.iter().map(binding).collect(),
    }
}

/// A control plane without a store.
struct Source {
    catalog: Arc<Catalog>,
    log: Log,
}

impl Source {
    fn new() -> Self {
        let account = v1::Account { id: "1".into(), region: "r".into(), ..Default::default() };
        let catalog = Catalog::new(account).edit().finish(Revision { epoch: 1, sequence: 0 });
        Self { catalog: Arc::new(catalog), log: Log::new(0) }
    }

    fn set(&mut self, id: &str, api: Option<ApiObjects>) {
        let mut edit = self.catalog.edit();
        edit.set(id, api);
        let keys = edit.take_changed();
        let Revision { epoch, sequence } = self.catalog.revision();
        self.catalog = Arc::new(edit.finish(Revision { epoch, sequence: sequence + 1 }));
        self.log.extend(sequence + 1, keys);
    }

    fn set_domain(&mut self, name: &str, mappings: Option<usize>) {
        let key = format!("domain/{name}");
        let domain = |mappings| v1::Domain {
            name: name.into(),
            mappings: vec![v1::BasePathMapping::default(); mappings],
            ..Default::default()
        };
        let entry =
            mappings.map(|count| Entry::new(key.clone(), v1::object::Kind::Domain(domain(count))));
        let mut edit = self.catalog.edit();
        edit.set_shared(&key, entry);
        let keys = edit.take_changed();
        let Revision { epoch, sequence } = self.catalog.revision();
        self.catalog = Arc::new(edit.finish(Revision { epoch, sequence: sequence + 1 }));
        self.log.extend(sequence + 1, keys);
    }

    fn new_epoch(&mut self) {
        let Revision { epoch, sequence } = self.catalog.revision();
        self.catalog = Arc::new(
            self.catalog.edit().finish(Revision { epoch: epoch + 1, sequence: sequence / 2 }),
        );
        self.log = Log::new(sequence / 2);
    }
}

/// What a node makes of deltas, as the contract says it.
#[derive(Default)]
struct Node {
    zone: &'static str,
    held: BTreeMap<String, [u8; 32]>,
    have: Option<v1::Revision>,
    session: Option<Session>,
    /// Objects sent to it.
    received: usize,
}

impl Node {
    fn connect(&mut self, source: &Source) {
        let hello = v1::Hello {
            node_id: "n".into(),
            labels: vec![v1::Pair { name: "zone".into(), value: self.zone.into() }],
            have: self.have,
            dialects: vec![tidegate_proto::DIALECT],
            ..Default::default()
        };
        self.session = Some(Session::begin(&hello, &source.catalog, &source.log).unwrap());
    }

    /// Takes at most `messages`, acknowledging each.
    fn pump(&mut self, source: &Source, messages: usize) {
        for _ in 0..messages {
            let Some(session) = &mut self.session else { return };
            match session.next(&source.catalog, &source.log, true) {
                None => return,
                Some(Down::AskDigests(_)) => {
                    let shards = (0..=u8::MAX).map(|shard| {
                        let held = self.held.iter().filter(|(key, _)| shard_of_key(key) == shard);
                        shard_digest(held.map(|(key, hash)| (key.as_str(), hash))).to_vec()
                    });
                    let digests = v1::Digests { shards: shards.collect() };
                    session.digests(&digests, &source.catalog).unwrap();
                }
                Some(Down::Delta(delta)) => {
                    session.acknowledge().unwrap();
                    self.apply(delta);
                }
                Some(other) => panic!("{other:?}"),
            }
        }
    }

    fn apply(&mut self, delta: v1::Delta) {
        self.received += delta.upserts.len();
        let named: Vec<&str> = delta.upserts.iter().map(|object| object.key.as_str()).collect();
        self.held.retain(|key, _| {
            let replaced = delta.replaces_shards.contains(&u32::from(shard_of_key(key)));
            !replaced || named.contains(&key.as_str())
        });
        for key in &delta.deletes {
            self.held.remove(key);
            if let Some(id) = key.strip_prefix("api/") {
                self.held.retain(|key, _| !key.starts_with(&format!("binding/{id}/")));
            }
        }
        for object in &delta.upserts {
            self.held.insert(
                object.key.clone(),
                Sha256::digest(prost::Message::encode_to_vec(object)).into(),
            );
        }
        if !delta.more {
            self.have = delta.to;
        }
    }

    fn wanted(&self, source: &Source) -> BTreeMap<String, [u8; 32]> {
        let labels = Labels::new(&[v1::Pair { name: "zone".into(), value: self.zone.into() }]);
        let shards = (0..=u8::MAX).flat_map(|shard| source.catalog.shard(shard, &labels));
        shards.map(|entry| (entry.object.key.clone(), entry.hash)).collect()
    }
}

#[test]
fn a_change_costs_its_objects_and_a_repair_its_shards() {
    let mut source = Source::new();
    for n in 0..2_000 {
        let id = format!("api{n}");
        source.set(&id, Some(objects(&id, None, &[(1, 1)])));
    }
    let mut node = Node { zone: "a", ..Node::default() };
    node.connect(&source);
    node.pump(&source, usize::MAX);
    assert_eq!(node.received, 4_001);

    node.received = 0;
    source.set("api7", Some(objects("api7", None, &[(1, 2)])));
    node.pump(&source, usize::MAX);
    assert_eq!(node.received, 2, "the binding, and the account that each exchange ends with");
    node.received = 0;
    source.set_domain("a.test", Some(1));
    source.set_domain("a.test", Some(1));
    node.pump(&source, usize::MAX);
    assert_eq!(node.received, 2, "the domain once, and the account");

    // One object lost: its shard is sent, the others are not.
    node.received = 0;
    node.held.remove("binding/api9/s1").unwrap();
    node.have = Some(v1::Revision { epoch: 1, sequence: 0 });
    node.connect(&source);
    node.pump(&source, usize::MAX);
    let shard = shard_of("api9");
    assert_eq!(node.received, node.held.keys().filter(|key| shard_of_key(key) == shard).count());
    assert_eq!(node.held, node.wanted(&source));
}

#[test]
fn a_long_way_is_cut_into_deltas_that_claim_nothing_before_the_end() {
    let mut source = Source::new();
    for n in 0..20_000 {
        let id = format!("api{n}");
        source.set(&id, Some(objects(&id, None, &[(1, 1)])));
    }
    let mut node = Node { zone: "a", ..Node::default() };
    node.connect(&source);
    node.pump(&source, 1);
    assert!(node.have.is_none() && node.received > 0 && node.received < 40_000);
    // It breaks off and comes back with what it has.
    node.have = Some(v1::Revision { epoch: 0, sequence: 0 });
    let before = node.received;
    node.connect(&source);
    node.pump(&source, usize::MAX);
    assert_eq!(node.held, node.wanted(&source));
    assert!(
        node.received - before < 40_001 - before + SHARDS,
        "what had arrived was not sent again"
    );
}

#[derive(Debug, Clone)]
enum Event {
    Set {
        id: u8,
        zone: u8,
        stages: Vec<(u8, u64)>,
    },
    Remove {
        id: u8,
    },
    Domain {
        /// The names are those of APIs too: kinds must not be mixed up.
        id: u8,
        /// `None` takes it away.
        mappings: Option<usize>,
    },
    Pump {
        messages: usize,
    },
    Disconnect,
    Connect,
    /// A file of the node's disk is lost.
    Lose {
        nth: usize,
    },
    ForgetLog,
    NewEpoch,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_u8..12, 0_u8..4, proptest::collection::vec((0_u8..4, 0_u64..4), 0..4))
            .prop_map(|(id, zone, stages)| Event::Set { id, zone, stages }),
        2 => (0_u8..12).prop_map(|id| Event::Remove { id }),
        3 => (0_u8..12, proptest::option::of(0_usize..3))
            .prop_map(|(id, mappings)| Event::Domain { id, mappings }),
        5 => (0_usize..4).prop_map(|messages| Event::Pump { messages }),
        1 => Just(Event::Disconnect),
        2 => Just(Event::Connect),
        1 => (0_usize..20).prop_map(|nth| Event::Lose { nth }),
        1 => Just(Event::ForgetLog),
        1 => Just(Event::NewEpoch),
    ]
}

proptest! {
    #[test]
    fn a_node_ends_up_with_what_the_catalog_has_for_it(events in proptest::collection::vec(event(), 1..80)) {
        let mut source = Source::new();
        let mut node = Node { zone: "a", ..Node::default() };
        for event in events {
            match event {
                Event::Set { id, zone, stages } => {
                    let id = format!("api{id}");
                    let zone = [None, None, Some("a"), Some("b")][usize::from(zone)];
                    source.set(&id, Some(objects(&id, zone, &stages)));
                }
                Event::Remove { id } => source.set(&format!("api{id}"), None),
                Event::Domain { id, mappings } => source.set_domain(&format!("api{id}"), mappings),
                Event::Pump { messages } => node.pump(&source, messages),
                Event::Disconnect => node.session = None,
                Event::Connect => node.connect(&source),
                Event::Lose { nth } => {
                    if let Some(key) = node.held.keys().nth(nth).cloned() {
                        node.session = None;
                        node.held.remove(&key);
                        node.have = node.have.map(|have| v1::Revision { sequence: 0, ..have });
                        // An empty disk says nothing; one that is not says that it needs repair.
                        node.have.get_or_insert_default();
                    }
                }
                Event::ForgetLog => source.log = Log::new(source.catalog.revision().sequence),
                Event::NewEpoch => {
                    source.new_epoch();
                    node.session = None;
                }
            }
            if node.session.is_none() && !node.held.is_empty() && node.have.is_none() {
                node.have = Some(v1::Revision::default());
            }
        }
        if node.session.is_none() {
            node.connect(&source);
        }
        node.pump(&source, usize::MAX);
        prop_assert_eq!(&node.held, &node.wanted(&source));
        let have = node.have.unwrap();
        prop_assert_eq!(Revision { epoch: have.epoch, sequence: have.sequence }, source.catalog.revision());
    }
}
