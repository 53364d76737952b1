//! Compiles the contract with a protobuf compiler written in Rust, so that no system protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "tidegate/v1/object.proto",
        "tidegate/v1/sync.proto",
        "tidegate/v1/rest.proto",
        "tidegate/v1/access.proto",
        "tidegate/v1/documents.proto",
        "tidegate/v1/domains.proto",
        "tidegate/v1/invoke.proto",
        "tidegate/v1/parts.proto",
        "tidegate/v1/usage.proto",
        "tidegate/v1/management.proto",
    ];
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["."])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure()
        .bytes(".tidegate.v1.Chunk.data")
        // Maps in key order: equal messages are equal bytes, and lists for people come sorted.
        .btree_map(".tidegate.v1")
        .build_client(std::env::var_os("CARGO_FEATURE_GRPC").is_some())
        .build_server(std::env::var_os("CARGO_FEATURE_GRPC").is_some())
        .compile_fds(descriptors)?;
    Ok(())
}
