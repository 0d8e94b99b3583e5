//! `kvmnet`: works on files itself, and becomes `kvmnet-libvirt` when it needs a connection.

use std::process::ExitCode;

use clap::Parser;
use kvmnet::sys::relay;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = kvmnet::cli::Cli::parse();
    ExitCode::from(kvmnet::cmd::run(cli, |_| match relay::become_linked()? {}))
}
