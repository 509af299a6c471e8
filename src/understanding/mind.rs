//! The robot's mind in a running server: made when the first site has a robot, so that a server without one pays nothing.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use super::{Files, Unable, Understanding, Watch, model};
use crate::{
    bot::{Action, Decision, HandOverWhy, Message, Policy, Why},
    chat::{
        now_ms,
        robot::{Mind, Turn},
    },
    nlu::Recogniser,
};

/// How often it looks whether a command replaced intents or knowledge.
const LOOK: Duration = Duration::from_secs(2);

/// See the module.
pub struct ServerMind {
    files: Files,
    policy: Policy,
    awake: OnceLock<Result<Awake, String>>,
}

struct Awake {
    understanding: Arc<Understanding>,
    _watch: Watch,
}

impl ServerMind {
    /// Nothing is read before it is asked or woken.
    pub fn new(files: Files, policy: Policy) -> Self {
        Self { files, policy, awake: OnceLock::new() }
    }

    fn awake(&self) -> Result<&Awake, &str> {
        let open = || {
            let begin = Instant::now();
            let awake = self.open().map_err(|e| e.to_string());
            match &awake {
                Ok(_) => tracing::info!(took_ms = begin.elapsed().as_millis() as u64, "the robot is awake"),
                Err(e) => tracing::error!("the robot understands nothing, and hands over at once: {e}"),
            }
            awake
        };
        self.awake.get_or_init(open).as_ref().map_err(String::as_str)
    }

    fn open(&self) -> Result<Awake, Unable> {
        let recogniser = Recogniser::start(model(&self.files)?).map_err(|e| Unable::Model(e.to_string()))?;
        let understanding = Understanding::of_server(self.files.clone(), recogniser, self.policy.clone())?;
        let understanding = Arc::new(understanding);
        let watch = Understanding::watch(&understanding, LOOK).map_err(|e| Unable::Model(e.to_string()))?;
        Ok(Awake { understanding, _watch: watch })
    }
}

impl Mind for ServerMind {
    fn wake(&self) {
        let _ = self.awake();
    }

    fn decide(&self, turn: &Turn) -> Decision {
        match self.awake() {
            Ok(awake) => {
                let message = Message { text: &turn.text, site: turn.site.as_str(), now_ms: now_ms(), zh: turn.zh };
                awake.understanding.decide(&message, turn.dialogue)
            }
            Err(why) => {
                let action = Action::HandOver { why: HandOverWhy::Error, text: None };
                Decision { action, why: Why::Broken { detail: why.to_owned() }, intent: None, p: 0.0, entry: None }
            }
        }
    }
}
