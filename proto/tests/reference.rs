//! The reference page of the gRPC contract, made from the comments of the `.proto` files, is up to date and complete.
//!
//! `TIDEGATE_GOLDEN=1 cargo test -p tidegate-proto --test reference` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, ServiceDescriptorProto, SourceCodeInfo,
};

/// Comments of a file by the path of what they are about, as `SourceCodeInfo` numbers it.
struct Comments(BTreeMap<Vec<i32>, String>);

impl Comments {
    fn of(info: Option<&SourceCodeInfo>) -> Self {
        let all = info.into_iter().flat_map(|info| &info.location);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(
            all.map(|at| (at.path.clone(), words(at.leading_comments()).replace('|', "\\|")))
                .collect(),
        )
    }

    fn at(&self, path: &[i32]) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }
}

/// Numbers of the members of descriptors, of which comment paths are made.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const SERVICES: i32 = 6;
const MEMBERS: i32 = 2;

fn contract() -> FileDescriptorSet {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory.join("tidegate/v1"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut compiler = protox::Compiler::new([&directory]).unwrap();
    compiler.include_source_info(true).open_files(files).unwrap();
    compiler.file_descriptor_set()
}

fn kind(field: &FieldDescriptorProto, maps: &BTreeMap<String, String>) -> String {
    let name = field.type_name().trim_start_matches('.');
    if let Some(map) = maps.get(name) {
        return map.clone();
    }
    let short = name.rsplit('.').next().unwrap_or_default();
    let base = match field.r#type() {
        Type::Message | Type::Enum => format!("[{short}](#{})", short.to_ascii_lowercase()),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_ascii_lowercase(),
    };
    match field.label() {
        Label::Repeated => format!("repeated {base}"),
        _ if field.proto3_optional() => format!("optional {base}"),
        _ => base,
    }
}

fn services(page: &mut String, service: &ServiceDescriptorProto, at: &[i32], comments: &Comments) {
    let name = service.name();
    writeln!(page, "## Service {name}\n\n| call | request | answer | |\n|---|---|---|---|")
        .unwrap();
    for (number, call) in (0..).zip(&service.method) {
        let path = [at, &[MEMBERS, number]].concat();
        let linked = |kind: &str, streams: bool| {
            let short = kind.rsplit('.').next().unwrap();
            let stream = if streams { "stream of " } else { "" };
            format!("{stream}[{short}](#{})", short.to_ascii_lowercase())
        };
        let (name, words) = (call.name(), comments.at(&path));
        let request = linked(call.input_type(), call.client_streaming());
        let answer = linked(call.output_type(), call.server_streaming());
        writeln!(page, "| `{name}` | {request} | {answer} | {words} |").unwrap();
    }
    page.push('\n');
}

fn message(page: &mut String, message: &DescriptorProto, at: &[i32], comments: &Comments) {
    let maps = message.nested_type.iter().filter(|nested| {
        nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
    });
    let maps = maps
        .map(|entry| {
            let name = format!("tidegate.v1.{}.{}", message.name(), entry.name());
            let none = BTreeMap::new();
            let (key, value) = (kind(&entry.field[0], &none), kind(&entry.field[1], &none));
            (name, format!("map of {key} to {value}"))
        })
        .collect();
    writeln!(page, "### {}\n", message.name()).unwrap();
    if !comments.at(at).is_empty() {
        writeln!(page, "{}\n", comments.at(at)).unwrap();
    }
    if message.field.is_empty() {
        return;
    }
    writeln!(page, "| no. | field | type | |\n|---|---|---|---|").unwrap();
    for (number, field) in (0..).zip(&message.field) {
        let words = comments.at(&[at, &[MEMBERS, number]].concat());
        let (no, name, kind) = (field.number(), field.name(), kind(field, &maps));
        writeln!(page, "| {no} | `{name}` | {kind} | {words} |").unwrap();
    }
    page.push('\n');
}

fn enumeration(page: &mut String, of: &EnumDescriptorProto, at: &[i32], comments: &Comments) {
    writeln!(page, "### {}\n", of.name()).unwrap();
    if !comments.at(at).is_empty() {
        writeln!(page, "{}\n", comments.at(at)).unwrap();
    }
    writeln!(page, "| no. | value | |\n|---|---|---|").unwrap();
    for (number, value) in (0..).zip(&of.value) {
        let words = comments.at(&[at, &[MEMBERS, number]].concat());
        writeln!(page, "| {} | `{}` | {words} |", value.number(), value.name()).unwrap();
    }
    page.push('\n');
}

fn page(files: &[FileDescriptorProto]) -> String {
    let mut page = String::from(HEAD);
    for file in files {
        let comments = Comments::of(file.source_code_info.as_ref());
        for (number, service) in (0..).zip(&file.service) {
            services(&mut page, service, &[SERVICES, number], &comments);
        }
    }
    for file in
        files.iter().filter(|file| !(file.message_type.is_empty() && file.enum_type.is_empty()))
    {
        let comments = Comments::of(file.source_code_info.as_ref());
        writeln!(page, "## {}\n", file.name()).unwrap();
        for (number, of) in (0..).zip(&file.message_type) {
            message(&mut page, of, &[MESSAGES, number], &comments);
        }
        for (number, of) in (0..).zip(&file.enum_type) {
            enumeration(&mut page, of, &[ENUMS, number], &comments);
        }
    }
    page
}

const HEAD: &str = "# The gRPC contract\n\n\
    Made from the comments in `proto/tidegate/v1/`; do not edit. `Management` is what operators and programs call, `Sync` is what \
    nodes call. A refused call ends with a gRPC status and, in its metadata, `tidegate-error`: the name AWS gives the error. Every \
    answer carries `tidegate-request-id`. Deadlines are gRPC's own: a call that is cut off may still have done its work.\n\n";

fn contract_files() -> Vec<FileDescriptorProto> {
    let all = contract().file.into_iter();
    all.filter(|file| file.package() == "tidegate.v1").collect()
}

#[test]
fn the_page_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/grpc.md");
    let wanted = page(&contract_files());
    if std::env::var_os("TIDEGATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/reference/grpc.md is out of date; TIDEGATE_GOLDEN=1 cargo test -p tidegate-proto writes it"
    );
}

/// Calls say what they do, and fields say their unit, range and meaning when absent, unless the name says all.
#[test]
fn nothing_is_left_without_a_word() {
    let mut silent = BTreeSet::new();
    for file in contract_files() {
        let comments = Comments::of(file.source_code_info.as_ref());
        for (number, service) in (0..).zip(&file.service) {
            for (call, method) in (0..).zip(&service.method) {
                if comments.at(&[SERVICES, number, MEMBERS, call]).is_empty() {
                    silent.insert(format!("{}.{}", service.name(), method.name()));
                }
            }
        }
        for (number, message) in (0..).zip(&file.message_type) {
            for (at, field) in (0..).zip(&message.field) {
                let says_all = field.name().ends_with("_id")
                    || matches!(field.r#type(), Type::Message)
                    || SELF_EXPLAINING.contains(&field.name());
                if !says_all && comments.at(&[MESSAGES, number, MEMBERS, at]).is_empty() {
                    silent.insert(format!("{}.{}", message.name(), field.name()));
                }
            }
        }
    }
    assert!(silent.is_empty(), "without a comment: {silent:#?}");
}

/// Names that mean the same everywhere.
const SELF_EXPLAINING: [&str; 8] =
    ["id", "name", "key", "value", "path", "stage_name", "http_method", "deployment_id"];
