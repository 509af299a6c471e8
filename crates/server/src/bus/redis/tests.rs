//! Two servers over a real Redis.

use std::time::Duration;

use kefu_redis_link::testing::RedisServer;
use tokio::task::JoinHandle;

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A server whose clients write down what they are told.
#[derive(Default)]
struct Clients {
    agents: Mutex<BTreeSet<UserId>>,
    day_keys: Mutex<BTreeSet<BoxKid>>,
    told: Mutex<Vec<(Topic, Audience, String)>>,
    heard: watch::Sender<Vec<Vec<u8>>>,
    name: &'static str,
}

impl Peer for Clients {
    fn told(&self, topic: &Topic, audience: Audience, frame: &Frame) {
        self.told.lock().push((topic.clone(), audience, String::from_utf8(frame.bytes().to_vec()).unwrap()));
    }

    fn heard(&self, signal: &[u8]) {
        self.heard.send_modify(|all| all.push(signal.to_vec()));
    }

    fn asked(&self, question: &[u8]) -> BoxFuture<'static, Vec<u8>> {
        let answer = [self.name.as_bytes(), b" was asked ", question].concat();
        async move { answer }.boxed()
    }

    fn figures(&self) -> BoxFuture<'static, Vec<u8>> {
        let name = self.name;
        async move { if name == "mute" { std::future::pending().await } else { name.into() } }.boxed()
    }

    fn sockets(&self) -> (BTreeSet<UserId>, u64) {
        (self.agents.lock().clone(), 1)
    }

    fn day_keys(&self) -> BTreeSet<BoxKid> {
        self.day_keys.lock().clone()
    }
}

struct Running {
    bus: Arc<RedisBus>,
    handle: Handle,
    clients: Arc<Clients>,
    task: JoinHandle<()>,
}

async fn start(redis: &RedisServer, key: &ClusterKey, name: &'static str, agent: &str) -> Running {
    let link = Link::connect(&redis.url(), redis.options()).await.unwrap();
    let own = Own { listen: name.into(), since: 1 };
    let bus = RedisBus::new(link, "kefu:", key, Clock::system(), own);
    let agents = Mutex::new([agent.parse().unwrap()].into());
    let clients = Arc::new(Clients { agents, name, ..Clients::default() });
    let task = tokio::spawn(bus.clone().run(clients.clone()));
    timeout(LONG, bus.connected().wait_for(|connected| *connected)).await.unwrap().unwrap();
    Running { handle: Handle(bus.clone()), bus, clients, task }
}

async fn leads(server: &Running) {
    timeout(LONG, server.handle.leads().wait_for(|leads| *leads)).await.unwrap().unwrap();
}

async fn knows(server: &Running, agents: &[&str]) {
    let wanted: BTreeSet<UserId> = agents.iter().map(|user| user.parse().unwrap()).collect();
    timeout(LONG, server.handle.agents().wait_for(|known| **known == wanted)).await.unwrap().unwrap();
}

#[tokio::test]
async fn servers_tell_each_other_and_the_desk_is_where_its_holder_lives() {
    let redis = RedisServer::start(&[]).await;
    let key = ClusterKey::generate();
    let one = start(&redis, &key, "one", "li").await;
    leads(&one).await;
    let two = start(&redis, &key, "two", "wu").await;
    let stranger = start(&redis, &ClusterKey::generate(), "stranger", "eve").await;
    knows(&one, &["wu"]).await;
    knows(&two, &["li"]).await;
    knows(&stranger, &[]).await;

    // frames in front of a signal, in order
    let topic = Topic::User("wu".parse().unwrap());
    for n in ["one", "two"] {
        one.handle.tell(&topic, Audience::AllButSocket(1), &Frame::text(n.into()));
    }
    stranger.handle.tell(&topic, Audience::Everyone, &Frame::text("forged".into()));
    stranger.handle.signal(b"forged".to_vec());
    one.handle.signal(b"now".to_vec());
    let mut heard = two.clients.heard.subscribe();
    assert_eq!(*timeout(LONG, heard.wait_for(|all| !all.is_empty())).await.unwrap().unwrap(), [b"now".to_vec()]);
    let told: Vec<_> = two.clients.told.lock().iter().map(|(_, audience, frame)| (*audience, frame.clone())).collect();
    assert_eq!(told, [(Audience::Everyone, "one".into()), (Audience::Everyone, "two".into())]);
    assert!(one.clients.heard.borrow().is_empty() && one.clients.told.lock().is_empty(), "not told to oneself");

    assert_eq!(two.handle.ask_desk(b"why?".to_vec()).await.unwrap(), b"one was asked why?");
    let mut members: Vec<_> = two.bus.members().iter().map(|m| (m.beat.listen.clone(), m.alive, m.leads)).collect();
    members.sort();
    assert_eq!(members, [("one".to_owned(), true, true), ("two".to_owned(), true, false)]);

    // a new day key is known at once, and goes with its server
    let mut keys = two.handle.day_keys();
    one.clients.day_keys.lock().insert([7; 16]);
    one.handle.day_keys_changed();
    timeout(LONG, keys.wait_for(|known| **known == [[7; 16]].into())).await.unwrap().unwrap();

    // its process ends without a word; the stranger, who has taken the same prefix, would be as good an heir
    stranger.task.abort();
    one.task.abort();
    leads(&two).await;
    knows(&two, &[]).await;
    assert!(two.bus.members().iter().any(|m| m.beat.listen == "one" && !m.alive), "still listed");
    assert!(keys.borrow_and_update().is_empty());
}

#[tokio::test]
async fn who_does_not_say_what_it_counted_is_not_waited_for_long() {
    let redis = RedisServer::start(&[]).await;
    let key = ClusterKey::generate();
    let one = start(&redis, &key, "one", "li").await;
    let two = start(&redis, &key, "two", "wu").await;
    let mute = start(&redis, &key, "mute", "chen").await;
    knows(&one, &["chen", "wu"]).await;
    let mut figures = one.bus.figures(|_| true, LONG / 30).await;
    figures.sort();
    let mut expected = vec![(two.bus.node().name(), Some(b"two".to_vec())), (mute.bus.node().name(), None)];
    expected.sort();
    assert_eq!(figures, expected);
    assert!(one.bus.questions.lock().is_empty(), "nothing is kept of a question");
    let name = two.bus.node().name();
    let figures = one.bus.figures(|member| member.node == name, LONG).await;
    assert_eq!(figures, [(name, Some(b"two".to_vec()))]);
}

#[tokio::test]
async fn a_server_that_is_drained_gives_the_desk_away() {
    let redis = RedisServer::start(&[]).await;
    let key = ClusterKey::generate();
    let one = start(&redis, &key, "one", "li").await;
    leads(&one).await;
    let two = start(&redis, &key, "two", "wu").await;
    one.bus.drain();
    leads(&two).await;
    assert!(!*one.handle.leads().borrow(), "never two");
}

#[tokio::test]
async fn who_cannot_reach_redis_runs_no_desk_and_comes_back_by_itself() {
    let mut redis = RedisServer::start(&[]).await;
    let one = start(&redis, &ClusterKey::generate(), "one", "li").await;
    leads(&one).await;
    redis.stop();
    timeout(LONG, one.handle.leads().wait_for(|leads| !*leads)).await.unwrap().unwrap();
    assert_eq!(one.handle.ask_desk(b"why?".to_vec()).await, None);
    redis.cont();
    leads(&one).await;
    redis.kill();
    timeout(LONG, one.bus.connected().wait_for(|connected| !*connected)).await.unwrap().unwrap();
    redis.restart().await;
    leads(&one).await;
}
