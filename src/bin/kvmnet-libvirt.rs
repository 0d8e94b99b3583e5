//! `kvmnet-libvirt`: the same program as `kvmnet`, linked to libvirt. Not meant to be typed.

use std::process::ExitCode;

use clap::Parser;
use kvmnet::sys::libvirt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = kvmnet::cli::Cli::parse();
    ExitCode::from(kvmnet::cmd::run(cli, libvirt::connect))
}
