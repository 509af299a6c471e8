//! A real client: proves its key, follows conversations, opens what it reads, resends what was not acknowledged.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use kefu::{
    client::Opening,
    crypto::{hpke::KemSecret, sign::SigningKey},
    proto::{
        AgentState, ClientFrame, ConvId, ErrorCode, Generation, HeaderView, Kid, MsgId, REVISION, RecordView,
        ServerFrame, Side, SiteId, StorageState, Summary, TeamId, UserId,
    },
};

use super::{
    company::{Company, id},
    http,
    server::Server,
    view::{Applied, View},
    wire::{Door, Gone, Got, Wire},
};

/// A refusal.
pub type Refused = (ErrorCode, String);

/// Identity of a peer.
#[derive(Clone)]
pub struct Me {
    /// Their key.
    pub key: SigningKey,
    /// A visitor's box key.
    pub x: Option<KemSecret>,
    /// Kind of socket.
    pub door: Door,
    /// A visitor's site.
    pub site: Option<SiteId>,
    /// An agent's id.
    pub user: Option<UserId>,
    /// Newest revision of the rules of readers that their client knows.
    pub rev: u32,
}

impl Me {
    /// A new visitor on a site.
    pub fn visitor(site: &str) -> Self {
        let (key, x) = (SigningKey::generate(), Some(KemSecret::generate()));
        Self { key, x, door: Door::site(site), site: Some(id(site)), user: None, rev: REVISION }
    }

    /// An agent of the company.
    pub fn agent(company: &Company, user: &str) -> Self {
        let key = company.keyring(user).signing;
        Self { key, x: None, door: Door::agent(), site: None, user: Some(id(user)), rev: REVISION }
    }

    /// The same with a client from before revision 2.
    pub fn old(self) -> Self {
        Self { rev: 1, ..self }
    }

    /// On which side of a conversation they are.
    pub fn side(&self) -> Side {
        if self.user.is_some() { Side::Agent } else { Side::Visitor }
    }

    /// Their key, hashed.
    pub fn kid(&self) -> Kid {
        self.key.kid()
    }
}

/// What a peer heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A control frame.
    Frame(ServerFrame),
    /// A record that is new in the view.
    Record(ConvId, u64),
    /// A record that was held already: the echo of a resend.
    Again(ConvId, u64),
}

/// One socket of a user.
pub struct Peer {
    /// Identity of this peer.
    pub me: Me,
    /// Whose server it is.
    pub company: Arc<Company>,
    /// Address of the server.
    pub addr: SocketAddr,
    /// The socket.
    pub wire: Wire,
    /// From the welcome.
    pub token: String,
    /// From the welcome.
    pub generation: Generation,
    /// From the welcome.
    pub greeted: Vec<Summary>,
    /// From the welcome.
    pub config: serde_json::Value,
    /// From the welcome.
    pub storage: StorageState,
    /// Conversations as this peer has them.
    pub views: BTreeMap<ConvId, View>,
    /// Control frames not yet consumed, in order.
    pub log: Vec<ServerFrame>,
    req: u64,
}

impl Peer {
    /// Connects and is greeted.
    pub async fn try_connect(company: &Arc<Company>, addr: SocketAddr, me: &Me) -> Result<Self, Gone> {
        let mut wire = Wire::open(addr, &me.door).await.map_err(|_| Gone(None))?;
        let mut hello = wire.answer(&me.key, me.side()).await?;
        if let ClientFrame::Hello { rev, .. } = &mut hello {
            *rev = (me.rev > 1).then_some(me.rev);
        }
        wire.send(&hello).await?;
        match wire.next().await? {
            Got::Frame(ServerFrame::Welcome { token, convs, kid, user, generation, config, storage, .. }) => {
                assert_eq!((kid, &user), (me.kid(), &me.user));
                Ok(Self {
                    me: me.clone(),
                    company: company.clone(),
                    addr,
                    wire,
                    token,
                    generation,
                    greeted: convs,
                    config,
                    storage,
                    views: BTreeMap::new(),
                    log: Vec::new(),
                    req: 0,
                })
            }
            other => panic!("no welcome but {other:?}"),
        }
    }

    /// Connects or fails the test.
    pub async fn connect(server: &Server, me: &Me) -> Self {
        Self::try_connect(&server.company, server.addr, me).await.expect("a welcome")
    }

    /// A new visitor.
    pub async fn visitor(server: &Server) -> Self {
        Self::connect(server, &Me::visitor("s1")).await
    }

    /// An agent of this name who is online.
    pub async fn agent(server: &Server, user: &str) -> Self {
        let mut agent = Self::connect(server, &Me::agent(&server.company, user)).await;
        agent.status(AgentState::Online).await;
        agent
    }

    /// The agents of these names go online and disconnect: the state is kept.
    pub async fn all_online(company: &Arc<Company>, addr: SocketAddr, users: &[&str]) {
        for user in users {
            let agent = Self::try_connect(company, addr, &Me::agent(company, user)).await;
            agent.expect("a welcome").status(AgentState::Online).await;
        }
    }

    /// An agent sets whether they take new conversations.
    pub async fn status(&mut self, state: AgentState) {
        self.ask(|req| ClientFrame::Status { req, state }).await.expect("a state that is kept");
    }

    /// The view of a conversation.
    pub fn view(&mut self, conv: ConvId) -> &mut View {
        self.views.entry(conv).or_insert_with(|| View::new(conv))
    }

    /// Reads one thing and takes it in.
    pub async fn step(&mut self) -> Result<Heard, Gone> {
        let got = self.wire.next().await?;
        self.take(got).await
    }

    /// Takes in what the wire brought.
    pub async fn take(&mut self, got: Got) -> Result<Heard, Gone> {
        let frame = match got {
            Got::Frame(frame) => {
                self.log.push(frame.clone());
                return Ok(Heard::Frame(frame));
            }
            Got::Record(frame) => frame,
        };
        let record = RecordView::parse(&frame).expect("a record");
        let (conv, seq) = (record.conv(), record.seq);
        let (company, x, generation) = (self.company.clone(), self.me.x.clone(), self.generation);
        match self.view(conv).apply(frame, &company, x.as_ref()) {
            Applied::New => {
                self.view(conv).generation = Some(generation);
                Ok(Heard::Record(conv, seq))
            }
            Applied::Old => Ok(Heard::Again(conv, seq)),
            Applied::Gap => {
                self.resume(&[conv]).await?;
                Ok(Heard::Again(conv, seq))
            }
        }
    }

    /// Reads on until something is heard that `want` likes.
    pub async fn hear<T>(&mut self, mut want: impl FnMut(&Heard) -> Option<T>) -> Result<T, Gone> {
        loop {
            let heard = self.step().await?;
            if let Some(found) = want(&heard) {
                return Ok(found);
            }
        }
    }

    /// The first control frame `want` likes, among those heard already or the next ones; it leaves the log.
    pub async fn frame<T>(&mut self, mut want: impl FnMut(&ServerFrame) -> Option<T>) -> T {
        let mut seen = 0;
        loop {
            for i in seen..self.log.len() {
                if let Some(found) = want(&self.log[i]) {
                    self.log.remove(i);
                    return found;
                }
            }
            seen = self.log.len();
            self.step().await.unwrap_or_else(|gone| panic!("{gone:?} while waiting for a frame"));
        }
    }

    /// Reads on until a conversation's view holds `seq`.
    pub async fn record(&mut self, conv: ConvId, seq: u64) {
        while self.view(conv).have() < seq {
            self.step().await.expect("a record");
        }
    }

    /// Reads on until `done` holds for the view of a conversation.
    pub async fn until(&mut self, conv: ConvId, done: impl Fn(&View) -> bool) {
        while !done(self.view(conv)) {
            self.step().await.expect("a record");
        }
    }

    /// Asks to follow conversations from what is held.
    pub async fn resume(&mut self, convs: &[ConvId]) -> Result<(), Gone> {
        let convs = convs.iter().map(|id| self.view(*id).held()).collect();
        self.wire.send(&ClientFrame::Resume { convs }).await
    }

    /// Follows a conversation and gets what is missing, over HTTP if it is much.
    pub async fn try_follow(&mut self, conv: ConvId) -> Result<(), Gone> {
        loop {
            self.log.retain(|f| !matches!(f, ServerFrame::Synced { .. } | ServerFrame::Behind { .. }));
            let held = self.view(conv).have();
            self.resume(&[conv]).await?;
            let (behind, last) = self
                .hear(|h| match h {
                    Heard::Frame(ServerFrame::Synced { conv: c, last }) if *c == conv => Some((false, *last)),
                    Heard::Frame(ServerFrame::Behind { conv: c, last }) if *c == conv => Some((true, *last)),
                    Heard::Frame(ServerFrame::Rewound { conv: c, .. }) if *c == conv => panic!("the log went back"),
                    _ => None,
                })
                .await?;
            if !behind && last < held {
                // the answer to an earlier resume, after a gap among live records: the log itself shows it
                let there = http::page(self.addr, &self.token, conv, held - 1, 1).await.ok_or(Gone(None))?;
                assert!(!there.is_empty(), "record {held} was delivered, now the store ends with {last}");
                continue;
            }
            if !behind {
                return Ok(());
            }
            let have = self.view(conv).have();
            let page = http::page(self.addr, &self.token, conv, have, 500).await.ok_or(Gone(None))?;
            for frame in page {
                self.take(Got::Record(frame)).await?;
            }
        }
    }

    /// Follows or fails the test.
    pub async fn follow(&mut self, conv: ConvId) {
        self.try_follow(conv).await.expect("a resume");
    }

    /// A request and its answer.
    pub async fn ask(&mut self, frame: impl FnOnce(u64) -> ClientFrame) -> Result<(), Refused> {
        self.try_ask(frame).await.expect("an answer")
    }

    /// The same, if the socket may end.
    pub async fn try_ask(&mut self, frame: impl FnOnce(u64) -> ClientFrame) -> Result<Result<(), Refused>, Gone> {
        self.req += 1;
        let mine = self.req;
        self.wire.send(&frame(mine)).await?;
        self.hear(|h| match h {
            Heard::Frame(ServerFrame::Ok { req }) if *req == mine => Some(Ok(())),
            Heard::Frame(ServerFrame::Error { code, text, req, .. }) if *req == Some(mine) => {
                Some(Err((*code, text.clone())))
            }
            _ => None,
        })
        .await
    }

    /// A visitor opens a conversation and sends the form, as a widget does: from here on agents see it.
    pub async fn open(&mut self) -> ConvId {
        let conv = self.open_empty().await;
        self.form(conv).await;
        conv
    }

    /// A visitor sends the form.
    pub async fn form(&mut self, conv: ConvId) {
        let key = self.me.key.clone();
        let (_, form) = self.view(conv).seal_form(&key);
        self.post(form).await.expect("an acknowledgement");
    }

    /// A visitor opens a conversation and writes nothing.
    pub async fn open_empty(&mut self) -> ConvId {
        let (conv, frame) = self.opening();
        self.ask(frame).await.expect("an open conversation");
        self.record(conv, 3).await;
        conv
    }

    /// What opens a new conversation.
    pub fn opening(&self) -> (ConvId, impl Fn(u64) -> ClientFrame + use<>) {
        let (site, x) = (self.me.site.as_ref().unwrap(), self.me.x.as_ref().unwrap().public());
        let opening = Opening::new(&self.company.directory(), site, &self.me.key, x).unwrap();
        (opening.conv, move |req| opening.frame(req))
    }

    /// Sends an envelope and waits for its record, or the error that names it.
    pub async fn post(&mut self, envelope: Vec<u8>) -> Result<u64, Refused> {
        let (_, head) = HeaderView::parse(&envelope).unwrap();
        let (conv, msg) = (head.conv(), head.msg_id());
        self.wire.send_envelope(envelope).await.expect("a socket");
        loop {
            match self.step().await.expect("an acknowledgement") {
                Heard::Record(c, seq) | Heard::Again(c, seq) if c == conv && self.id_at(conv, seq) == Some(msg) => {
                    return Ok(seq);
                }
                Heard::Frame(ServerFrame::Error { code, text, msg: Some(m), .. }) if m == msg => {
                    return Err((code, text));
                }
                _ => {}
            }
        }
    }

    /// The message id of a record in the view; none if it has none.
    pub fn id_at(&mut self, conv: ConvId, seq: u64) -> Option<MsgId> {
        let frame: Bytes = self.view(conv).records.get(seq as usize - 1)?.clone();
        let (_, head) = HeaderView::parse(RecordView::parse(&frame)?.body).ok()?;
        Some(head.msg_id())
    }

    /// Sends a text and returns its sequence number.
    pub async fn say(&mut self, conv: ConvId, text: &str) -> u64 {
        let key = self.me.key.clone();
        let (_, envelope) = self.view(conv).seal(text, &key);
        loop {
            match self.post(envelope.clone()).await {
                // the conversation changed in the same instant: resend unchanged
                Err((ErrorCode::Conflict, _)) => {}
                other => return other.expect("an acknowledgement"),
            }
        }
    }

    /// Waits for the offer of a conversation and accepts it.
    pub async fn accept(&mut self, conv: ConvId) {
        self.frame(|f| matches!(f, ServerFrame::Offer { conv: c, .. } if *c == conv).then_some(())).await;
        self.ask(|req| ClientFrame::Accept { req, conv }).await.expect("an accepted offer");
    }

    /// Hands a conversation on.
    pub async fn transfer(&mut self, conv: ConvId, agent: Option<&str>, team: Option<&str>) -> Result<(), Refused> {
        let (agent, team): (Option<UserId>, Option<TeamId>) = (agent.map(id), team.map(id));
        self.ask(|req| ClientFrame::Transfer { req, conv, agent, team }).await
    }

    /// All texts of a conversation, in order.
    pub fn texts(&mut self, conv: ConvId) -> Vec<String> {
        self.view(conv).said.iter().map(|s| s.text.clone()).collect()
    }

    /// The store's copy of a conversation, as this reader may have it.
    pub async fn history(&self, conv: ConvId) -> Vec<Bytes> {
        http::history(self.addr, &self.token, conv).await.expect("a history")
    }
}
