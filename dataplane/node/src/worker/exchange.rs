//! The buffers of one exchange. A worker lends them to a connection that has something to read, and gets them back.

use tidegate_engine::head::Head;

/// Buffers for a request and its answer.
pub struct Exchange {
    /// The request's head, and what arrived behind it.
    pub request: Head,
    /// The upstream's head, and what arrived behind it.
    pub reply: Head,
    /// What the engine writes.
    pub scratch: Vec<u8>,
    /// What is sent to the caller.
    pub out: Vec<u8>,
    /// What is sent to the upstream.
    pub forward: Vec<u8>,
    /// A stretch of a streamed body; allocated with the first one.
    pub stretch: Vec<u8>,
}

/// What a head buffer starts with: nearly every head fits, and a read brings in a good piece of a body.
const HEAD_BYTES: usize = 4 * 1024;

/// A stretch of a streamed body.
pub const STRETCH_BYTES: usize = 64 * 1024;

impl Default for Exchange {
    fn default() -> Self {
        Self {
            request: Head::with_capacity(HEAD_BYTES),
            reply: Head::with_capacity(HEAD_BYTES),
            scratch: Vec::with_capacity(1024),
            out: Vec::with_capacity(1024),
            forward: Vec::with_capacity(1024),
            stretch: Vec::new(),
        }
    }
}

impl Exchange {
    /// Empties the buffers. False when they have grown so much that they are better freed.
    /// A stretch is kept: whoever streamed once streams again.
    pub fn reset(&mut self) -> bool {
        self.request.buf.clear();
        self.request.reset();
        self.reply.buf.clear();
        self.reply.reset();
        self.scratch.clear();
        self.out.clear();
        self.forward.clear();
        self.stretch.clear();
        let held =
            self.request.buf.capacity() + self.reply.buf.capacity() + self.scratch.capacity();
        held + self.out.capacity() + self.forward.capacity() <= 128 * 1024
    }
}
