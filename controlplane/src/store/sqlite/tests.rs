//! The contract of the store, on a real file.

use std::collections::BTreeMap;

use super::*;
use crate::store::{Expect, StoreError};

fn put(key: &str, value: &str) -> Operation {
    Operation {
        puts: vec![(key.to_owned(), value.as_bytes().to_vec())],
        changes: vec![change(key)],
        ..Operation::default()
    }
}

fn change(key: &str) -> Change {
    Change {
        key: key.to_owned(),
        kind: ChangeKind::Draft,
        digest: Some(ContentHash::of(key.as_bytes())),
    }
}

async fn one(store: &SqliteStore, operation: Operation) -> Result<Rev, Conflict> {
    store.commit(vec![operation]).await.unwrap().remove(0)
}

#[test]
fn the_library_has_the_wal_reset_fix() {
    // 3.51.3 repairs a WAL race that could lose a checkpointed page; see reference/reliability-and-threats.md.
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[tokio::test]
async fn operations_are_whole_ordered_and_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let epoch;
    {
        let store = SqliteStore::open(directory.path()).unwrap();
        epoch = store.epoch();
        let mut watch = store.watch();
        assert_eq!(one(&store, put("a/1", "x")).await, Ok(1));
        assert!(watch.has_changed().unwrap());
        assert_eq!(*watch.borrow_and_update(), 1);
        let answers = store
            .commit(vec![
                put("a/2", "y"),
                Operation { expect: vec![Expect::At("a/1".into(), 7)], ..put("a/1", "lost") },
                Operation { expect: vec![Expect::Absent("a/2".into())], ..put("a/3", "lost") },
                Operation { expect: vec![Expect::At("a/1".into(), 1)], ..put("a/1", "z") },
            ])
            .await
            .unwrap();
        assert_eq!(answers[0], Ok(2));
        assert_eq!(answers[1], Err(Conflict::Row { key: "a/1".into(), found: Some(1) }));
        assert_eq!(answers[2], Err(Conflict::Row { key: "a/2".into(), found: Some(2) }));
        assert_eq!(answers[3], Ok(3), "a refused operation leaves no gap");
        let two = Operation { changes: vec![change("p"), change("q")], ..put("b/1", "") };
        assert_eq!(one(&store, two).await, Ok(5));
    }
    let store = SqliteStore::open(directory.path()).unwrap();
    assert_eq!(store.epoch(), epoch);
    assert_eq!(store.head().await.unwrap(), 5);
    assert_eq!(*store.watch().borrow(), 5);
    let rows = store.scan("a/", None, 10).await.unwrap();
    let seen: Vec<_> =
        rows.iter().map(|row| (row.key.as_str(), row.value.as_slice(), row.rev)).collect();
    assert_eq!(seen, [("a/1", &b"z"[..], 3), ("a/2", b"y", 2)]);
    assert_eq!(store.scan("a/", Some("a/1"), 10).await.unwrap().len(), 1);
    let log = store.changes(1, 3).await.unwrap();
    assert_eq!(
        log.iter().map(|l| (l.rev, l.change.key.as_str())).collect::<Vec<_>>(),
        [(2, "a/2"), (3, "a/1"), (4, "p")]
    );
    let told = SqliteStore::open(directory.path()).err().unwrap();
    assert!(matches!(told, StoreError::Lock(_)), "{told}");
    drop(store);
    assert!(SqliteStore::begin_epoch(directory.path()).unwrap() > epoch);
}

#[tokio::test]
async fn prefixes_go_whole_and_counters_hold() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    for key in ["a/1", "a/2/x", "a0", "b"] {
        one(&store, put(key, "")).await.unwrap();
    }
    let gone = Operation {
        delete_prefixes: vec!["a/".into()],
        changes: vec![change("a")],
        ..Operation::default()
    };
    one(&store, gone).await.unwrap();
    assert!(store.scan("a/", None, 10).await.unwrap().is_empty());
    assert!(store.get("a0").await.unwrap().is_some());
    let grow = |add| Operation {
        expect: vec![Expect::Counter { key: "count/keys".into(), add, at_most: 3 }],
        changes: vec![change("k")],
        ..Operation::default()
    };
    one(&store, grow(2)).await.unwrap();
    assert_eq!(
        one(&store, grow(2)).await,
        Err(Conflict::Counter { key: "count/keys".into(), found: 2 })
    );
    one(&store, grow(-1)).await.unwrap();
    one(&store, grow(2)).await.unwrap();
}

#[tokio::test]
async fn a_writer_that_chooses_values_may_queue_ahead() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    one(&store, put("v", "0")).await.unwrap();
    let next = |from: &str, to: &str| Operation {
        expect: vec![Expect::Value("v".into(), from.as_bytes().to_vec())],
        ..put("v", to)
    };
    let answers = store
        .commit(vec![next("0", "1"), next("1", "2"), next("1", "x"), next("2", "3")])
        .await
        .unwrap();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
    let only_expects = Operation {
        expect: vec![Expect::Value("v".into(), b"3".to_vec())],
        ..Operation::default()
    };
    assert_eq!(one(&store, only_expects).await, Ok(4), "takes no revision");
}

#[tokio::test]
async fn blobs_of_any_size_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    for bytes in [0, 1, 1 << 20, (1 << 20) + 1, 5 << 20].map(|length| vec![7_u8; length]) {
        let operation = Operation {
            blobs: vec![bytes.clone(), bytes.clone()],
            changes: vec![change("b")],
            ..Operation::default()
        };
        one(&store, operation).await.unwrap();
        assert_eq!(store.blob(ContentHash::of(&bytes)).await.unwrap(), Some(bytes));
    }
    assert_eq!(store.blob(ContentHash::of(b"other")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_expect_the_same_row_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(SqliteStore::open(directory.path()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..200 {
        let store = store.clone();
        tasks.spawn(async move {
            let operation = Operation {
                expect: vec![Expect::Absent(format!("k/{}", writer % 50))],
                ..put(&format!("k/{}", writer % 50), "")
            };
            one(&store, operation).await.is_ok()
        });
    }
    let wins = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(wins, 50);
    let revs: Vec<Rev> =
        store.changes(0, 1_000).await.unwrap().iter().map(|logged| logged.rev).collect();
    assert_eq!(revs, (1..=50).collect::<Vec<_>>());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Any sequence of operations leaves what a map would hold, also after a restart.
    #[test]
    fn the_store_agrees_with_a_map(steps in proptest::collection::vec((0_u8..4, 0_u8..6, 0_u8..6), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut map: BTreeMap<String, (Vec<u8>, Rev)> = BTreeMap::new();
        let mut head = 0;
        {
            let store = SqliteStore::open(directory.path()).unwrap();
            for (action, at, of) in steps {
                let key = format!("k/{at}");
                let mut operation = put(&key, &of.to_string());
                match action {
                    0 => {}
                    1 => operation.expect.push(Expect::Absent(key.clone())),
                    2 => operation.expect.push(Expect::At(key.clone(), head.min(Rev::from(of)))),
                    _ => {
                        operation.puts.clear();
                        operation.deletes.push(key.clone());
                    }
                }
                let holds = operation.expect.iter().all(|expect| match expect {
                    Expect::Absent(key) => !map.contains_key(key),
                    Expect::At(key, rev) => map.get(key).is_some_and(|(_, found)| found == rev),
                    Expect::Value(..) | Expect::Counter { .. } => true,
                });
                let answer = runtime.block_on(one(&store, operation));
                proptest::prop_assert_eq!(answer.is_ok(), holds);
                if holds {
                    head += 1;
                    if action == 3 {
                        map.remove(&key);
                    } else {
                        map.insert(key, (of.to_string().into_bytes(), head));
                    }
                }
            }
        }
        let store = SqliteStore::open(directory.path()).unwrap();
        let rows = runtime.block_on(store.scan("k/", None, 100)).unwrap();
        let seen: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key, (row.value, row.rev))).collect();
        proptest::prop_assert_eq!(seen, map);
    }
}
