//! One thread that encodes for everyone: a bounded queue, small batches from what waits, no work for askers who left.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::{
    encoder::EncodeError,
    sentence::{SentenceModel, threads},
    sentence_encoder::SentenceEncoder,
};

/// Questions that may wait. At a few milliseconds each, the last one waits a fraction of a second; whoever finds the queue
/// full does better to hand over to a person at once.
pub const QUEUE: usize = 64;

/// Tokens from which on a pass takes no further text. More would only make the first of a batch wait longer: from about
/// sixteen rows on, the time per row stays the same.
const BATCH_TOKENS: usize = 64;

/// Why a question was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue is full.
    #[error("the language model has more questions than it can answer; hand over to a person")]
    Busy,
    /// The thread has ended.
    #[error("the language model has stopped; restart the server, and report what the log says before")]
    Stopped,
}

struct Question {
    text: String,
    reply: oneshot::Sender<Vec<f32>>,
}

/// The queue to the thread. Dropping it ends the thread after the pass it is in.
#[derive(Debug)]
pub struct EncoderService {
    model: SentenceModel,
    questions: Option<SyncSender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl EncoderService {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread or no memory for it.
    pub fn start(model: impl Into<SentenceModel>) -> std::io::Result<Self> {
        let model = model.into();
        let mut encoder = model.encoder(threads()).map_err(std::io::Error::other)?;
        let (questions, waiting) = sync_channel(QUEUE);
        let thread =
            std::thread::Builder::new().name("encoder_service".into()).spawn(move || run(&mut *encoder, &waiting))?;
        Ok(Self { model, questions: Some(questions), thread: Some(thread) })
    }

    /// The model it runs.
    pub fn model(&self) -> &SentenceModel {
        &self.model
    }

    /// Asks for the vector of `text`. Never waits. The receiver fails only if the thread ends first; dropping it takes the
    /// question back.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn ask(&self, text: String) -> Result<oneshot::Receiver<Vec<f32>>, Refused> {
        let (reply, answer) = oneshot::channel();
        let questions = self.questions.as_ref().ok_or(Refused::Stopped)?;
        match questions.try_send(Question { text, reply }) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(Refused::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Stopped),
        }
    }
}

impl Drop for EncoderService {
    fn drop(&mut self) {
        drop(self.questions.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the encoder_service's thread had panicked");
        }
    }
}

fn run(encoder: &mut dyn SentenceEncoder, waiting: &Receiver<Question>) {
    let mut next = waiting.recv().ok();
    while let Some(first) = next.take() {
        let (mut texts, mut replies, mut tokens) = (Vec::new(), Vec::new(), 0);
        let mut candidate = Some(first);
        while let Some(Question { text, reply }) = candidate.take() {
            if !reply.is_closed() {
                match encoder.tokens(&text) {
                    Ok(text) => {
                        tokens += text.len();
                        texts.push(text);
                        replies.push(reply);
                    }
                    Err(e) => tracing::error!("{e}"),
                }
            }
            if tokens < BATCH_TOKENS {
                candidate = waiting.try_recv().ok();
            }
        }
        if let Err(e) = answer(encoder, &texts, replies) {
            tracing::error!("{e}");
        }
        next = waiting.recv().ok();
    }
}

fn answer(
    encoder: &mut dyn SentenceEncoder,
    texts: &[Vec<u32>],
    replies: Vec<oneshot::Sender<Vec<f32>>>,
) -> Result<(), EncodeError> {
    let width = encoder.width();
    let vectors = encoder.encode_batch(texts)?;
    for (reply, vector) in replies.into_iter().zip(vectors.chunks_exact(width)) {
        // an asker who left in between is no error
        let _ = reply.send(vector.to_vec());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        encoder::Encoder,
        kernel,
        model::{
            Model,
            testing::{SMALL, Stored, files},
        },
    };

    fn model() -> Arc<Model> {
        Arc::new(Model::new(files(SMALL, Stored::Codes, 1), kernel::best()).unwrap())
    }

    #[test]
    fn answers_are_those_of_an_encoder_alone() {
        let model = model();
        let mut alone = Encoder::new(Arc::clone(&model)).unwrap();
        let service = EncoderService::start(Arc::clone(&model)).unwrap();
        let emoji = "👍".repeat(50);
        let long = "退货".repeat(50_000);
        let texts = ["我要退货", "", "where is my order?", "\u{202e}ا\u{0}\u{7}", &emoji, &long];
        let answers: Vec<_> = texts.iter().map(|t| service.ask((*t).to_owned()).unwrap()).collect();
        for (text, answer) in texts.iter().zip(answers) {
            let vector = answer.blocking_recv().unwrap();
            assert_eq!(vector, alone.encode(&model.tokens(text)).unwrap(), "{text}");
        }
    }

    /// A queue whose thread has not begun.
    fn still(model: &Arc<Model>) -> (EncoderService, Receiver<Question>) {
        let (questions, waiting) = sync_channel(QUEUE);
        (EncoderService { model: Arc::clone(model).into(), questions: Some(questions), thread: None }, waiting)
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_recovers() {
        let model = model();
        let (service, waiting) = still(&model);
        let answers: Vec<_> = (0..QUEUE).map(|_| service.ask("我要退货".into()).unwrap()).collect();
        assert_eq!(service.ask("one more".into()).unwrap_err(), Refused::Busy);
        let mut encoder = Encoder::new(Arc::clone(&model)).unwrap();
        let thread = std::thread::spawn(move || run(&mut encoder, &waiting));
        assert!(answers.into_iter().all(|a| a.blocking_recv().is_ok()));
        assert!(service.ask("again".into()).unwrap().blocking_recv().is_ok());
        drop(service);
        thread.join().unwrap();
    }

    #[test]
    fn askers_who_left_cost_nothing_and_harm_nobody() {
        let model = model();
        let (service, waiting) = still(&model);
        for _ in 0..QUEUE - 1 {
            drop(service.ask("我要退货".into()).unwrap());
        }
        let stayed = service.ask("where".into()).unwrap();
        drop(service);
        run(&mut Encoder::new(Arc::clone(&model)).unwrap(), &waiting);
        assert_eq!(stayed.blocking_recv().unwrap().len(), 48);
    }

    #[test]
    fn a_stopped_thread_is_said() {
        let (service, waiting) = still(&model());
        drop(waiting);
        assert_eq!(service.ask("?".into()).unwrap_err(), Refused::Stopped);
    }
}
