//! The robot in conversations: real clients, the whole server, its real keys; only what it thinks is scripted.

mod answers;
mod keys;
mod leaving;
mod nobody;
mod overload;
mod restart;
mod servers;

use std::{
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
};

use kefu::{
    crypto::{
        announcement::{self, NewEpoch},
        botkey::{DayKey, DayKeyError, SignedDayKey},
        codec::{Key32, b64u},
        hash,
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{BotId, ClientFrame, ConvId, ErrorCode, Event, Kid, Owner, OwnerWhy, RecordView, SiteId},
    robot::policy::{Action, Button, Decision, HandOverWhy, Why},
    robot::{engine::DecisionEngine, policy::TurnInput},
};
use serde_json::Value;

use crate::support::{
    company::{Company, id, now_ms},
    http,
    peer::Peer,
    server::{Server, config},
};

/// An engine that does what the text of a message says.
#[derive(Default)]
pub struct Script {
    heard: Mutex<Vec<String>>,
    /// With each: whether the conversation was Chinese.
    zh: Mutex<Vec<Option<bool>>>,
    /// How many decisions it may still make; none: as many as it likes.
    permits: Mutex<Option<usize>>,
    go_on: Condvar,
}

impl Script {
    fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// From now on it thinks forever.
    fn hold(&self) {
        *self.permits.lock().unwrap() = Some(0);
    }

    /// Allows one more decision.
    fn let_one(&self) {
        *self.permits.lock().unwrap() = Some(1);
        self.go_on.notify_all();
    }

    /// From now on it decides.
    fn release(&self) {
        *self.permits.lock().unwrap() = None;
        self.go_on.notify_all();
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until it was asked this many times.
    async fn asked(&self, times: usize) {
        crate::support::until(|| self.heard.lock().unwrap().len() >= times).await;
    }
}

impl DecisionEngine for Script {
    fn decide(&self, turn: &TurnInput<'_>) -> Decision {
        self.zh.lock().unwrap().push(turn.zh);
        self.heard.lock().unwrap().push(turn.text.to_string());
        let mut permits = self.permits.lock().unwrap();
        while *permits == Some(0) {
            permits = self.go_on.wait(permits).unwrap();
        }
        *permits = permits.map(|n| n - 1);
        drop(permits);
        let text = turn.text;
        let action = match text {
            "person" => Action::HandOver { why: HandOverWhy::Asked, text: Some("One moment.".into()) },
            "route" => Action::Route { team: "vip".into(), text: String::new() },
            "size" if turn.dialogue.asked == 0 => {
                let buttons = ["S", "L"].map(|l| Button { label: l.into(), send: format!("size {l}") }).to_vec();
                Action::Ask { text: "Which?".into(), buttons }
            }
            "silent" => Action::Silent,
            "break" => panic!("on purpose"),
            _ => Action::Answer { text: format!("re: {text}"), buttons: vec![] },
        };
        Decision {
            action,
            why: Why::Unanswered { intent: "test".into(), p: 0.5 },
            intent: Some("test".into()),
            p: 0.5,
            entry: None,
        }
    }
}

/// Puts the robot on sites, as the command line does.
async fn robot_on(company: &Company, sites: &[&str]) -> BotId {
    let prepared = admin(company, "POST", "/admin/robot/prepare").await;
    let (bot, ed): (BotId, Key32) =
        (id(prepared["id"].as_str().unwrap()), prepared["ed"].as_str().unwrap().parse().unwrap());
    let sites: Vec<SiteId> = sites.iter().map(|s| id(s)).collect();
    company.act(|s| s.robot_on(&bot, ed, None, &sites)).await;
    bot
}

async fn robot_off(company: &Company, sites: &[&str]) {
    let sites: Vec<SiteId> = sites.iter().map(|s| id(s)).collect();
    company.act(|s| s.robot_off(&sites)).await;
}

async fn admin(company: &Company, method: &str, path: &str) -> Value {
    company.admin(method, path).await
}

/// A server whose site `s1` has a robot with this engine.
async fn server_with(engine: &Arc<Script>) -> Server {
    let server = Server::start_with(&Company::found().await, config(), Some(engine.clone())).await;
    robot_on(&server.company, &["s1"]).await;
    server
}

/// The day key that a site serves, verified as a widget does.
async fn day_key(server: &Server, site: &str) -> Option<DayKey> {
    let answer = http::get(server.addr, &format!("/api/v1/site/{site}"), "").await.unwrap().json();
    let signed: SignedDayKey = serde_json::from_value(answer.get("bot")?.clone()).unwrap();
    let key = match signed.verify(&server.company.directory(), &id(site), now_ms()) {
        // of several servers one may not have heard yet that the robot is gone; a widget knows it from the directory
        Err(DayKeyError::NoBot) => return None,
        verified => verified.unwrap(),
    };
    server.company.learn_day(key.box_kid(), key.x.0);
    Some(key)
}

/// What opens a conversation with this robot in it (or none).
fn opening(peer: &Peer, bot: Option<[u8; 32]>) -> (ConvId, impl Fn(u64) -> ClientFrame + use<>) {
    let (directory, site) = (peer.company.directory(), peer.me.site.clone().unwrap());
    let (nonce, x) = (random(), peer.me.x.as_ref().unwrap().public());
    let conv = hash::conv_id(&nonce, &directory.fp(), &site, &peer.me.key.public(), &x);
    let new = NewEpoch {
        conv,
        epoch: 0,
        prev: [0; 32],
        dir_seq: directory.seq(),
        dir_head: directory.head(),
        team: directory.team(&directory.site(&site).unwrap().team).unwrap().pk.0,
        visitor: x,
        bot,
    };
    let ann = b64u(&announcement::create(&new, &peer.me.key).unwrap().0);
    let (nonce, x) = (b64u(&nonce), b64u(&x));
    let frame = move |req| ClientFrame::Open {
        req,
        id: conv,
        nonce: nonce.clone(),
        site: site.clone(),
        x: x.clone(),
        ann: ann.clone(),
        form: None,
    };
    (conv, frame)
}

/// A visitor in a conversation with the robot.
async fn with_robot(server: &Server) -> (Peer, ConvId) {
    let mut visitor = Peer::visitor(server).await;
    let conv = open_with_robot(server, &mut visitor).await;
    (visitor, conv)
}

async fn open_with_robot(server: &Server, visitor: &mut Peer) -> ConvId {
    let day = day_key(server, "s1").await.expect("a day key");
    let (conv, frame) = opening(visitor, Some(day.x.0));
    visitor.ask(frame).await.expect("an open conversation");
    visitor.record(conv, 3).await;
    conv
}

/// The next announcement of a visitor, with this robot or without.
fn next_epoch(peer: &mut Peer, conv: ConvId, bot: Option<[u8; 32]>) -> Vec<u8> {
    let (company, key) = (peer.company.clone(), peer.me.key.clone());
    let directory = company.directory();
    let view = peer.view(conv);
    let new = NewEpoch {
        conv,
        epoch: view.epoch + 1,
        prev: view.ann,
        dir_seq: directory.seq(),
        dir_head: directory.head(),
        team: directory.team(&id("svc")).unwrap().pk.0,
        visitor: view.visitor.1,
        bot,
    };
    announcement::create(&new, &key).unwrap().0
}

/// The robot's name as a sender.
fn robot_kid(company: &Company) -> Kid {
    let directory = company.directory();
    let (_, bot) = directory.state().bots.iter().next_back().unwrap();
    hash::kid(&bot.ed.0)
}

/// Messages of the robot, in order.
fn robot_said(peer: &mut Peer, conv: ConvId) -> Vec<Value> {
    let kid = robot_kid(&peer.company.clone());
    peer.view(conv).said.iter().filter(|s| s.kid == kid).map(|s| s.body.clone()).collect()
}

/// Waits for this many messages of the robot.
async fn hear_robot(peer: &mut Peer, conv: ConvId, count: usize) -> Vec<Value> {
    let kid = robot_kid(&peer.company.clone());
    peer.until(conv, |v| v.said.iter().filter(|s| s.kid == kid).count() >= count).await;
    robot_said(peer, conv)
}

/// Changes of owner, in order.
fn owners(peer: &mut Peer, conv: ConvId) -> Vec<(Owner, OwnerWhy)> {
    let events = peer.view(conv).records.iter().filter_map(|r| RecordView::parse(r).unwrap().event());
    let owner = |e| if let Event::Owner { owner, why, .. } = e { Some((owner, why)) } else { None };
    events.filter_map(owner).collect()
}

fn key_file(company: &Company, name: &str) -> PathBuf {
    company.path().join("robot").join(name)
}

/// Everything the robot's files hold now that could open a box.
fn secrets(company: &Company) -> Vec<KemSecret> {
    let Ok(text) = std::fs::read_to_string(key_file(company, "day.keys")) else { return Vec::new() };
    let file: Value = serde_json::from_str(&text).unwrap();
    let key = |k: &Value| {
        let sk = kefu::crypto::codec::from_b64u_exact(k["sk"].as_str().unwrap()).unwrap();
        KemSecret::from_bytes(&sk)
    };
    file["keys"].as_array().unwrap().iter().map(key).collect()
}

/// The robot's signing key.
fn signing_key(company: &Company) -> SigningKey {
    let file: Value = serde_json::from_slice(&std::fs::read(key_file(company, "sign.key")).unwrap()).unwrap();
    SigningKey::from_seed(&kefu::crypto::codec::from_b64u_exact(file["seed"].as_str().unwrap()).unwrap())
}
