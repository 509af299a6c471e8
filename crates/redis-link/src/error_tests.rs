//! Which error is which, and whether its command may have run.

use redis::{Value, parse_redis_value};

use super::*;

fn answered(line: &str) -> Error {
    let Value::ServerError(error) = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() else {
        panic!("{line}")
    };
    Error::from_server(&Address::new("db", 6379), &error)
}

#[test]
fn errors_that_ask_for_the_topology() {
    for (line, expected) in [
        ("MOVED 12182 127.0.0.1:7001", Reason::Moved),
        ("ASK 12182 127.0.0.1:7001", Reason::Ask),
        ("TRYAGAIN Multiple keys request during rehashing of slot", Reason::TryAgain),
        ("CLUSTERDOWN The cluster is down", Reason::ClusterDown),
        ("READONLY You can't write against a read only replica.", Reason::ReadOnly),
        ("READONLY You can't write against a read only replica. script: e0, on @user_script:1.", Reason::ReadOnly),
        ("LOADING Redis is loading the dataset in memory", Reason::Loading),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Reason::MasterDown),
    ] {
        let error = answered(line);
        assert!(matches!(error, Error::Moved { reason, .. } if reason == expected), "{error:?}");
        assert!(error.is_topology() && !error.may_have_run(), "{line}");
    }
    let unblocked =
        answered("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
    assert!(unblocked.is_topology() && unblocked.may_have_run());
}

#[test]
fn errors_of_rights() {
    for line in ["NOAUTH Authentication required.", "WRONGPASS invalid username-password pair", "NOPERM no", "DENIED x"]
    {
        let error = answered(line);
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(!error.may_have_run() && !error.is_topology(), "{line}");
    }
}

#[test]
fn errors_of_scripts_may_have_run_in_part() {
    let stopped = answered("ERR Wrong number of args calling Redis command from script script: e0, on @user_script:3.");
    assert!(stopped.may_have_run() && !stopped.is_topology());
    assert!(answered("NOPERM User may not. script: e0, on @user_script:3.").may_have_run());
    for line in
        ["NOSCRIPT No matching script.", "OOM command not allowed", "NOREPLICAS Not enough", "MISCONF Errors", "ERR no"]
    {
        assert!(!answered(line).may_have_run(), "{line}");
    }
}

#[test]
fn what_was_never_sent_did_not_run() {
    let address = Address::new("db", 1);
    let gone = |sent| Error::Gone { address: address.clone(), why: "x".into(), sent };
    assert!(gone(true).may_have_run() && !gone(false).may_have_run());
    assert!(Error::Timeout { address: address.clone(), after: Duration::from_secs(1) }.may_have_run());
    assert!(!Error::Unreachable { address, why: "x".into() }.may_have_run());
}

#[test]
fn the_words_say_where_and_why() {
    assert_eq!(
        answered("MOVED 1 b:2").to_string(),
        "db:6379 is not the server to ask now, another shard has the slot: MOVED 1 b:2"
    );
    assert_eq!(answered("WRONGTYPE no list").to_string(), "db:6379 answered WRONGTYPE: no list");
}
