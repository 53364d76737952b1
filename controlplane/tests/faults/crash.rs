//! The control plane is killed at random moments while clients change things.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::json;

use crate::client::Client;
use crate::http::Connection;
use crate::model::{self, SHARED, World, dump, part_of};
use crate::process::{ANY, Process, control, converge, node};
use crate::store;

/// What all rounds come to.
#[derive(Default)]
struct Tally {
    kills: u64,
    node_kills: u64,
    acknowledged: u64,
    refused: u64,
    /// Not answered, and yet there.
    done: u64,
    undone: u64,
    routes: u64,
    largest: usize,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    let rounds = if crate::is_long() { 200 } else { 12 };
    let given = std::env::var("TIDEGATE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(rand::random::<u64>);
    println!("TIDEGATE_SEED={seed}");
    let began = Instant::now();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    let mut left = rounds;
    while left > 0 {
        let some = left.min(ROUNDS_OF_A_STORE);
        rounds_on_one_store(&mut rng, some, &mut tally);
        left -= some;
    }
    println!(
        "{} kills of the control plane and {} of nodes in {} s: {} changes acknowledged, 0 lost; {} refused; of those not \
         answered {} done and {} not, 0 half; {} routes asked of nodes; at most {} things in a store",
        tally.kills,
        tally.node_kills,
        began.elapsed().as_secs(),
        tally.acknowledged,
        tally.refused,
        tally.done,
        tally.undone,
        tally.routes,
        tally.largest,
    );
    assert!(tally.acknowledged > rounds * 5, "hardly anything was changed");
}

fn rounds_on_one_store(rng: &mut StdRng, rounds: u64, tally: &mut Tally) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (data, disk) = (directory.path().join("control"), directory.path().join("node"));
    let mut running = control(&data, ANY);
    let grpc = running.address("grpc");
    let seed = rng.random();
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(number, seed)).collect();
    let shared = share(&running);
    for client in &mut clients {
        client.world = part_of(&shared, 0);
    }
    let (mut edge, mut head) = (None::<Process>, 0);
    for round in 1..=rounds {
        let killed_too = edge.is_some() && rng.random_bool(0.5);
        let moment = Duration::from_micros(rng.random_range(1_000..250_000));
        change_and_kill(running, &mut clients, moment);
        tally.kills += 1;
        if killed_too && let Some(edge) = edge.take() {
            edge.end(Signal::KILL);
            tally.node_kills += 1;
        }

        running = control(&data, grpc);
        let found = dump(&mut Connection::open(running.address("admin")).unwrap());
        check_owners(&found);
        tally.largest = tally.largest.max(model::size(&found));
        for (number, client) in clients.iter_mut().enumerate() {
            let open = client.open.clone();
            match client.settle(&part_of(&found, number)) {
                Ok(true) => tally.done += 1,
                Ok(false) => tally.undone += u64::from(open.is_some()),
                Err(differences) => {
                    panic!(
                        "after {moment:?} of round {round}, client {number}, {open:?}:\n{differences}"
                    )
                }
            }
        }
        let now = store::check(&data);
        assert!(now >= head, "revisions went back from {head} to {now}");
        head = now;

        // A node that lost its control plane waits up to a second: not every round has the time.
        if round % 4 == 0 || round == rounds {
            let held = edge.take().unwrap_or_else(|| node(&disk, grpc));
            tally.routes += check_routes(&held, &running, &clients);
            edge = Some(held);
        }
    }
    let empty = directory.path().join("new");
    tally.routes += check_routes(&node(&empty, grpc), &running, &clients);
    for client in &clients {
        tally.acknowledged += client.acknowledged;
        tally.refused += client.refused;
    }
    running.end(Signal::TERM);
    store::check(&data);
}

/// Makes the API that all clients change.
fn share(control: &Process) -> World {
    let mut connection = Connection::open(control.address("admin")).unwrap();
    let answer = connection.admin("POST", "/restapis", &json!({ "name": SHARED })).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
    dump(&mut connection)
}

fn change_and_kill(control: Process, clients: &mut [Client], moment: Duration) {
    let admin: SocketAddr = control.address("admin");
    let killed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in clients {
            let killed = &killed;
            scope.spawn(move || client.work(admin, killed));
        }
        // The moment is what is random: nothing is waited for.
        std::thread::sleep(moment);
        killed.store(true, Ordering::SeqCst);
        control.end(Signal::KILL);
    });
}

/// Everything belongs to the part of some client.
fn check_owners(found: &World) {
    let parts: usize = (0..CLIENTS).map(|number| model::size(&part_of(found, number))).sum();
    // All have the shared API itself.
    assert_eq!(parts, model::size(found) + CLIENTS - 1, "something is nobody's");
}

/// Asks a node that has caught up for every route of every stage.
fn check_routes(node: &Process, control: &Process, clients: &[Client]) -> u64 {
    converge(node, control);
    let mut connection = Connection::open(node.address("http")).unwrap();
    let mut count = 0;
    for api in clients.iter().flat_map(|client| client.world.values()) {
        let host = format!("{}.execute-api.localhost", api.id);
        for (name, stage) in &api.stages {
            for (path, number) in &api.deployments[&stage.deployment].routes {
                let answer = connection.get(&host, &format!("/{name}{path}")).unwrap();
                let want = json!({ "n": number });
                assert_eq!((answer.status, answer.json()), (200, want), "{host}/{name}{path}");
                count += 1;
            }
        }
    }
    count
}

const CLIENTS: usize = 4;

/// A store stays small, and so a restart and a look at everything stay quick.
const ROUNDS_OF_A_STORE: u64 = 20;
