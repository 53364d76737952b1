//! API key files: any bytes are read or refused, in whole lines, and never fail the service.
#![no_main]

mod control;

use std::cell::RefCell;

use control::Control;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CONTROL: RefCell<Control> = RefCell::new(Control::start());
}

fuzz_target!(|data: &[u8]| {
    CONTROL.with_borrow_mut(|control| {
        if control.is_worn() {
            *control = Control::start();
        }
        let (status, answer) = control.call("POST", "/apikeys?mode=import&format=csv", data);
        let ids = answer["ids"].as_array().map_or(0, Vec::len);
        if status == 201 {
            let lines = data.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
            assert!(ids <= lines, "{ids} keys of {lines} lines");
        }
        // A file that is refused for its warnings leaves nothing behind.
        let (strict, _) = control.call("POST", "/apikeys?mode=import&format=csv&failonwarnings=true", data);
        let warned = answer["warnings"].as_array().is_some_and(|all| !all.is_empty());
        if status == 201 && !warned {
            assert_eq!(strict, 201, "{answer}");
        }
    });
});
