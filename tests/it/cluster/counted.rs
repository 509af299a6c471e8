//! `kefu stats` counts what all servers of a company do, wherever it is asked.

use std::{path::Path, process::Command, time::Instant};

use kefu::data_dir::CONFIG;
use kefu_redis_link::testing::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Servers, deaths::Two};
use crate::support::peer::Peer;

/// What `kefu stats` prints, and whether it was content.
async fn stats(data: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.arg("stats").args(args).arg("--data-dir").arg(data);
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    // sentences may go over several lines
    (out.status.success(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

async fn numbers(data: &Path, args: &[&str]) -> Value {
    let (good, text) = stats(data, &[args, &["--json"]].concat()).await;
    assert!(good, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_says_what_all_of_them_do() {
    let servers = Servers::start().await;
    let (first, second) = (servers.one.company.path().to_owned(), servers.second.path().to_owned());
    let mut li = Peer::agent(&servers.two, "li").await;
    let mut visitor = Peer::visitor(&servers.one).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    for n in 0..5 {
        let seq = visitor.say(conv, &format!("question {n}")).await;
        li.record(conv, seq).await;
        let seq = li.say(conv, &format!("answer {n}")).await;
        visitor.record(conv, seq).await;
    }
    let seen = [numbers(&first, &[]).await, numbers(&second, &[]).await];
    for stats in &seen {
        let metrics = &stats["metrics"];
        let sockets = &metrics["connections"];
        assert_eq!(
            (&sockets["visitors"], &sockets["agents"], &stats["connections"]),
            (&1.into(), &1.into(), &2.into())
        );
        assert_eq!(metrics["conversations_opened"], 1);
        let commits = &metrics["commit_latency"]["total"];
        assert_eq!(commits["count"], metrics["messages"]["commits"]);
        assert!(commits["p50"].as_u64() > Some(0), "{commits}");
        let answered: Vec<_> =
            stats["servers"]["servers"].as_array().unwrap().iter().map(|server| &server["answered"]).collect();
        assert_eq!(answered, [true, true]);
    }
    assert_eq!(seen[0]["metrics"]["messages"]["envelopes_in"], seen[1]["metrics"]["messages"]["envelopes_in"]);

    // one of them, by name and by address, asked at the other
    let names: Vec<String> = [&seen[0], &seen[1]].map(|s| s["servers"]["this"].as_str().unwrap().to_owned()).into();
    let (one, address) = (numbers(&second, &["--node", &names[0]]).await, servers.two.addr.to_string());
    let two = numbers(&first, &["--node", &address]).await;
    for (stats, name, visitors) in [(&one, &names[0], 1), (&two, &names[1], 0)] {
        assert_eq!((&stats["server"], stats["servers"].is_null()), (&name.as_str().into(), true));
        let sockets = &stats["metrics"]["connections"];
        assert_eq!((&sockets["visitors"], &sockets["agents"]), (&visitors.into(), &(1 - visitors).into()));
    }
    let of = |stats: &Value| stats["metrics"]["messages"]["envelopes_in"].as_u64().unwrap();
    assert_eq!(of(&one) + of(&two), of(&seen[0]));
    let (good, said) = stats(&first, &["--node", "nobody"]).await;
    assert!(!good && said.contains("no server is called nobody: kefu node list shows them"), "{said}");
    let (good, said) = stats(&first, &[]).await;
    assert!(good && said.contains("1 visitors, 1 agents") && said.contains("1 open, 1 with agents"), "{said}");
    let answered = said.split(" answered").next().unwrap();
    assert!(answered.contains(&address) && answered.contains(&servers.one.addr.to_string()), "{said}");
    assert!(!said.contains("commit nothing yet"), "{said}");

    // where none runs, nobody knows
    let storage = format!("[storage]\nurl = \"{}\"\n", servers.redis.url());
    std::fs::write(second.join(CONFIG), storage).unwrap();
    servers.two.stopped().await;
    let (good, said) = stats(&second, &[]).await;
    assert!(good && said.contains("what other servers count is known only where one runs"), "{said}");
    let (good, said) = stats(&second, &["--node", &names[0]]).await;
    assert!(!good && said.contains("run this where one runs"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_named_and_not_waited_for() {
    let two = Two::start().await;
    let frozen = Pid::from_raw(two.servers[0].pid().cast_signed()).unwrap();
    let addr = two.servers[0].addr;
    until("two servers that know each other", async || {
        let seen = numbers(two.second.path(), &[]).await;
        (seen["servers"]["servers"].as_array()?.len() == 2).then_some(())
    })
    .await;
    kill_process(frozen, Signal::STOP).unwrap();
    let asked = Instant::now();
    let (good, said) = stats(two.second.path(), &[]).await;
    println!("answered after {:?}", asked.elapsed());
    let (refused, alone) = stats(two.second.path(), &["--node", &addr.to_string()]).await;
    kill_process(frozen, Signal::CONT).unwrap();
    assert!(good && said.contains(&format!("answered; {addr} did not, and is not in the numbers")), "{said}");
    assert!(said.contains("the server that has the desk does not answer"), "{said}");
    assert!(!refused && alone.contains("does not answer"), "{alone}");
}
