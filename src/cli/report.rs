//! How a failure is printed.

use std::process::ExitCode;

use serde_json::json;

use super::{error::CliError, out::print_json};

/// Prints it and gives the exit code. With JSON it goes to stdout, where the reader waits for an object.
pub fn report(error: &CliError, json: bool, color: bool) -> ExitCode {
    let code = error.kind.code();
    if error.what.is_empty() {
        return ExitCode::from(code);
    }
    if json && !error.mute {
        let object = json!({"error": {
            "code": code, "kind": error.kind.word(), "message": error.what, "next": error.hint,
        }});
        print_json(&object);
    } else {
        let (red, bold, off) = if color { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        eprintln!("{red}error:{off} {}", error.what);
        if let Some(hint) = &error.hint {
            eprintln!("{bold} next:{off} {hint}");
        }
    }
    ExitCode::from(code)
}
