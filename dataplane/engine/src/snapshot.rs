//! What workers read: APIs with their stages, built from the objects of the stream.
//!
//! A [`World`] is immutable. Objects are verified and built once, away from the workers: [`Link`] from a bundle and a stage's
//! variables, [`Api`] from its bindings, and a world from the world before with one shard replaced.

mod bundle;
mod digest;
mod link;
mod settings;
mod upstream;
mod vpc_link;
mod world;

pub use bundle::{BundleId, Problem, RefuseBundle, check};
pub use digest::{SHARDS, ShardDigest, shard_digest, shard_of_key};
pub use link::{Link, Linker};
pub use settings::check_settings;
pub use upstream::{Scheme, Upstream, UpstreamId, Upstreams};
pub use vpc_link::{BadTarget, MAX_TARGETS, Target, targets};
pub use world::{Api, Domain, Edit, Facts, Place, RefuseApi, Revision, Stage, World, shard_of};

pub(crate) use link::{Authorize, Integration, LinkedMethod, Unfit, Variables};
pub(crate) use settings::Settings;
