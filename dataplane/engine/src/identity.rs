//! Who calls, and what they may do: signatures are verified, and policies are asked. For callers of the admin API and of methods
//! with authorization `AWS_IAM` alike.

mod caller;
pub mod error;
pub mod policy;
mod request;
pub mod sigv4;

pub use caller::Caller;
pub(crate) use caller::{expects, identify, instead};
pub use error::AuthError;
pub use request::{Payload, RequestParts};
