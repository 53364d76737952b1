//! The edge node: io_uring workers that carry out the engine's decisions. In the order a request and a change meet them:
//!
//! | module | does |
//! |---|---|
//! | [`config`], [`node`] | start-up settings; listeners, workers, drain |
//! | [`worker`] | one pinned thread: accepts, lends buffers, counts |
//! | [`http`] | codecs, and the connections that use them |
//! | [`drive`] | carries out the engine's decisions for one exchange |
//! | [`upstream`] | whom the node may call, and the connections to them |
//! | [`aside`] | what takes long, on threads of its own |
//! | [`telemetry`] | metrics, access log, helpful lines |
//! | [`rt`] | the runtime: rings, sockets, deadlines |
//! | [`agent`] | the thread that talks to the control plane: objects, disk, names, health |
//! | [`builder`] | the thread that turns objects into worlds |
//! | [`publication`] | how a world gets from there to the workers |

pub mod agent;
pub mod aside;
pub mod builder;
pub mod config;
pub mod drive;
pub mod http;
pub mod node;
pub mod publication;
#[allow(unsafe_code, reason = "sockets and rings: the only place that talks to the kernel by hand")]
pub mod rt;
pub mod telemetry;
pub mod upstream;
pub mod worker;
