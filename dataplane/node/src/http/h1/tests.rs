//! The codec taken as a whole: many inputs, few rules. Each rule alone is tested beside its module.

mod insertion;
mod smuggling;
mod splits;
mod view;

use super::*;

#[test]
fn h2_prefaces() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for len in 0..preface.len() {
        assert_eq!(is_h2_preface(&preface[..len]), None, "{len}");
        let mut wrong = preface.to_vec();
        wrong[len] ^= 1;
        assert_eq!(is_h2_preface(&wrong), Some(false), "{len}");
        assert_eq!(is_h2_preface(&wrong[..=len]), Some(false), "{len}");
    }
    assert_eq!(is_h2_preface(preface), Some(true));
    assert_eq!(is_h2_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"), Some(true));
}
