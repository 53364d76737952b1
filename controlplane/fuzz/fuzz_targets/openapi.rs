//! Documents: any bytes are imported or told what is wrong, within bounds, and the same twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_control::model::ApiId;
use tidegate_control::openapi::{BasePath, ImportError, ImportOptions, MAX_MESSAGES, import};

fuzz_target!(|data: &[u8]| {
    let id = ApiId::parse("abcde12345").expect("it is an id");
    let mut options = ImportOptions::new(id, "us-east-1", "000000000000");
    for base_path in [BasePath::Ignore, BasePath::Prepend, BasePath::Split] {
        options.base_path = base_path;
        let read = import(data, &options);
        assert_eq!(format!("{read:?}"), format!("{:?}", import(data, &options)));
        match read {
            Ok(imported) => assert!(imported.warnings.len() <= MAX_MESSAGES + 1),
            Err(ImportError::Errors(told)) => assert!(told.len() <= MAX_MESSAGES + 1 && !told.is_empty()),
            Err(_) => return,
        }
    }
});
