//! Asks several servers that should know the same, and decides whom to believe.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::sleep;

use super::Found;
use crate::{Address, Error};

/// After this time without an answer the next is asked as well: a machine that is off says nothing.
const PATIENCE: Duration = Duration::from_millis(250);

/// What an answer says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) shards: Vec<Found>,
    /// Higher in newer answers; 0 where there is no such number.
    pub(super) epoch: u64,
}

/// Answers that are not good enough by themselves.
#[derive(Default)]
struct Rest {
    /// The newest of those that know what is known, of servers that do not see all.
    doubtful: Option<Answer>,
    /// The newest of those that know less than is known.
    older: Option<Answer>,
    failed: Option<Error>,
}

/// Asks one after the other until an answer is no older than `epoch` and sure. Else the newest no older than that; else, if really
/// all answered and all say something older, then what was known is no more, and the newest of theirs is.
pub(super) async fn ask<'a, F>(
    addresses: Vec<&'a Address>,
    epoch: u64,
    question: impl Fn(&'a Address) -> F,
) -> Result<Answer, Error>
where
    F: Future<Output = Result<(Answer, bool), Error>>,
{
    let (mut waiting, mut running, mut rest) = (addresses.into_iter(), FuturesUnordered::new(), Rest::default());
    loop {
        running.extend(waiting.next().map(&question));
        let last = waiting.len() == 0;
        let answer = tokio::select! {
            answer = running.next() => answer,
            () = sleep(PATIENCE), if !last => continue,
        };
        let newest = |one: Option<Answer>, other: Answer| one.filter(|one| one.epoch >= other.epoch).or(Some(other));
        match answer {
            Some(Ok((answer, true))) if answer.epoch >= epoch => return Ok(answer),
            Some(Ok((answer, _))) if answer.epoch >= epoch => rest.doubtful = newest(rest.doubtful, answer),
            Some(Ok((answer, _))) => rest.older = newest(rest.older, answer),
            Some(Err(error)) => rest.failed = rest.failed.or(Some(error)),
            None if last => break,
            None => {}
        }
    }
    match rest {
        Rest { doubtful: Some(answer), .. } | Rest { older: Some(answer), failed: None, .. } => Ok(answer),
        // a URL names one at least
        Rest { failed, .. } => Err(failed.unwrap_or(Error::NoPrimary { shard: 0 })),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn answer(epoch: u64) -> Answer {
        Answer { shards: vec![], epoch }
    }

    fn down(address: &Address) -> Error {
        Error::Unreachable { address: address.clone(), why: "down".into() }
    }

    /// What the servers a, b, c say; `epoch` is what is known.
    async fn epoch_of(epoch: u64, says: [Option<Result<(u64, bool), ()>>; 3]) -> Option<u64> {
        let all: Vec<Address> = (0..3).map(|port| Address::new("s", port)).collect();
        let question = |address: &Address| {
            let (said, address) = (says[usize::from(address.port)], address.clone());
            async move {
                match said {
                    None => pending().await,
                    Some(said) => said.map(|(epoch, sure)| (answer(epoch), sure)).map_err(|()| down(&address)),
                }
            }
        };
        ask(all.iter().collect(), epoch, question).await.ok().map(|answer| answer.epoch)
    }

    const SURE: bool = true;
    const DOWN: Option<Result<(u64, bool), ()>> = Some(Err(()));
    const SILENT: Option<Result<(u64, bool), ()>> = None;

    fn says(epoch: u64, sure: bool) -> Option<Result<(u64, bool), ()>> {
        Some(Ok((epoch, sure)))
    }

    #[tokio::test]
    async fn the_first_sure_answer_that_is_no_older_is_believed() {
        assert_eq!(epoch_of(0, [says(7, SURE), SILENT, SILENT]).await, Some(7));
        assert_eq!(epoch_of(7, [DOWN, says(6, SURE), says(7, SURE)]).await, Some(7));
        assert_eq!(epoch_of(7, [says(9, false), DOWN, says(8, SURE)]).await, Some(8));
    }

    #[tokio::test]
    async fn who_is_silent_is_not_waited_for() {
        assert_eq!(epoch_of(0, [SILENT, SILENT, says(1, SURE)]).await, Some(1));
    }

    #[tokio::test]
    async fn doubtful_answers_are_better_than_none() {
        assert_eq!(epoch_of(7, [says(7, false), says(9, false), DOWN]).await, Some(9));
        assert_eq!(epoch_of(7, [says(6, SURE), says(7, false), says(6, SURE)]).await, Some(7));
    }

    #[tokio::test]
    async fn older_answers_are_believed_only_if_all_give_them() {
        assert_eq!(epoch_of(7, [says(6, SURE), DOWN, says(6, SURE)]).await, None);
        assert_eq!(epoch_of(7, [says(1, SURE), says(2, SURE), says(1, false)]).await, Some(2));
        assert_eq!(epoch_of(0, [DOWN, DOWN, DOWN]).await, None);
    }
}
