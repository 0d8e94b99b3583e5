//! `kvmnet`: works on files itself, and becomes `kvmnet-libvirt` when it needs a connection.

use std::process::ExitCode;

use kvmnet::sys::relay;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let code = match kvmnet::cmd::parse() {
        Ok(cli) => kvmnet::cmd::run(cli, |_| match relay::become_linked()? {}),
        Err(code) => code,
    };
    code.into()
}
