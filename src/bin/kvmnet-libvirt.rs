//! `kvmnet-libvirt`: the same program as `kvmnet`, linked to libvirt. Not meant to be typed.

use std::process::ExitCode;

use kvmnet::sys::libvirt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let code = match kvmnet::cmd::parse() {
        Ok(cli) => kvmnet::cmd::run(cli, libvirt::connect),
        Err(code) => code,
    };
    code.into()
}
