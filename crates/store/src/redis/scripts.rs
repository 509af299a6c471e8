//! The scripts. Each connection loads all of them, so that a call names one by its hash alone.

use std::sync::LazyLock;

use kefu_redis_link::Script;

/// All scripts.
pub(super) struct Scripts {
    all: [Script; 14],
}

/// Compiled into the executable, so that both always fit.
pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    all: [
        Script::new(include_str!("scripts/say.lua")),
        Script::new(include_str!("scripts/batch.lua")),
        Script::new(include_str!("scripts/company.lua")),
        Script::new(include_str!("scripts/scan.lua")),
        Script::new(include_str!("scripts/head.lua")),
        Script::new(include_str!("scripts/enter.lua")),
        Script::new(include_str!("scripts/create.lua")),
        Script::new(include_str!("scripts/whole.lua")),
        Script::new(include_str!("scripts/tables.lua")),
        Script::new(include_str!("scripts/take.lua")),
        Script::new(include_str!("scripts/share.lua")),
        Script::new(include_str!("scripts/replace.lua")),
        Script::new(include_str!("scripts/hold.lua")),
        Script::new(include_str!("scripts/stamps.lua")),
    ],
});

impl Scripts {
    /// For a handshake.
    pub fn all(&self) -> &[Script] {
        &self.all
    }

    /// Appends.
    pub fn say(&self) -> &Script {
        &self.all[0]
    }

    /// All that a batch can do to a conversation.
    pub fn batch(&self) -> &Script {
        &self.all[1]
    }

    /// Changes tables of the company.
    pub fn company(&self) -> &Script {
        &self.all[2]
    }

    /// Reads a table of the company in order.
    pub fn scan(&self) -> &Script {
        &self.all[3]
    }

    /// Reads a conversation at one moment.
    pub fn head(&self) -> &Script {
        &self.all[4]
    }

    /// Begins with a lane.
    pub fn enter(&self) -> &Script {
        &self.all[5]
    }

    /// Makes a company.
    pub fn create(&self) -> &Script {
        &self.all[6]
    }

    /// Reads all of a conversation.
    pub fn whole(&self) -> &Script {
        &self.all[7]
    }

    /// Reads all tables of the company.
    pub fn tables(&self) -> &Script {
        &self.all[8]
    }

    /// Takes from buckets.
    pub fn take(&self) -> &Script {
        &self.all[9]
    }

    /// Replaces what servers share beside the tables.
    pub fn share(&self) -> &Script {
        &self.all[10]
    }

    /// Replaces what expires.
    pub fn replace(&self) -> &Script {
        &self.all[11]
    }

    /// Holds a lane while the company is moved.
    pub fn hold(&self) -> &Script {
        &self.all[12]
    }

    /// Says what changes with a conversation.
    pub fn stamps(&self) -> &Script {
        &self.all[13]
    }
}
