//! What several tests need: a company, its server, clients, a bad network.

pub mod child;
pub mod company;
pub mod dice;
pub mod document;
pub mod history;
pub mod http;
pub mod lan;
pub mod page;
pub mod peer;
pub mod proxy;
pub mod server;
pub mod view;
pub mod wire;

/// Waits until a condition holds, without fixed intervals; fails after half a minute.
pub async fn until(so: impl Fn() -> bool) {
    let turns = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), turns).await.expect("waited in vain");
}
