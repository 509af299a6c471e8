//! What the thread of checkpoints is told by the others.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How the thread is told what to do.
#[derive(Debug, Default)]
pub(super) struct Signals {
    state: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    /// Enough is in memory.
    enough: bool,
    /// The writer waits for a file of the log.
    full: bool,
    /// A read of the database failed.
    suspect: bool,
    end: Option<End>,
}

/// How the thread ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The writer has ended properly: what is in memory is written before.
    Settled,
    /// At once.
    Now,
}

/// What to do next.
pub(super) enum Task {
    Checkpoint {
        /// Also if little is in memory, and not for long.
        even_little: bool,
    },
    Heal,
    End(End),
}

impl Signals {
    fn tell(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.state.lock());
        self.changed.notify_all();
    }

    /// Enough is in memory.
    pub fn enough(&self) {
        self.tell(|wanted| wanted.enough = true);
    }

    /// The writer waits for a file of the log.
    pub fn full(&self) {
        self.tell(|wanted| wanted.full = true);
    }

    /// A read of the database failed.
    pub fn suspect(&self) {
        self.tell(|wanted| wanted.suspect = true);
    }

    /// The thread must end.
    pub fn end(&self, how: End) {
        self.tell(|wanted| wanted.end = Some(how));
    }

    /// Waits this long, or until the thread must end: returns whether it must.
    pub fn ended_within(&self, pause: Duration) -> bool {
        let mut wanted = self.state.lock();
        self.changed.wait_while_for(&mut wanted, |wanted| wanted.end.is_none(), pause);
        wanted.end.is_some()
    }

    /// What is open again is no longer suspected.
    pub fn trust(&self) {
        self.state.lock().suspect = false;
    }

    /// Waits this long, or until there is something to do.
    pub fn next(&self, pause: Duration) -> Task {
        let mut wanted = self.state.lock();
        let nothing = |wanted: &mut Wanted| !wanted.enough && !wanted.full && !wanted.suspect && wanted.end.is_none();
        self.changed.wait_while_for(&mut wanted, nothing, pause);
        if let Some(end) = wanted.end {
            Task::End(end)
        } else if std::mem::take(&mut wanted.suspect) {
            Task::Heal
        } else {
            wanted.enough = false;
            Task::Checkpoint { even_little: std::mem::take(&mut wanted.full) }
        }
    }
}
