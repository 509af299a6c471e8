//! Whether webhooks arrive.

use serde_json::Value;

use super::Finding;
use crate::{
    cli::{admin_client::AdminClient, context::Context},
    config::Config,
};

const CHECK: &str = "webhooks";

/// Each webhook whose last try failed, or that they all work. Nothing if there is none.
pub fn webhooks(ctx: &Context, config: &Config) -> Vec<Finding> {
    if config.webhook.is_empty() {
        return Vec::new();
    }
    let asked = AdminClient::open(ctx).and_then(|admin| {
        let answer = admin.call("GET", "/admin/webhooks", None);
        admin.close();
        answer
    });
    match asked {
        Ok(answer) => examine(answer.as_array().map(Vec::as_slice).unwrap_or_default()),
        // what keeps it from being asked was found already
        Err(_) => Vec::new(),
    }
}

fn examine(hooks: &[Value]) -> Vec<Finding> {
    let failing = hooks.iter().filter_map(|hook| Some((hook, hook["failure"].as_str()?)));
    let found: Vec<_> = failing
        .map(|(hook, why)| {
            let name = hook["name"].as_str().unwrap_or_default();
            let waits = hook["waiting"].as_u64().map_or_else(String::new, |n| format!("; {n} notices wait"));
            let what = format!("{name} fails: {why}{waits}");
            Finding::warning(CHECK, what, format!("kefu webhook test {name} tries it at once"))
        })
        .collect();
    match found.is_empty() {
        true => vec![Finding::ok(CHECK, format!("{} configured, none fails", hooks.len()))],
        false => found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_fails_is_named_with_the_reason() {
        let hooks = [
            json!({ "name": "duty", "failure": null, "waiting": 0 }),
            json!({ "name": "crm", "failure": "it answered with status 500", "waiting": 3 }),
        ];
        let said: Vec<_> = examine(&hooks).into_iter().map(|finding| finding.what).collect();
        assert_eq!(said, ["crm fails: it answered with status 500; 3 notices wait"]);
        assert_eq!(examine(&hooks[..1])[0].what, "1 configured, none fails");
    }
}
