//! The intent classifier in use. One that a company trained outlives the language model it was trained with.

use std::{fs, io::ErrorKind, path::Path};

use super::{EngineError, RobotFiles};
use crate::{
    files::replace,
    nlu::{
        SentenceModel,
        embed::Fingerprint,
        intent::{ClassifierError, IntentClassifier, train},
        model::embedded_intents,
    },
};

/// Maximum number of threads that train again.
const WORKERS: usize = 16;

/// The intents in use: those of the data directory, else the default one. `None` if there is neither. After a change of the
/// language model, which comes with an upgrade, the one of the data directory is learned again from its own examples, in
/// seconds, and written back.
///
/// # Errors
/// The file is damaged, or the model failed.
pub fn intents(
    files: &RobotFiles,
    model: &SentenceModel,
    fingerprint: Fingerprint,
) -> Result<Option<IntentClassifier>, EngineError> {
    let path = files.intents();
    match fs::read(&path) {
        Ok(bytes) => match IntentClassifier::for_model(&bytes, fingerprint) {
            Ok(classifier) => Ok(Some(classifier)),
            Err(ClassifierError::Model { .. }) => retrain(&path, &bytes, model).map(Some),
            Err(e) => Err(EngineError::File(path, e.to_string())),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => {
            match embedded_intents().map(|bytes| IntentClassifier::for_model(&bytes, fingerprint)) {
                None => Ok(None),
                Some(Ok(classifier)) => Ok(Some(classifier)),
                // another model than the embedded one: the default intents don't fit it
                Some(Err(ClassifierError::Model { .. })) => Ok(None),
                Some(Err(e)) => Err(EngineError::Model(e.to_string())),
            }
        }
        Err(e) => Err(EngineError::File(path, e.to_string())),
    }
}

fn retrain(path: &Path, bytes: &[u8], model: &SentenceModel) -> Result<IntentClassifier, EngineError> {
    let unable = |e: &dyn std::fmt::Display| EngineError::File(path.to_owned(), e.to_string());
    let old = IntentClassifier::from_bytes(bytes).map_err(|e| unable(&e))?;
    let mut workers = model.encoders(WORKERS).map_err(|e| EngineError::Model(e.to_string()))?;
    let classifier = train(old.to_examples(), &mut workers, &mut |_| ()).map_err(|e| unable(&e))?;
    let examples = classifier.examples();
    match replace(path, 0o600, &classifier.to_bytes()) {
        Ok(()) => tracing::info!(examples, "the language model has changed: the intents were trained again"),
        Err(error) => tracing::warn!(%error, file = %path.display(), "the newly trained intents could not be written"),
    }
    Ok(classifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::{embed::testing::bags, intent::Examples};

    #[test]
    fn intents_of_another_model_are_learned_again_from_their_own_examples() {
        let Some(model) = SentenceModel::embedded().unwrap() else { return };
        let fingerprint = Fingerprint::of(&mut model.encoder(1).unwrap()).unwrap();
        let mut examples = Examples::default();
        for (text, intent) in [("退货", "return"), ("我要退货", "return"), ("发票", "invoice"), ("开发票", "invoice")]
        {
            examples.push(text, intent, (String::new(), 0));
        }
        let dir = tempfile::tempdir().unwrap();
        let files = RobotFiles::of(dir.path());
        fs::create_dir_all(&files.dir).unwrap();
        let old = train(examples, &mut bags(1), &mut |_| ()).unwrap();
        fs::write(files.intents(), old.to_bytes()).unwrap();

        let new = intents(&files, &model, fingerprint).unwrap().unwrap();
        assert_eq!((new.fingerprint, new.examples()), (fingerprint, 4));
        assert_eq!(new.to_examples(), old.to_examples());
        assert_eq!(
            IntentClassifier::for_model(&fs::read(files.intents()).unwrap(), fingerprint),
            Ok(new),
            "and it was kept"
        );
        fs::write(files.intents(), &old.to_bytes()[..40]).unwrap();
        assert!(
            matches!(intents(&files, &model, fingerprint), Err(EngineError::File(..))),
            "a damaged one is never replaced"
        );
    }
}
