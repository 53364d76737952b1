//! Incremental HTTP/1.1 framing shared by the generator and the origin: bytes in, values out, no allocation.

pub mod body;
pub mod head;
pub mod request;
pub mod response;

pub use body::{Body, Step};
pub use head::HttpError;
pub use request::Request;
pub use response::{Outcome, ResponseReader};
