//! The files that teach the robot. Commands replace them while a server runs.

use std::path::{Path, PathBuf};

use crate::nlu::SentenceModel;

/// Where the robot's knowledge is stored.
#[derive(Debug, Clone)]
pub struct RobotFiles {
    /// `<data>/knowledge`. Unlike the robot's keys it belongs into a backup.
    pub dir: PathBuf,
}

impl RobotFiles {
    /// Of a data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self { dir: data_dir.join("knowledge") }
    }

    /// Path of the trained intents.
    pub fn intents(&self) -> PathBuf {
        self.dir.join("head.bin")
    }

    /// Path of the knowledge.
    pub fn knowledge(&self) -> PathBuf {
        self.dir.join("knowledge.json")
    }

    /// Path of the knowledge's vectors.
    pub fn vectors(&self) -> PathBuf {
        self.dir.join("knowledge.vec")
    }

    /// Path of the file that is locked while the robot is being taught.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("teach.lock")
    }

    /// The language model, if it is not the embedded one.
    pub fn model(&self) -> PathBuf {
        self.dir.join("model")
    }
}

/// Why the robot cannot recognise anything.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no language model.
    #[error("this kefu was built without its language model, and {0} contains none")]
    NoModel(PathBuf),
    /// The model can't be used.
    #[error("the language model can't be used: {0}")]
    Model(String),
    /// A file can't be used.
    #[error("{0}: {1}")]
    File(PathBuf, String),
}

/// The language model in use: the one of the data directory, else the embedded one.
///
/// # Errors
/// See [`EngineError`].
pub fn model(files: &RobotFiles) -> Result<SentenceModel, EngineError> {
    let own = files.model();
    let found = if own.is_dir() { SentenceModel::open(&own).map(Some) } else { SentenceModel::embedded() };
    let found = found.map_err(|e| EngineError::Model(e.to_string()))?;
    found.ok_or(EngineError::NoModel(own))
}
