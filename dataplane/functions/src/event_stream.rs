//! Messages of `application/vnd.amazon.eventstream`, as `InvokeWithResponseStream` answers with them.
//!
//! A message is: total length, length of the headers, CRC-32 of these two; headers; payload; CRC-32 of all before it. Numbers are
//! big-endian. Source: Smithy, "Amazon Event Stream specification".

use bytes::{BufMut as _, Bytes, BytesMut};

/// Media type of a stream of messages.
pub const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// A part of the function's answer.
pub fn payload_chunk(payload: &[u8]) -> Bytes {
    event("PayloadChunk", "application/octet-stream", payload)
}

/// The end of the answer; JSON that says what went wrong, if something did.
pub fn invoke_complete(json: &[u8]) -> Bytes {
    event("InvokeComplete", "application/json", json)
}

fn event(kind: &str, media_type: &str, payload: &[u8]) -> Bytes {
    let headers =
        [(":event-type", kind), (":content-type", media_type), (":message-type", "event")];
    let header_bytes: usize =
        headers.iter().map(|(name, value)| 1 + name.len() + 3 + value.len()).sum();
    let total = PRELUDE + header_bytes + payload.len() + CRC;
    let mut message = BytesMut::with_capacity(total);
    message.put_u32(length(total));
    message.put_u32(length(header_bytes));
    message.put_u32(crc32fast::hash(&message));
    for (name, value) in headers {
        message.put_u8(name.len().try_into().unwrap_or(u8::MAX));
        message.put_slice(name.as_bytes());
        message.put_u8(STRING);
        message.put_u16(value.len().try_into().unwrap_or(u16::MAX));
        message.put_slice(value.as_bytes());
    }
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    message.freeze()
}

/// Payloads are pieces of what was read from a socket: far below 4 GiB.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Two lengths and their checksum.
const PRELUDE: usize = 12;

/// Bytes of a checksum.
const CRC: usize = 4;

/// Type of a header value that is a string.
const STRING: u8 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own examples of checksums: CRC-32 as in gzip.
    #[test]
    fn the_checksum_is_the_one_of_gzip() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_message_reads_back() {
        for payload in [&b""[..], b"{}", &[0; 70_000]] {
            let message = payload_chunk(payload);
            let number =
                |at: usize| u32::from_be_bytes(message[at..at + 4].try_into().unwrap()) as usize;
            let (total, headers) = (number(0), number(4));
            assert_eq!(total, message.len());
            assert_eq!(number(8) as u32, crc32fast::hash(&message[..8]));
            assert_eq!(number(total - 4) as u32, crc32fast::hash(&message[..total - 4]));
            assert_eq!(&message[12 + headers..total - 4], payload);
            let mut rest = &message[12..12 + headers];
            let mut found = Vec::new();
            while let [length, tail @ ..] = rest {
                let (name, tail) = tail.split_at(usize::from(*length));
                assert_eq!(tail[0], STRING);
                let size = usize::from(u16::from_be_bytes([tail[1], tail[2]]));
                found.push((
                    std::str::from_utf8(name).unwrap(),
                    std::str::from_utf8(&tail[3..3 + size]).unwrap(),
                ));
                rest = &tail[3 + size..];
            }
            assert_eq!(
                found,
                [
                    (":event-type", "PayloadChunk"),
                    (":content-type", "application/octet-stream"),
                    (":message-type", "event")
                ]
            );
        }
    }
}
