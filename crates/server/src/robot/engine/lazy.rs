//! The engine of a running server: made when the first site has a robot, so that a server without one pays nothing.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use super::{DecisionEngine, EngineError, RobotEngine, RobotFiles, Watch, model};
use crate::{
    nlu::EncoderService,
    robot::policy::{Decision, HandOverWhy, Policy, TurnInput, Why},
};

/// How often it looks whether a command replaced intents or knowledge.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Opens a [`RobotEngine`] at the first need.
pub struct LazyEngine {
    files: RobotFiles,
    policy: Policy,
    opened: OnceLock<Result<Opened, String>>,
}

struct Opened {
    engine: Arc<RobotEngine>,
    _watch: Watch,
}

impl LazyEngine {
    /// Nothing is read before the first decision or [`DecisionEngine::warm_up`].
    pub fn new(files: RobotFiles, policy: Policy) -> Self {
        Self { files, policy, opened: OnceLock::new() }
    }

    fn opened(&self) -> Result<&Opened, &str> {
        let open = || {
            let begin = Instant::now();
            let opened = self.open().map_err(|e| e.to_string());
            match &opened {
                Ok(_) => tracing::info!(took_ms = begin.elapsed().as_millis() as u64, "the robot is ready"),
                Err(e) => tracing::error!("the robot cannot understand anything and hands over at once: {e}"),
            }
            opened
        };
        self.opened.get_or_init(open).as_ref().map_err(String::as_str)
    }

    fn open(&self) -> Result<Opened, EngineError> {
        let encoder_service =
            EncoderService::start(model(&self.files)?).map_err(|e| EngineError::Model(e.to_string()))?;
        let engine = RobotEngine::of_server(self.files.clone(), encoder_service, self.policy.clone())?;
        let engine = Arc::new(engine);
        let watch = RobotEngine::watch(&engine, LOOK_EVERY).map_err(|e| EngineError::Model(e.to_string()))?;
        Ok(Opened { engine, _watch: watch })
    }
}

impl DecisionEngine for LazyEngine {
    fn warm_up(&self) {
        // a failure was logged, and every decision hands over
        let _ = self.opened();
    }

    fn decide(&self, input: &TurnInput<'_>) -> Decision {
        match self.opened() {
            Ok(opened) => opened.engine.decide(input),
            Err(why) => Decision::hand_over(HandOverWhy::Error, Why::Broken { detail: why.to_owned() }),
        }
    }
}
