//! Stores on real servers of Redis.

use std::sync::Arc;

use kefu_redis_link::{Link, testing::RedisServer};
use kefu_store::{
    Feed, StoreError,
    redis::{Options, RedisStore},
};

/// Options that make a company where there is none.
pub fn options() -> Options {
    Options { create: true, ..Options::default() }
}

/// Opens a store on a server.
pub async fn open(server: &RedisServer) -> Result<(Arc<RedisStore>, Feed), StoreError> {
    open_with(server, options()).await
}

/// Opens a store on a server.
pub async fn open_with(server: &RedisServer, options: Options) -> Result<(Arc<RedisStore>, Feed), StoreError> {
    let link = Link::connect(&server.url(), server.options()).await.unwrap();
    RedisStore::open(link, options).await
}
