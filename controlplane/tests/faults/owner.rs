//! Somebody who changes APIs one step after another, where nothing is to go wrong.

use crate::http::Connection;
use crate::model::World;
use crate::operation::{Change, Operation};
use crate::process::Process;

/// A connection to the admin API, and what it made.
pub struct Owner {
    connection: Connection,
    world: World,
}

impl Owner {
    pub fn of(control: &Process) -> Self {
        let connection = Connection::open(control.address("admin")).unwrap();
        Self { connection, world: World::new() }
    }

    /// Goes on with a control plane that came back.
    pub fn reconnect(&mut self, control: &Process) {
        self.connection = Connection::open(control.address("admin")).unwrap();
    }

    pub fn change(&mut self, api: &str, change: Change) {
        let operation = Operation { api: api.to_owned(), change };
        let (method, target, body) = operation.request(&self.world);
        let answer = self.connection.admin(method, &target, &body).unwrap();
        assert!(answer.status < 300, "{operation:?}: {} {}", answer.status, answer.body);
        operation.apply(&mut self.world, &answer.json());
    }

    /// Makes an API whose `/n` answers with a number in stage `prod`.
    pub fn create(&mut self, api: &str, number: u64) {
        self.change(api, Change::Create);
        self.change(api, Change::Resource("/n".to_owned()));
        self.change(api, Change::Method("/n".to_owned()));
        self.change(api, Change::MethodResponse("/n".to_owned()));
        self.change(api, Change::Integration("/n".to_owned()));
        self.deploy(api, number);
    }

    /// Lets it answer with another number.
    pub fn deploy(&mut self, api: &str, number: u64) {
        self.change(api, Change::Answer("/n".to_owned(), number));
        self.change(api, Change::Deploy(number.to_string(), Some("prod".to_owned()), number));
    }

    pub fn id(&self, api: &str) -> &str {
        &self.world[api].id
    }

    pub fn host(&self, api: &str) -> String {
        format!("{}.execute-api.localhost", self.id(api))
    }
}

/// What an API's `/n` answers on a connection of its own; the status where that is not 200.
pub fn number(node: &Process, host: &str) -> Result<u64, u16> {
    let mut connection = Connection::open(node.address("http")).unwrap();
    number_on(&mut connection, host)
}

/// The same on a connection that stays.
pub fn number_on(connection: &mut Connection, host: &str) -> Result<u64, u16> {
    let answer = connection.get(host, "/prod/n").unwrap();
    match answer.status {
        200 => Ok(answer.json()["n"].as_u64().expect("a number")),
        status => Err(status),
    }
}
