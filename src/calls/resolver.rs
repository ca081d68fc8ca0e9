use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

/// The addresses of a name, some time later.
pub(super) type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses that a name stands for.
pub(super) trait Resolver: Send + Sync + 'static {
    /// Asks for the addresses of a name.
    fn resolve(&self, host: String) -> Resolving;
}

/// Asks the machine: its hosts file, its DNS.
#[derive(Debug)]
pub(super) struct MachineResolver;

impl Resolver for MachineResolver {
    fn resolve(&self, host: String) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address: SocketAddr| address.ip()).collect())
        })
    }
}
