//! The command line: one file a command, all of one shape (`struct Args`, `Args::run`).
//!
//! Nothing here knows how data is kept: commands speak to the admin router (see `admin_client`), sign with the company keys
//! (see `keys`) and print (see `out`). Anything that a running server must do too belongs in another module.

/// A family of commands as clap derives it, and the way to the `run` of each.
macro_rules! commands {
    ($(#[$about:meta])+ pub enum $commands:ident {
        $($(#[$more:meta])* $name:ident($module:ident::$args:ident),)+
    }) => {
        $(#[$about])+
        #[derive(Debug, clap::Subcommand)]
        pub enum $commands {
            $($(#[$more])* $name($module::$args),)+
        }

        impl $commands {
            /// Runs the command.
            pub fn run(self, ctx: &$crate::cli::context::Context) -> Result<(), $crate::cli::error::CliError> {
                match self {
                    $(Self::$name(command) => command.run(ctx),)+
                }
            }
        }
    };
}

mod account;
mod admin_client;
mod archive;
mod args;
mod clock;
mod config_file;
mod context;
mod data_dir;
mod error;
mod invitation;
mod io_error;
mod keys;
mod lock;
mod out;
mod owner;
mod public_part;
mod report;
mod secret;
mod seen;
mod system_requirements;
mod training;
mod undo;
mod verified_directory;

mod backup;
mod bench;
mod block;
mod completions;
mod directory;
mod doctor;
mod exit_codes;
mod export;
mod healthcheck;
mod hours;
mod init;
mod intent;
mod knowledge;
mod label;
mod man;
mod model;
mod moving;
mod node;
mod policy;
mod restore;
mod retention;
mod robot;
mod serve;
mod service;
mod site;
mod stats;
mod team;
mod tls;
mod user;
mod verify;
mod webhook;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use context::{Context, Globals};
use error::CliError;
use report::report;

use crate::proto::LabelKind;

/// Live chat in one executable: server, database and pages, with messages that only people can read.
#[derive(Debug, Parser)]
#[command(name = "kefu", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Start with `kefu init`, then `kefu serve`. Exit codes: `kefu help exit-codes`.")]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = false)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// For those who type nothing but `kefu`.
const SHORT_HELP: &str = concat!(
    "kefu ",
    env!("CARGO_PKG_VERSION"),
    ": live chat in one executable, with messages that only people can read\n\n\
     \x20 kefu init --origin https://www.example.com    a new company, its keys and its first site\n\
     \x20 kefu serve                                    the server\n\
     \x20 kefu site snippet web                         the script tag for your pages\n\
     \x20 kefu user add li --team support               invites an agent\n\
     \x20 kefu stats --watch                            current activity\n\
     \x20 kefu doctor                                   checks for problems\n\n\
     All commands: kefu help. About one: kefu help user."
);

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Serve(serve::Args),
    #[command(subcommand)]
    Service(service::Command),
    #[command(subcommand)]
    User(user::Command),
    #[command(subcommand)]
    Team(team::Command),
    #[command(subcommand)]
    Site(site::Command),
    /// Tags: what agents sort conversations by
    #[command(subcommand)]
    Tag(label::Command),
    /// Reasons for closing a conversation, of which agents choose one
    #[command(subcommand)]
    Reason(label::Command),
    #[command(subcommand)]
    Hours(hours::Command),
    #[command(subcommand)]
    Block(block::Command),
    #[command(subcommand)]
    Robot(robot::Command),
    #[command(subcommand)]
    Directory(directory::Command),
    #[command(subcommand)]
    Export(export::Command),
    #[command(subcommand)]
    Intent(intent::Command),
    #[command(subcommand)]
    Knowledge(knowledge::Command),
    #[command(subcommand)]
    Policy(policy::Command),
    #[command(subcommand)]
    Model(model::Command),
    #[command(subcommand)]
    Tls(tls::Command),
    #[command(subcommand)]
    Node(node::Command),
    #[command(subcommand)]
    Webhook(webhook::Command),
    Stats(stats::Args),
    Retention(retention::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Verify(verify::Args),
    Move(moving::Args),
    Doctor(doctor::Args),
    Healthcheck(healthcheck::Args),
    Bench(bench::Args),
    Completions(completions::Args),
    Man(man::Args),
    ExitCodes(exit_codes::Args),
}

impl Command {
    /// Whether it works on the data directory, and whether it may make one.
    fn data(&self) -> Option<bool> {
        match self {
            Self::Init(args) => args.data().then_some(true),
            Self::Restore(_) => Some(true),
            Self::Verify(args) => args.data().then_some(false),
            Self::Bench(args) => args.data().then_some(false),
            Self::Service(_) | Self::Export(_) | Self::Completions(_) | Self::Man(_) | Self::ExitCodes(_) => None,
            Self::Serve(_)
            | Self::User(_)
            | Self::Team(_)
            | Self::Site(_)
            | Self::Tag(_)
            | Self::Reason(_)
            | Self::Hours(_)
            | Self::Block(_)
            | Self::Robot(_)
            | Self::Directory(_)
            | Self::Intent(_)
            | Self::Knowledge(_)
            | Self::Policy(_)
            | Self::Model(_)
            | Self::Tls(_)
            | Self::Node(_)
            | Self::Webhook(_)
            | Self::Stats(_)
            | Self::Retention(_)
            | Self::Backup(_)
            | Self::Move(_)
            | Self::Doctor(_)
            | Self::Healthcheck(_) => Some(false),
        }
    }

    fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::Init(args) => args.run(ctx),
            Self::Serve(args) => args.run(ctx),
            Self::Service(command) => command.run(ctx),
            Self::User(command) => command.run(ctx),
            Self::Team(command) => command.run(ctx),
            Self::Site(command) => command.run(ctx),
            Self::Tag(command) => command.run(ctx, LabelKind::Tag),
            Self::Reason(command) => command.run(ctx, LabelKind::Reason),
            Self::Hours(command) => command.run(ctx),
            Self::Block(command) => command.run(ctx),
            Self::Robot(command) => command.run(ctx),
            Self::Directory(command) => command.run(ctx),
            Self::Export(command) => command.run(ctx),
            Self::Intent(command) => command.run(ctx),
            Self::Knowledge(command) => command.run(ctx),
            Self::Policy(command) => command.run(ctx),
            Self::Model(command) => command.run(ctx),
            Self::Tls(command) => command.run(ctx),
            Self::Node(command) => command.run(ctx),
            Self::Webhook(command) => command.run(ctx),
            Self::Stats(args) => args.run(ctx),
            Self::Retention(args) => args.run(ctx),
            Self::Backup(args) => args.run(ctx),
            Self::Restore(args) => args.run(ctx),
            Self::Verify(args) => args.run(ctx),
            Self::Move(args) => args.run(ctx),
            Self::Doctor(args) => args.run(ctx),
            Self::Healthcheck(args) => args.run(ctx),
            Self::Bench(args) => args.run(ctx),
            Self::Completions(args) => args.run(ctx),
            Self::Man(args) => args.run(ctx),
            Self::ExitCodes(args) => args.run(ctx),
        }
    }
}

/// Reads the arguments of the process, runs the command, prints errors, and returns the exit code.
pub fn main() -> ExitCode {
    let json = std::env::args_os().any(|a| a == "--json");
    if let Err(fail) = system_requirements::check() {
        return report(&fail, json, false);
    }
    if std::env::args_os().len() == 1 {
        out::line(SHORT_HELP);
        return ExitCode::from(error::USAGE);
    }
    let cli = match parse() {
        Ok(cli) => cli,
        Err(e) if json && !matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return report(&CliError::usage(&e), true, false);
        }
        Err(e) => {
            if e.use_stderr() {
                // no reader is left
                let _ = e.print();
                return ExitCode::from(error::USAGE);
            }
            out::print(|_| e.print());
            return out::printed().map_or_else(|fail| report(&fail, json, false), |()| ExitCode::SUCCESS);
        }
    };
    let ctx = Context::new(cli.globals);
    let owner = cli.command.data().map_or(Ok(()), |makes| owner::become_owner(&ctx.data_dir, makes));
    match owner.and_then(|()| cli.command.run(&ctx)).and_then(|()| out::printed()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => report(&fail, ctx.json, ctx.color_stderr()),
    }
}

fn parse() -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

/// The whole tree of commands; completions and manual pages are made from it.
fn command() -> clap::Command {
    Cli::command().color(context::color_from_args(std::env::args_os()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        command().debug_assert();
    }
}
