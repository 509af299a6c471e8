//! One person on two devices that two servers of a company serve.

use super::Servers;
use crate::access::persons::{a_device_reads_what_an_agent_lets_it, a_hand_over_is_given_out_once};

#[tokio::test]
async fn a_device_reads_at_one_server_what_an_agent_let_it_at_the_other() {
    let servers = Servers::start().await;
    a_device_reads_what_an_agent_lets_it(&servers.one, &servers.two).await;
}

#[tokio::test]
async fn what_is_left_at_one_server_is_taken_once_at_the_other() {
    let servers = Servers::start().await;
    a_hand_over_is_given_out_once(&servers.one, &servers.two).await;
}
