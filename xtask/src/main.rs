//! kvmnet's own chores.
fn main() {}
