//! What must hold within the database after a kill, read beside the running control plane.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message as _;
use rusqlite::{Connection, OpenFlags};
use tidegate_control::model::{ContentHash, DeploymentRecord};
use tidegate_proto::v1;

/// Checks that the log has no gaps, that no row is an orphan or newer than the log, and that the blobs of all deployments are
/// what their names say. Gives the newest revision.
pub fn check(directory: &Path) -> u64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(directory.join("tidegate.db"), flags).unwrap();
    // One moment for all that follows.
    let database = connection.transaction().unwrap();
    let sound: String = database.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let head = "SELECT value FROM meta WHERE name = 'rev'";
    let head: u64 = database.query_row(head, [], |row| row.get(0)).unwrap();
    let log = "SELECT count(*), coalesce(min(rev), 1), coalesce(max(rev), 0) FROM change";
    let log: (u64, u64, u64) =
        database.query_row(log, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(log, (head, 1, head), "the log has no gaps and ends at the newest revision");

    let mut statement = database.prepare("SELECT key, value, rev FROM row").unwrap();
    let rows: BTreeMap<String, (Vec<u8>, u64)> = statement
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let ids = |prefix: &str| -> BTreeSet<String> {
        let rest = rows.keys().filter_map(|key| key.strip_prefix(prefix));
        rest.map(|rest| rest.split('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("version/"), ids("api/"), "every API has a version");
    assert!(ids("part/").is_subset(&ids("api/")), "every part has an API");
    for (key, (value, rev)) in &rows {
        assert!(*rev <= head, "{key} is of revision {rev}, after {head}");
        if key.split('/').nth(2) == Some("deployment") {
            let record: DeploymentRecord = serde_json::from_slice(value).unwrap();
            assert!(!blob(&database, record.snapshot).is_empty());
            let bundle = v1::Bundle::decode(&*blob(&database, record.bundle)).unwrap();
            assert!(!bundle.resources.is_empty(), "{key} has a bundle of something");
        }
    }
    head
}

fn blob(connection: &Connection, hash: ContentHash) -> Vec<u8> {
    let query = "SELECT data FROM blob WHERE hash = ?1 ORDER BY chunk";
    let mut statement = connection.prepare_cached(query).unwrap();
    let chunks = statement.query_map([&hash.0[..]], |row| row.get(0)).unwrap();
    let bytes = chunks.map(Result::unwrap).collect::<Vec<Vec<u8>>>().concat();
    assert_eq!(ContentHash::of(&bytes), hash, "a blob is what its name says");
    bytes
}
